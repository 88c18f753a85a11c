// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/test/controlplane"
)

// name is that of the operator's ClusterRole; the other roles have it as a prefix.
const name = "medblocks-webhook-operator"

// roles are what the operator's service account is bound to.
type roles struct {
	wide, metrics rbacv1.ClusterRole
	leader        rbacv1.Role
}

func shippedRoles(t *testing.T) (r roles) {
	t.Helper()
	g := NewWithT(t)
	for file, into := range map[string]any{"role.yaml": &r.wide, "metrics_auth_role.yaml": &r.metrics, "leader_election_role.yaml": &r.leader} {
		content, err := os.ReadFile(filepath.Join(root, "config", "rbac", file))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(yaml.UnmarshalStrict(content, into)).To(Succeed())
	}
	return r
}

// rules are those of all the roles.
func (r *roles) rules() []*rbacv1.PolicyRule {
	var all []*rbacv1.PolicyRule
	for _, rules := range [][]rbacv1.PolicyRule{r.wide.Rules, r.metrics.Rules, r.leader.Rules} {
		for i := range rules {
			all = append(all, &rules[i])
		}
	}
	return all
}

// verb is one verb of one rule.
type verb struct{ verb, resource, group string }

// verbs are all that the roles have. Rules of ours name one resource each.
func (r *roles) verbs() []verb {
	var all []verb
	for _, rule := range r.rules() {
		for _, v := range rule.Verbs {
			all = append(all, verb{v, rule.Resources[0], rule.APIGroups[0]})
		}
	}
	return all
}

func (v verb) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", v.verb, v.resource, v.group))
}

// denied is how an operator that lacks the verb says so.
func (v verb) denied() *regexp.Regexp {
	return regexp.MustCompile(fmt.Sprintf(`cannot %s resource \\*"%s\\*" in API group \\*"%s\\*"`, v.verb, v.resource, v.group))
}

// without takes one verb away.
func (r *roles) without(v verb) {
	for _, rule := range r.rules() {
		if rule.Resources[0] == v.resource && rule.APIGroups[0] == v.group {
			rule.Verbs = slices.DeleteFunc(rule.Verbs, func(is string) bool { return is == v.verb })
		}
	}
}

// bind makes a service account with these roles, under a name of its own, and a Lease of that name.
func (r *roles) bind(t *testing.T, account string) {
	t.Helper()
	g := NewWithT(t)
	for _, rule := range r.leader.Rules {
		if len(rule.ResourceNames) > 0 {
			rule.ResourceNames[0] = account
		}
	}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: controlplane.OperatorNamespace, Name: account}}
	ref := func(kind, name string) rbacv1.RoleRef {
		return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
	}
	in := metav1.ObjectMeta{Namespace: controlplane.OperatorNamespace, Name: account}
	wide, metrics := metav1.ObjectMeta{Name: account}, metav1.ObjectMeta{Name: account + "-metrics"}
	some := func(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
		return slices.DeleteFunc(rules, func(rule rbacv1.PolicyRule) bool { return len(rule.Verbs) == 0 })
	}
	for _, object := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: in},
		&rbacv1.ClusterRole{ObjectMeta: wide, Rules: some(r.wide.Rules)},
		&rbacv1.ClusterRole{ObjectMeta: metrics, Rules: some(r.metrics.Rules)},
		&rbacv1.Role{ObjectMeta: in, Rules: some(r.leader.Rules)},
		&rbacv1.ClusterRoleBinding{ObjectMeta: wide, RoleRef: ref("ClusterRole", account), Subjects: subjects},
		&rbacv1.ClusterRoleBinding{ObjectMeta: metrics, RoleRef: ref("ClusterRole", metrics.Name), Subjects: subjects},
		&rbacv1.RoleBinding{ObjectMeta: in, RoleRef: ref("Role", account), Subjects: subjects},
	} {
		g.Expect(suite.api.Create(t.Context(), object)).To(Succeed())
	}
}

// kubeconfigOf is a file with a token of a service account.
func kubeconfigOf(t *testing.T, account string) string {
	t.Helper()
	g := NewWithT(t)
	config, err := suite.plane.ServiceAccountConfig(t.Context(), controlplane.OperatorNamespace, account)
	g.Expect(err).NotTo(HaveOccurred())
	path := filepath.Join(suite.stack.Dir, account+".kubeconfig")
	g.Expect(controlplane.WriteKubeconfig(path, config)).To(Succeed())
	return path
}

// quickly are flags with which an operator notices things soon.
var quickly = []string{"--disabled-poll-interval=300ms", "--poll-interval=1s", "--api-qps=200", "--api-burst=400"}

// TestTheOperatorNeedsEveryVerbOfItsRoles takes each verb away in turn, and sees that something is denied which an operator with all of them
// does. (So no rule is unneeded either.)
func TestTheOperatorNeedsEveryVerbOfItsRoles(t *testing.T) {
	token := prometheus(t)
	all := shippedRoles(t)
	complete := newTenant(t, "case")
	all.bind(t, complete.namespace)
	life{tenant: complete, token: token}.begin().undisturbed()
	for _, v := range all.verbs() {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			n, some := newTenant(t, "case"), shippedRoles(t)
			some.without(v)
			some.bind(t, n.namespace)
			l := life{tenant: n}
			if strings.HasPrefix(v.group, "auth") { // the API server is asked who reads the metrics
				l.token = token
			}
			l.begin().untilDenied(v)
		})
	}
}

// prometheus makes a service account that may read metrics, and returns its token.
func prometheus(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	n := newTenant(t, "monitoring")
	n.store(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: "prometheus"}})
	n.store(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: n.namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name + "-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: n.namespace, Name: "prometheus"}},
	})
	config, err := suite.plane.ServiceAccountConfig(t.Context(), n.namespace, "prometheus")
	g.Expect(err).NotTo(HaveOccurred())
	return config.BearerToken
}
