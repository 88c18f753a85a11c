// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func conforms(t *testing.T, schemas, manifests string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tools["kubeconform"], "-strict", "-summary", "-schema-location", filepath.Join(schemas, schemaLocation))
	cmd.Stdin = strings.NewReader(manifests)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestEveryRenderingConformsToTheSchemasOfTheAPIServer(t *testing.T) {
	schemas := writeSchemas(t)
	for name, path := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			out, err := conforms(t, schemas, render(t, path))
			g.Expect(err).NotTo(HaveOccurred(), out)
			g.Expect(out).To(MatchRegexp(`Valid: [1-9]\d*, Invalid: 0, Errors: 0, Skipped: 0`))
		})
	}
	for name, dir := range map[string]string{"config/default": root + "/config/default", "components": "testdata/components", "samples": root + "/config/samples"} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			built, err := shared.kubectl(t.Context(), nil, "kustomize", dir)
			g.Expect(err).NotTo(HaveOccurred(), built)
			out, err := conforms(t, schemas, built)
			g.Expect(err).NotTo(HaveOccurred(), out)
		})
	}
	for name, manifest := range map[string]string{
		"a field that is not there": "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replica: 2, selector: {}, template: {}}}",
		"a wrong type":              "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: http}]}}",
		"a field that a CRD lacks":  "{apiVersion: connect.medblocks.com/v1alpha1, kind: MedblocksWebhookEndpoint, metadata: {name: a}, spec: {uri: 'https://a'}}",
		"a kind that is not there":  "{apiVersion: apps/v1, kind: Deploymend, metadata: {name: a}}",
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			out, err := conforms(t, schemas, manifest)
			NewWithT(t).Expect(err).To(HaveOccurred(), out)
		})
	}
}
