// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package shards

import (
	"os"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

func TestTheRoleForOneNamespaceAllowsWhatTheClusterRoleAllows(t *testing.T) {
	g := NewWithT(t)
	var wide rbacv1.ClusterRole
	var narrow rbacv1.Role
	for path, into := range map[string]any{"../../config/rbac/role.yaml": &wide, "../../config/namespaced/role/role.yaml": &narrow} {
		content, err := os.ReadFile(path)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(yaml.UnmarshalStrict(content, into)).To(Succeed())
	}
	g.Expect(narrow.Rules).NotTo(BeEmpty())
	g.Expect(narrow.Rules).To(Equal(withoutAccounts(wide.Rules)))
}

// withoutAccounts leaves out what is there for MedblocksAccounts, which an operator with --watch-namespaces does without: them, and
// watching namespaces for their labels.
func withoutAccounts(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
	rules = slices.DeleteFunc(rules, func(rule rbacv1.PolicyRule) bool {
		return slices.ContainsFunc(rule.Resources, func(r string) bool { return strings.HasPrefix(r, "medblocksaccounts") })
	})
	for i := range rules {
		if slices.Contains(rules[i].Resources, "namespaces") {
			rules[i].Verbs = []string{"get"}
		}
	}
	return rules
}

// installNamespaced puts config/namespaced in the place of what the control plane was set up with, and returns the flags in it.
func (s *site) installNamespaced() (flags []string) {
	s.t.Helper()
	name := metav1.ObjectMeta{Name: "medblocks-webhook-operator"}
	s.Expect(s.api.Delete(s.t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: name})).To(Succeed())
	s.Expect(s.api.Delete(s.t.Context(), &rbacv1.ClusterRole{ObjectMeta: name})).To(Succeed())
	s.kubectl("apply", "--server-side", "--force-conflicts", "-k", "../../config/namespaced")
	for _, role := range []client.Object{&rbacv1.ClusterRoleBinding{ObjectMeta: name}, &rbacv1.ClusterRole{ObjectMeta: name}} {
		s.Expect(s.api.Get(s.t.Context(), client.ObjectKeyFromObject(role), role)).To(MatchError(apierrors.IsNotFound, "is not found"))
	}
	var deployment appsv1.Deployment
	s.Expect(s.api.Get(s.t.Context(), client.ObjectKey{Namespace: controlplane.OperatorNamespace, Name: "medblocks-webhook-operator"}, &deployment)).To(Succeed())
	for _, flag := range deployment.Spec.Template.Spec.Containers[0].Args {
		for _, ours := range []string{"--watch-namespaces=", "--cluster-id=", "--leader-election-id="} {
			if strings.HasPrefix(flag, ours) {
				flags = append(flags, flag)
			}
		}
	}
	s.Expect(flags).To(HaveLen(3))
	return flags
}

func TestWithRolesInSomeNamespacesTheOperatorWorksThereAndTouchesNothingElse(t *testing.T) {
	s := newSite(t, controlplane.Options{})
	for _, namespace := range []string{"team-a", "team-b", "elsewhere"} {
		s.namespace(namespace)
	}
	flags := s.installNamespaced()
	elsewhere := s.create("elsewhere", "untouched", nil)
	m := s.start("namespaced", flags...)
	for _, namespace := range []string{"team-a", "team-b"} {
		s.create(namespace, "hooks", nil)
		res := s.untilReady(namespace, "hooks")
		s.Expect(s.owned(namespace, "hooks")).To(HaveExactElements(HaveField("Metadata", HaveKeyWithValue(v1alpha1.MarkOwner, "my-cluster/"+namespace+"/hooks"))))
		s.Expect(res.Status.EndpointID).NotTo(BeEmpty())
	}

	t.Log("A changed spec is sent, and a lost Secret is healed.")
	s.change("team-a", "hooks", func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
	s.untilReady("team-a", "hooks")
	value := s.secret("team-a", "hooks").Data[v1alpha1.SecretKeyValue]
	s.Expect(s.api.Delete(s.t.Context(), s.secret("team-a", "hooks"))).To(Succeed())
	s.Eventually(func(g Gomega) {
		var secret corev1.Secret
		g.Expect(s.api.Get(s.t.Context(), client.ObjectKey{Namespace: "team-a", Name: "hooks-signing-secret"}, &secret)).To(Succeed())
		g.Expect(secret.Data[v1alpha1.SecretKeyValue]).NotTo(Equal(value))
	}).Should(Succeed())
	s.untilReady("team-a", "hooks")

	t.Log("A deletion ends.")
	s.delete("team-a", "hooks")
	s.Expect(s.owned("team-a", "hooks")).To(BeEmpty())
	s.settle(m)
	s.Expect(s.get("elsewhere", "untouched").ResourceVersion).To(Equal(elsewhere.ResourceVersion))
	s.Expect(s.owned("elsewhere", "untouched")).To(BeEmpty())
	s.Expect(m.Log()).NotTo(MatchRegexp("(?i)forbidden"), "nothing was tried that is not allowed")
}

// TestANamespaceThatTakesThePermissionsWithItIsFinishedWithTheRemedyInTheDocs: a namespace is emptied in no order, and its RoleBinding may
// go before its resources. docs/sharding.md says how to avoid that, and this way out.
func TestANamespaceThatTakesThePermissionsWithItIsFinishedWithTheRemedyInTheDocs(t *testing.T) {
	s := newSite(t, controlplane.Options{ControllerManager: true})
	for _, namespace := range []string{"team-a", "team-b"} {
		s.namespace(namespace)
	}
	m := s.start("namespaced", s.installNamespaced()...)
	s.create("team-a", "hooks", nil)
	s.create("team-b", "hooks", nil)
	s.untilReady("team-a", "hooks")
	s.untilReady("team-b", "hooks")
	s.kubectl("delete", "rolebinding", "-n", "team-b", "medblocks-webhook-operator")
	s.kubectl("delete", "namespace", "team-b", "--wait=false")
	s.Eventually(m.Log).Should(MatchRegexp(`Reconciler error.*team-b.*is forbidden`))
	s.Expect(s.owned("team-b", "hooks")).To(HaveLen(1), "nothing is done without permission")

	t.Log("The other namespaces do not suffer.")
	s.change("team-a", "hooks", func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
	s.untilReady("team-a", "hooks")

	s.kubectl("apply", "--server-side", "-f", "../../config/rbac/role.yaml", "-f", "../../config/rbac/role_binding.yaml")
	s.kubectl("wait", "--for=delete", "namespace/team-b", "--timeout="+patience.String())
	s.Expect(s.owned("team-b", "hooks")).To(BeEmpty())
	s.kubectl("delete", "-f", "../../config/rbac/role.yaml", "-f", "../../config/rbac/role_binding.yaml")
}
