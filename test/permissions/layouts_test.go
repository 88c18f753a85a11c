// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

// root of the repository, from here.
const root = "../.."

// layout is what kustomize makes of a folder of config, or of a kustomization that uses one.
type layout struct {
	objects []map[string]any
	// text is all of it, for kubectl apply.
	text string
}

func build(t *testing.T, dir string) layout {
	t.Helper()
	g := NewWithT(t)
	out, err := kubectl(t.Context(), "kustomize", dir)
	g.Expect(err).NotTo(HaveOccurred(), out)
	l := layout{text: out}
	for _, document := range strings.Split(out, "\n---\n") {
		var object map[string]any
		g.Expect(yaml.Unmarshal([]byte(document), &object)).To(Succeed())
		l.objects = append(l.objects, object)
	}
	return l
}

// buildWith builds a folder of config with the component that takes list and watch on Secrets away.
func buildWith(t *testing.T, folder string) layout {
	t.Helper()
	g := NewWithT(t)
	dir := t.TempDir()
	config, err := filepath.Abs(filepath.Join(root, "config"))
	g.Expect(err).NotTo(HaveOccurred())
	config, err = filepath.Rel(dir, config) // kustomize wants relative paths
	g.Expect(err).NotTo(HaveOccurred())
	content := fmt.Sprintf("resources: [%s/%s]\ncomponents: [%s/secret-access-get]\n", config, folder, config)
	g.Expect(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(content), 0o600)).To(Succeed())
	return build(t, dir)
}

// of are the objects of a kind, with that in their names.
func (l layout) of(t *testing.T, kind, name string, into func() runtime.Object) []runtime.Object {
	t.Helper()
	var found []runtime.Object
	for _, object := range l.objects {
		metadata, _ := object["metadata"].(map[string]any)
		if is, _ := metadata["name"].(string); object["kind"] == kind && strings.HasPrefix(is, name) {
			typed := into()
			NewWithT(t).Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(object, typed)).To(Succeed())
			found = append(found, typed)
		}
	}
	return found
}

// flags are those of the Deployment's container.
func (l layout) flags() []string {
	var flags []string
	for line := range strings.Lines(l.text) {
		if flag, ok := strings.CutPrefix(strings.TrimSpace(line), "- --"); ok {
			flags = append(flags, "--"+flag)
		}
	}
	return flags
}

// rulesOf are the rules of all roles in a layout, by kind and name.
func (l layout) rulesOf(t *testing.T) map[string][]rbacv1.PolicyRule {
	t.Helper()
	rules := map[string][]rbacv1.PolicyRule{}
	for _, o := range l.of(t, "ClusterRole", "", func() runtime.Object { return &rbacv1.ClusterRole{} }) {
		role, _ := o.(*rbacv1.ClusterRole)
		rules["ClusterRole "+role.Name] = role.Rules
	}
	for _, o := range l.of(t, "Role", "", func() runtime.Object { return &rbacv1.Role{} }) {
		role, _ := o.(*rbacv1.Role)
		rules["Role "+role.Namespace+"/"+role.Name] = role.Rules
	}
	return rules
}

// secretVerbs are what a role allows with Secrets.
func secretVerbs(rules []rbacv1.PolicyRule) []string {
	for _, rule := range rules {
		if slices.Contains(rule.Resources, "secrets") {
			return rule.Verbs
		}
	}
	return nil
}

func TestNoShippedRoleHasAWildcardAndEveryLayoutBuilds(t *testing.T) {
	layouts := map[string]layout{
		"default": build(t, root+"/config/default"), "namespaced": build(t, root+"/config/namespaced"),
		"secrets-by-namespace": build(t, root+"/config/secrets-by-namespace"),
		"default, get":         buildWith(t, "default"), "namespaced, get": buildWith(t, "namespaced"),
	}
	for name, l := range layouts {
		rules := l.rulesOf(t)
		g := NewWithT(t)
		g.Expect(len(rules)).To(BeNumerically(">=", 8), name)
		for role, rules := range rules {
			g.Expect(rules).NotTo(BeEmpty(), "%s: %s", name, role)
			for _, rule := range rules {
				for _, list := range [][]string{rule.Verbs, rule.APIGroups, rule.Resources, rule.NonResourceURLs} {
					g.Expect(list).NotTo(ContainElement(ContainSubstring("*")), "%s: %s", name, role)
				}
			}
		}
	}
}

func TestTheLayoutsForSecretsByNameAllowNoMoreThanThat(t *testing.T) {
	byName := []string{"get", "create", "patch", "delete"}
	for name, is := range map[string]struct {
		layout layout
		want   map[string][]string
	}{
		"default":    {buildWith(t, "default"), map[string][]string{"ClusterRole medblocks-webhook-operator": byName}},
		"namespaced": {buildWith(t, "namespaced"), map[string][]string{"Role team-a/medblocks-webhook-operator": byName, "Role team-b/medblocks-webhook-operator": byName}},
		"secrets-by-namespace": {build(t, root+"/config/secrets-by-namespace"), map[string][]string{
			"ClusterRole medblocks-webhook-operator-secrets":                                      byName,
			"Role " + controlplane.OperatorNamespace + "/medblocks-webhook-operator-account-keys": {"get"},
		}},
	} {
		g := NewWithT(t)
		got := map[string][]string{}
		for role, rules := range is.layout.rulesOf(t) {
			if verbs := secretVerbs(rules); verbs != nil {
				got[role] = verbs
			}
		}
		g.Expect(got).To(Equal(is.want), name)
		g.Expect(is.layout.flags()).To(ContainElement("--secret-access=get"), name)
	}
}

// install has the API server hold what a layout says, and takes back what another one has bound the operator's service account to.
func (l layout) install(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	file, err := os.CreateTemp(t.TempDir(), "layout")
	g.Expect(err).NotTo(HaveOccurred())
	_, err = file.WriteString(l.text)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(file.Close()).To(Succeed())
	out, err := kubectl(t.Context(), "apply", "--server-side", "--force-conflicts", "-f", file.Name())
	g.Expect(err).NotTo(HaveOccurred(), out)
	g.Expect(out).NotTo(MatchRegexp("(?i)warning"))
}

// startByName starts the operator with the service account and the flag of a layout.
func startByName(t *testing.T, name string) *stack.Manager {
	t.Helper()
	m, err := suite.stack.StartManager(t.Context(), name, suite.emulator.URL, append(slices.Clone(quickly),
		"--secret-access=get", "--watch-label-selector="+caseLabel+"="+name, "--leader-elect=false", "--operator-namespace="+controlplane.OperatorNamespace)...)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { NewWithT(t).Expect(suite.stack.EndProcess(m.Process)).To(Succeed()) })
	return m
}

// TestAnOperatorThatMayNeitherListNorWatchSecrets registers, rotates, heals, renames and deletes.
func TestAnOperatorThatMayNeitherListNorWatchSecrets(t *testing.T) {
	buildWith(t, "default").install(t)
	n := newTenant(t, "by-name")
	m := startByName(t, n.namespace)
	n.create(hooks)
	n.untilReady(hooks)

	n.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	n.Eventually(func() string { return n.get(hooks).Status.LastHandledRotateSecretAt }).Should(Equal("now"))
	n.untilReady(hooks)

	t.Log("A Secret that is deleted is healed at a sweep.")
	value := n.value(signing)
	n.Expect(suite.api.Delete(t.Context(), n.secret(signing))).To(Succeed())
	n.Eventually(func() string { return n.value(signing) }).Should(And(Not(BeEmpty()), Not(Equal(value))))
	n.Eventually(func() bool {
		return n.has(hooks, v1alpha1.ConditionSigningSecretReady, metav1.ConditionTrue, v1alpha1.ReasonRecovered)
	}).Should(BeTrue())
	n.Expect(n.value(signing)).To(Equal(n.endpoints()[hooks].Secret))

	t.Log("One that is renamed is moved.")
	value = n.value(signing)
	for _, name := range []string{"first", "second"} {
		n.rename(hooks, name)
		n.Eventually(func() string { return n.value(name) }).Should(Equal(value))
		n.untilReady(hooks)
	}
	n.Expect(n.secret(signing)).To(BeNil())
	n.Expect(n.secret("first")).To(BeNil())

	t.Log("Of two that claim one Secret, the older one has it.")
	n.create("rival", func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "second"}
	})
	n.Eventually(func() bool {
		return n.has("rival", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonConflict)
	}).Should(BeTrue())
	n.Expect(n.value("second")).To(Equal(value))
	n.remove("rival")

	n.remove(hooks)
	n.Expect(n.secret("second")).To(BeNil())
	n.Expect(n.endpoints()).To(BeEmpty())
	n.Expect(m.Log()).NotTo(MatchRegexp("(?i)forbidden"), "nothing was tried that is not allowed")
}

// TestWithARoleBindingPerNamespace: the operator sees all resources, touches Secrets where it is allowed to, and says where it is not.
func TestWithARoleBindingPerNamespace(t *testing.T) {
	a, b := newTenantIn(t, "team-a"), newTenantIn(t, "team-b")
	elsewhere := newTenant(t, "elsewhere")
	build(t, root+"/config/secrets-by-namespace").install(t)
	ours := func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Labels[caseLabel] = elsewhere.namespace }
	startByName(t, elsewhere.namespace)
	for _, n := range []*tenant{a, b, elsewhere} {
		n.create(hooks, ours)
	}
	a.untilReady(hooks)
	b.untilReady(hooks)
	elsewhere.Eventually(func() bool {
		return elsewhere.has(hooks, v1alpha1.ConditionSynced, metav1.ConditionFalse, v1alpha1.ReasonCredentialsUnavailable)
	}).Should(BeTrue())
	elsewhere.Expect(elsewhere.conditions(hooks)).To(ContainSubstring(`in namespace "` + elsewhere.namespace + `"`))
	elsewhere.Expect(elsewhere.endpoints()).To(BeEmpty())
	elsewhere.create("watched", ours, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.ManagementPolicy = v1alpha1.ManagementObserve
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: "wh_00000000000000000000000000", RotateSecret: true}
	})
	elsewhere.Eventually(func() bool {
		return elsewhere.has("watched", v1alpha1.ConditionSynced, metav1.ConditionFalse, v1alpha1.ReasonCredentialsUnavailable)
	}).Should(BeTrue())
	elsewhere.remove("watched")

	t.Log("The key of a MedblocksAccount is in the operator's namespace.")
	a.storeForNow(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: controlplane.OperatorNamespace, Name: "shared"},
		StringData: map[string]string{v1alpha1.DefaultAPIKeySecretKey: a.key},
	})
	a.storeForNow(&v1alpha1.MedblocksAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "shared", Labels: map[string]string{caseLabel: elsewhere.namespace}},
		Spec:       v1alpha1.MedblocksAccountSpec{APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "shared"}},
	})
	a.create("sharing", ours, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.APIKeySecretRef = v1alpha1.APIKeySecretReference{}
		res.Spec.AccountRef = &v1alpha1.AccountReference{Name: "shared"}
	})
	a.untilReady("sharing")

	t.Log("Bound there too, it goes on by itself.")
	elsewhere.store(&rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: elsewhere.namespace, Name: "medblocks-webhook-operator-secrets"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "medblocks-webhook-operator-secrets"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: controlplane.OperatorNamespace, Name: controlplane.OperatorServiceAccount}},
	})
	elsewhere.annotate(hooks, v1alpha1.AnnotationReconcileRequestedAt, "now") // sooner than in a minute
	elsewhere.untilReady(hooks)

	t.Log("Each one can be deleted.")
	for _, n := range []*tenant{b, a} {
		n.remove(hooks)
		n.Expect(n.secret(signing)).To(BeNil())
	}
	a.remove("sharing")
	a.Expect(a.endpoints()).To(BeEmpty())

	t.Log("So can those that are not bound any more: one by its annotation, the other with its namespace.")
	elsewhere.create("another", ours)
	elsewhere.untilReady("another")
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: elsewhere.namespace, Name: "medblocks-webhook-operator-secrets"}}
	elsewhere.Expect(suite.api.Delete(t.Context(), binding)).To(Succeed())
	elsewhere.annotate("another", v1alpha1.AnnotationReconcileRequestedAt, "now")
	elsewhere.Eventually(func() bool {
		return elsewhere.has("another", v1alpha1.ConditionSynced, metav1.ConditionFalse, v1alpha1.ReasonCredentialsUnavailable)
	}).Should(BeTrue())
	elsewhere.annotate("another", v1alpha1.AnnotationRelease, "true")
	elsewhere.remove("another")
	elsewhere.Expect(suite.api.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: elsewhere.namespace}})).To(Succeed())
	elsewhere.Eventually(func() any { return elsewhere.get(hooks) }).Should(BeNil())
	elsewhere.Expect(elsewhere.endpoints()).NotTo(HaveKey(hooks), "the key was still in memory")
}
