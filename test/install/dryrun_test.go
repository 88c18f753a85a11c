// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ensureNamespaces makes the namespaces that manifests name.
func ensureNamespaces(t *testing.T, manifests string) {
	t.Helper()
	for _, object := range parse(t, manifests) {
		if name := object.GetNamespace(); name != "" {
			err := shared.api.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
			NewWithT(t).Expect(client.IgnoreAlreadyExists(err)).To(Succeed())
		}
	}
}

func TestTheAPIServerTakesEveryRenderingWithoutAWarning(t *testing.T) {
	manifests := map[string]string{}
	for name, path := range valueSets(t) {
		manifests[name] = render(t, path)
	}
	for _, dir := range []string{root + "/config/default", root + "/config/namespaced", "testdata/components"} {
		built, err := shared.kubectl(t.Context(), nil, "kustomize", dir)
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), built)
		manifests[dir] = built
	}
	for name, rendered := range manifests {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			ensureNamespaces(t, rendered)
			out, err := shared.kubectl(t.Context(), strings.NewReader(rendered), "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-")
			g.Expect(err).NotTo(HaveOccurred(), out)
			g.Expect(out).NotTo(MatchRegexp("(?i)warning"))
			g.Expect(strings.Count(out, "serverside-applied (server dry run)")).To(Equal(len(parse(t, rendered))))
		})
	}
}

// TestThePodsAreAdmittedWhereOnlyRestrictedOnesAre: a Deployment would only be warned about, so that its Pod is created.
func TestThePodsAreAdmittedWhereOnlyRestrictedOnesAre(t *testing.T) {
	for name, path := range valueSets(t) {
		t.Run(name, func(t *testing.T) {
			deployments := all[appsv1.Deployment](t, parse(t, render(t, path)), "Deployment")
			NewWithT(t).Expect(deployments).NotTo(BeEmpty())
			for _, deployment := range deployments {
				expectRestricted(t, deployment.Spec.Template)
			}
		})
	}
}

func expectRestricted(t *testing.T, template corev1.PodTemplateSpec) {
	t.Helper()
	g, ctx := NewWithT(t), t.Context()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: template.Spec.ServiceAccountName}}
	g.Expect(client.IgnoreAlreadyExists(shared.api.Create(ctx, account))).To(Succeed())
	home := &corev1.Namespace{}
	g.Expect(shared.api.Get(ctx, client.ObjectKey{Name: namespace}, home)).To(Succeed())
	g.Expect(home.Labels).To(HaveKeyWithValue("pod-security.kubernetes.io/enforce", "restricted"), "as config/manager ships it")

	pod := func() *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "pod-", Labels: template.Labels}, Spec: *template.Spec.DeepCopy()}
	}
	admitted := pod()
	g.Expect(shared.api.Create(ctx, admitted)).To(Succeed())
	g.Expect(shared.api.Delete(ctx, admitted, client.GracePeriodSeconds(0))).To(Succeed())
	if class := template.Spec.PriorityClassName; class == release {
		g.Expect(admitted.Spec.Priority).To(HaveValue(Equal(int32(1000000))))
		g.Expect(admitted.Spec.PreemptionPolicy).To(HaveValue(Equal(corev1.PreemptNever)))
	}

	privileged := pod()
	privileged.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = ptr.To(true)
	g.Expect(shared.api.Create(ctx, privileged)).To(And(
		MatchError(apierrors.IsForbidden, "is forbidden"), MatchError(ContainSubstring("violates PodSecurity")),
	), "the namespace does enforce it")
}
