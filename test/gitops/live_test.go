// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"path/filepath"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// TestEverySituationIsReadRightByArgoCDAndFlux has the operator get into each situation, asks the health checks about the live resource,
// and compares its status with the one in config/argocd.
func TestEverySituationIsReadRightByArgoCDAndFlux(t *testing.T) {
	t.Parallel()
	strict := readScript(t, filepath.Join(argocd, ofEndpoints, "health.lua"))
	nonBlocking := readScript(t, filepath.Join(argocd, "non-blocking", ofEndpoints, "health.lua"))
	for _, s := range situations() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := lab.NewWorld(t)
			s.arrange(w)
			object := live(t, w.Client, v1alpha1.Kind, client.ObjectKey{Namespace: w.Namespace, Name: hooks})
			for check, want := range map[script]string{strict: s.argo, nonBlocking: s.argoNonBlocking} {
				is, err := check.of(object)
				w.Expect(err).NotTo(HaveOccurred())
				w.Expect(is.Status).To(Equal(want), "Argo CD: %s\n%s", is.Message, w.Show())
			}
			w.Expect(readFlux(t, "strict.yaml").of(t, object)).To(Equal(s.flux), w.Show())
			w.Expect(readFlux(t, "non-blocking.yaml").of(t, object)).To(Equal(s.fluxNonBlocking), w.Show())
			if s.kstatus == "" {
				s.kstatus = s.flux
			}
			is, err := status.Compute(object)
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(is.Status).To(Equal(s.kstatus), "the strict expressions say what Flux says without any")
			expectInTestdata(t, ofEndpoints, s.name, text(t, object, named(w)...))
		})
	}
}
