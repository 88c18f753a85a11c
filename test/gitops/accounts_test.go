// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/lab"
	"github.com/medblocks/webhook-operator/test/stack"
)

// worked is the label of the accounts that the operator of accounts is to work on. It runs in real time, as a process: those of the worlds
// watch one namespace each, and an account has none.
const worked = "gitops.example.com/worked"

// startAccounts starts that operator.
func startAccounts(t *testing.T) client.Client {
	t.Helper()
	g := NewWithT(t)
	built, err := stack.FindPrograms(filepath.Join("..", "..", "bin"))
	g.Expect(err).NotTo(HaveOccurred())
	programs, err := stack.New(lab.ControlPlane(), built)
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(programs.Stop()).To(Succeed()) })
	vendor, err := programs.StartEmulator(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	_, err = programs.StartManager(t.Context(), "accounts", vendor.URL, "--leader-elect=false", "--watch-label-selector="+worked+"=true",
		"--operator-namespace="+controlplane.OperatorNamespace, "--poll-interval=1s", "--disabled-poll-interval=1s")
	g.Expect(err).NotTo(HaveOccurred())
	api, err := client.New(lab.ControlPlane().Admin, client.Options{Scheme: controllers.Scheme()})
	g.Expect(err).NotTo(HaveOccurred())
	return api
}

// accountManifest is the sample under another name, whose Secret holds that key; empty: there is none.
func accountManifest(t *testing.T, api client.Client, name, apiKey string) *unstructured.Unstructured {
	t.Helper()
	g := NewWithT(t)
	manifest := sample(t, "account.yaml")
	manifest.SetName(name)
	manifest.SetLabels(map[string]string{worked: "true"})
	g.Expect(unstructured.SetNestedField(manifest.Object, name, "spec", "apiKeySecretRef", "name")).To(Succeed())
	if apiKey != "" {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: controlplane.OperatorNamespace, Name: name},
			StringData: map[string]string{v1alpha1.DefaultAPIKeySecretKey: apiKey},
		}
		g.Expect(api.Create(t.Context(), secret)).To(Succeed())
		t.Cleanup(func() { g.Expect(api.Delete(context.Background(), secret)).To(Succeed()) })
	}
	return manifest
}

// TestEverySituationOfAnAccountIsReadRight, and whatever is in Git stays apart from what the operator writes.
func TestEverySituationOfAnAccountIsReadRight(t *testing.T) {
	api := startAccounts(t)
	check := readScript(t, filepath.Join(argocd, ofAccounts, "health.lua"))
	for _, c := range []struct {
		name, apiKey string
		ignored      bool // by the operator
		reason       string
		argo         string
		flux         status.Status
	}{
		{name: "healthy_accepted", apiKey: "mb_sk_sbx_accounts" + rand.Text(), reason: v1alpha1.ReasonAccepted, argo: healthy, flux: status.CurrentStatus},
		{name: "progressing_new", ignored: true, argo: progressing, flux: status.InProgressStatus},
		{name: "progressing_key_missing", reason: v1alpha1.ReasonCredentialsUnavailable, argo: progressing, flux: status.InProgressStatus},
		{name: "degraded_environment", apiKey: "mb_sk_live_accounts" + rand.Text(), reason: v1alpha1.ReasonWrongEnvironment, argo: degraded, flux: status.FailedStatus},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			name := "gitops-" + strings.ReplaceAll(c.name, "_", "-")
			manifest := accountManifest(t, api, name, c.apiKey)
			if c.ignored {
				manifest.SetLabels(nil)
			}
			g.Expect(api.Create(t.Context(), manifest)).To(Succeed())
			t.Cleanup(func() { g.Expect(client.IgnoreNotFound(api.Delete(context.Background(), manifest))).To(Succeed()) })
			var object *unstructured.Unstructured
			g.Eventually(func(g Gomega) {
				object = live(t, api, v1alpha1.AccountKind, client.ObjectKey{Name: name})
				g.Expect(reasonOf(object, v1alpha1.ConditionReady)).To(Equal(c.reason), "%v", object.Object["status"])
			}).WithTimeout(patience).Should(Succeed())
			is, err := check.of(object)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(is.Status).To(Equal(c.argo), is.Message)
			flux, err := status.Compute(object)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(flux.Status).To(Equal(c.flux))
			object.SetLabels(nil) // the test's own
			expectInTestdata(t, ofAccounts, c.name, text(t, object, name, "sandbox"))
		})
	}
	testAppliedAccounts(t, api)
}

func testAppliedAccounts(t *testing.T, api client.Client) {
	t.Helper()
	for _, by := range tools() {
		t.Run("applied by "+by.name, func(t *testing.T) {
			g := NewWithT(t)
			name := "gitops-" + by.name
			manifest := accountManifest(t, api, name, "mb_sk_sbx_accounts"+rand.Text())
			t.Cleanup(func() { g.Expect(client.IgnoreNotFound(api.Delete(context.Background(), manifest))).To(Succeed()) })
			key := client.ObjectKey{Name: name}
			settled := func() {
				g.Eventually(func(g Gomega) {
					object := live(t, api, v1alpha1.AccountKind, key)
					g.Expect(reasonOf(object, v1alpha1.ConditionReady)).To(Equal(v1alpha1.ReasonAccepted))
					seen, _, err := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
					g.Expect(err).NotTo(HaveOccurred())
					g.Expect(seen).To(Equal(object.GetGeneration()))
				}).WithTimeout(patience).Should(Succeed())
				by.expectNoDiff(t, "default", manifest)
				g.Eventually(func(g Gomega) { // the operator may count something between two looks
					before := live(t, api, v1alpha1.AccountKind, key)
					by.apply(t, "default", manifest)
					g.Expect(live(t, api, v1alpha1.AccountKind, key).GetResourceVersion()).To(Equal(before.GetResourceVersion()))
				}).WithTimeout(patience).WithPolling(100 * time.Millisecond).Should(Succeed())
			}
			by.apply(t, "default", manifest)
			settled()
			unstructured.RemoveNestedField(manifest.Object, "spec", "maxEndpointsPerNamespace")
			unstructured.RemoveNestedField(manifest.Object, "spec", "orphans")
			by.apply(t, "default", manifest)
			spec, _, err := unstructured.NestedMap(live(t, api, v1alpha1.AccountKind, key).Object, "spec")
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(spec).NotTo(Or(HaveKey("maxEndpointsPerNamespace"), HaveKey("orphans")))
			settled()
		})
	}
}

// reasonOf is the reason of a condition; empty without one.
func reasonOf(object *unstructured.Unstructured, kind string) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range conditions {
		if condition, ok := one.(map[string]any); ok && condition["type"] == kind {
			reason, _ := condition["reason"].(string)
			return reason
		}
	}
	return ""
}
