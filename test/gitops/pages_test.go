// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var yamlBlock = regexp.MustCompile("(?s)\n```yaml\n(.*?)\n```\n")

// manifestsOf are the objects in a page.
func manifestsOf(t *testing.T, page string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile("../../docs/" + page)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	var all []*unstructured.Unstructured
	for _, block := range yamlBlock.FindAllStringSubmatch(string(content), -1) {
		for _, document := range strings.Split(block[1], "\n---\n") {
			all = append(all, parse(t, document))
		}
	}
	return all
}

func TestThePageShowsTheNonBlockingExpressionsThatAreShipped(t *testing.T) {
	g := NewWithT(t)
	shipped, _, err := unstructured.NestedSlice(readTestdata(t, "../../config/flux/non-blocking.yaml").Object, "spec", "healthCheckExprs")
	g.Expect(err).NotTo(HaveOccurred())
	shown := 0
	for _, manifest := range manifestsOf(t, "gitops-flux.md") {
		if expressions, found, _ := unstructured.NestedSlice(manifest.Object, "spec", "healthCheckExprs"); found {
			g.Expect(expressions).To(Equal(shipped))
			shown++
		}
	}
	g.Expect(shown).To(Equal(1))
}

// TestThePatchesOfThePagesKeepTheDefinitions: whoever deletes them deletes every endpoint.
func TestThePatchesOfThePagesKeepTheDefinitions(t *testing.T) {
	for page, c := range map[string]struct {
		kind, annotation, value string
		patches                 []string
	}{
		"gitops-argocd.md": {"Application", "argocd.argoproj.io/sync-options", "Prune=false,Delete=false", []string{"spec", "source", "kustomize", "patches"}},
		"gitops-flux.md":   {"Kustomization", "kustomize.toolkit.fluxcd.io/prune", "disabled", []string{"spec", "patches"}},
	} {
		t.Run(page, func(t *testing.T) {
			g := NewWithT(t)
			var patches []any
			for _, manifest := range manifestsOf(t, page) {
				if found, ok, _ := unstructured.NestedSlice(manifest.Object, c.patches...); ok && manifest.GetKind() == c.kind {
					patches = found
				}
			}
			g.Expect(patches).NotTo(BeEmpty())
			built := build(t, patches)
			definitions := 0
			for _, document := range strings.Split(built, "\n---\n") {
				object := parse(t, document)
				if object.GetKind() == "CustomResourceDefinition" {
					g.Expect(object.GetAnnotations()).To(HaveKeyWithValue(c.annotation, c.value), object.GetName())
					definitions++
				}
			}
			g.Expect(definitions).To(Equal(2))
		})
	}
}

// build is config/default with patches.
func build(t *testing.T, patches []any) string {
	t.Helper()
	g := NewWithT(t)
	here, err := filepath.Abs("../../config/default")
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	base, err := filepath.Rel(dir, here)
	g.Expect(err).NotTo(HaveOccurred())
	content, err := yaml.Marshal(map[string]any{"resources": []string{base}, "patches": patches})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), content, 0o600)).To(Succeed())
	out, err := kubectl(t, "", "kustomize", dir)
	g.Expect(err).NotTo(HaveOccurred(), out)
	return out
}
