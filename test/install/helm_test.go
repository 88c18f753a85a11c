// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestAReleaseIsInstalledUpgradedAndUninstalledAndTheResourcesStay: on a cluster that has never heard of us.
func TestAReleaseIsInstalledUpgradedAndUninstalledAndTheResourcesStay(t *testing.T) {
	g := NewWithT(t)
	p := startEmpty(t, "testdata/none")
	run := func(args ...string) string {
		out, err := helm(t, p.AdminKubeconfig(), append(args, "--namespace", "hooks")...)
		g.Expect(err).NotTo(HaveOccurred())
		return out
	}
	name := client.ObjectKey{Namespace: "hooks", Name: "hooks-medblocks-webhook-operator"}
	deployment := &appsv1.Deployment{}

	notes := run("install", "hooks", chart, "--create-namespace", "--set", "secretAccess=get")
	g.Expect(notes).To(ContainSubstring("app.kubernetes.io/instance=hooks"))
	g.Expect(p.api.Get(t.Context(), name, deployment)).To(Succeed())
	out, err := p.kubectl(t.Context(), nil, "wait", "--for=condition=Established", "--timeout="+patience.String(), "crd", "--all")
	g.Expect(err).NotTo(HaveOccurred(), out)
	p.store(t, "team")

	t.Log("An upgrade changes what there is, and the resources not at all.")
	run("upgrade", "hooks", chart, "--set", "replicas=3,readOnly=true,pollInterval=1h")
	g.Expect(p.api.Get(t.Context(), name, deployment)).To(Succeed())
	g.Expect(deployment.Spec.Replicas).To(HaveValue(Equal(int32(3))))
	g.Expect(deployment.Spec.Template.Spec.Containers[0].Args).To(ContainElements("--read-only", "--poll-interval=1h"))
	p.expectEverything(t)

	t.Log("From one operator to shards and back.")
	run("upgrade", "hooks", chart, "--values", "testdata/values/shards.yaml", "--set", "shards[2].watchNamespaces[0]=team")
	g.Expect(p.api.Get(t.Context(), name, deployment)).To(MatchError(apierrors.IsNotFound, "is not found"))
	run("rollback", "hooks", "1")
	g.Expect(p.api.Get(t.Context(), name, deployment)).To(Succeed())
	p.expectEverything(t)

	t.Log("Uninstalled, it leaves the definitions and all resources, and takes everything else with it.")
	run("uninstall", "hooks")
	g.Expect(p.api.Get(t.Context(), name, deployment)).To(MatchError(apierrors.IsNotFound, "is not found"))
	g.Expect(p.api.Get(t.Context(), client.ObjectKey{Name: name.Name}, &rbacv1.ClusterRole{})).To(MatchError(apierrors.IsNotFound, "is not found"))
	p.expectEverything(t)

	t.Log("Installed again, it finds them.")
	run("install", "hooks", chart)
	p.expectEverything(t)
}

// expectEverything looks for the resources of the first release.
func (p *plane) expectEverything(t *testing.T) {
	t.Helper()
	for _, old := range oldResources(t) {
		current := &unstructured.Unstructured{}
		current.SetGroupVersionKind(old.GroupVersionKind())
		at := client.ObjectKey{Name: old.GetName()}
		if old.GetKind() == "MedblocksWebhookEndpoint" {
			at.Namespace = "team"
		}
		NewWithT(t).Expect(p.api.Get(t.Context(), at, current)).To(Succeed())
		NewWithT(t).Expect(current.GetDeletionTimestamp()).To(BeNil())
		NewWithT(t).Expect(current.Object["spec"]).To(Equal(old.Object["spec"]))
	}
}
