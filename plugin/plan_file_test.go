// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestAPlanIsWrittenForPeople(t *testing.T) {
	t.Parallel()
	g, n := NewWithT(t), newTenant(t)
	n.create(t, "labs")
	n.awaitReady(t, "labs")
	id := n.get(t, "labs").Status.EndpointID
	is := n.invoke(t, "plan", "labs")
	g.Expect(is.code).To(Equal(ExitOK))
	g.Expect(is.out).To(HavePrefix(n.namespace + "/labs (" + id + ")\n  nothing to do\n"))

	manifest := n.manifest("labs", "https://elsewhere.example.com/labs")
	is = n.invokeIn(t, manifest, "plan", "-f", "-")
	g.Expect(is.code).To(Equal(ExitUnhealthy), is.err)
	g.Expect(is.out).To(ContainSubstring("  ~ update endpoint " + id + " (Spec)\n      url: https://receiver.example.com/labs → https://elsewhere.example.com/labs\n"))

	is = n.invokeIn(t, n.manifest("other", "https://elsewhere.example.com/other"), "plan", "-f", "-")
	g.Expect(is.code).To(Equal(ExitUnhealthy), is.err)
	g.Expect(plain(is.out)).To(And(
		ContainSubstring("? find out by a dry run whether Secret other-signing-secret can be written"),
		ContainSubstring("+ register an endpoint (Spec) url: (none) → https://elsewhere.example.com/other events: (none) → *"),
		Not(ContainSubstring(v1alpha1.MarkPrefix)),
	))
	is = n.invoke(t, "plan", "labs", "other")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring(`there is no MedblocksWebhookEndpoint "other"`))
}

// manifest is one in YAML.
func (n *tenant) manifest(name, url string) string {
	return `apiVersion: connect.medblocks.com/v1alpha1
kind: MedblocksWebhookEndpoint
metadata:
  name: ` + name + `
spec:
  url: ` + url + `
  events: ["*"]
  apiKeySecretRef:
    name: ` + keySecretName + "\n"
}

// invokeIn runs the plugin in the tenant's namespace with something on standard input.
func (n *tenant) invokeIn(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	return invokeWith(t, suite.plane.AdminKubeconfig(), stdin, append(args, "--namespace="+n.namespace)...)
}

func TestAManifestIsTriedOutAndNotApplied(t *testing.T) {
	t.Parallel()
	g, n := NewWithT(t), newTenant(t)
	n.create(t, "labs", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.Description = "by hand"
		e.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: `{"spec":{"description":"by hand"}}`}
	})
	n.awaitReady(t, "labs")
	before := n.get(t, "labs")
	manifest := n.manifest("labs", "https://receiver.example.com/labs") + "---\n" + n.manifest("new", "https://receiver.example.com/new") +
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: beside\n"
	is := n.plan(t, manifest, "-f=-")
	g.Expect(is.code).To(Equal(ExitUnhealthy), is.err)
	g.Expect(is.plans).To(HaveLen(2))
	g.Expect(changesOf(is.plans[0])).To(Equal([]string{"description: by hand → "}), "what kubectl apply would take out")
	g.Expect(actions(is.plans[1])).To(Equal([]string{"WriteIntent", "RegisterEndpoint", "PublishSecret"}))
	g.Expect(is.writes).To(HaveLen(2))
	g.Expect(is.writes).To(HaveEach(ContainSubstring("dryRun=All")))
	g.Expect(n.get(t, "labs").ResourceVersion).To(Equal(before.ResourceVersion))
	g.Expect(apierrors.IsNotFound(suite.api.Get(t.Context(), n.key("new"), &v1alpha1.MedblocksWebhookEndpoint{}))).To(BeTrue())

	is = n.plan(t, n.manifest("labs", "ftp://receiver.example.com"), "-f=-")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring("spec.url"), "what the API server refuses")
	for _, args := range [][]string{{"-f=-", "labs"}, {"-A", "labs"}, {"-A", "-f=-"}} {
		g.Expect(n.plan(t, manifest, args...).code).To(Equal(ExitUsage), "%v", args)
	}
	g.Expect(n.plan(t, "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: beside\n", "-f=-").code).To(Equal(ExitUsage))
}

func TestAPlanIsRefusedWhereTheUserMayNotReadWhatTheOperatorReads(t *testing.T) {
	t.Parallel()
	g, n := NewWithT(t), newTenant(t)
	n.create(t, "labs")
	n.awaitReady(t, "labs")
	viewer := n.user(t, "viewer", "view")
	g.Eventually(func() string {
		return invokeWith(t, viewer, "", "plan", "labs", "--namespace="+n.namespace, "--cluster-id=any").err
	}).WithTimeout(patience).WithPolling(often).Should(And(ContainSubstring("cannot be told"), ContainSubstring("secrets")))

	editor := n.user(t, "editor", "edit")
	var clusterID string
	g.Eventually(func(g Gomega) {
		var system corev1.Namespace
		g.Expect(suite.api.Get(t.Context(), client.ObjectKey{Name: metav1.NamespaceSystem}, &system)).To(Succeed())
		clusterID = string(system.UID)
		is := invokeWith(t, editor, "", "plan", "labs", "--namespace="+n.namespace, "--cluster-id="+clusterID)
		g.Expect(is.code).To(Equal(ExitOK), is.err)
		g.Expect(is.out).To(ContainSubstring("nothing to do"))
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
}
