// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
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
			life{tenant: n, token: token}.begin().untilDenied(v)
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

// life is everything that an operator has to do in the life of some resources.
type life struct {
	*tenant

	token   string // of somebody who may read the metrics
	manager *stack.Manager
}

// begin starts the operator on what it finds: a resource, one whose receiver fails, and two orphans.
func (l life) begin() *life {
	l.t.Helper()
	l.create(hooks)
	l.create("failing", func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
			Mode:    v1alpha1.ReenableWhenHealthy,
			Backoff: &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: time.Second}},
			Probe:   &v1alpha1.ReceiverProbe{ServiceRef: &v1alpha1.ProbeServiceReference{Name: "receiver", Port: 80}},
		}
	})
	l.register("gone/team/orphan-1")
	l.register("gone/team/orphan-2")
	var err error
	l.manager, err = suite.stack.LaunchManager(l.t.Context(), l.namespace, suite.emulator.URL, append(slices.Clone(quickly),
		"--kubeconfig="+kubeconfigOf(l.t, l.namespace), "--leader-election-id="+l.namespace, "--watch-label-selector="+caseLabel+"="+l.namespace,
		"--operator-namespace="+l.namespace, "--metrics-secure")...)
	l.Expect(err).NotTo(HaveOccurred())
	l.t.Cleanup(func() { l.Expect(suite.stack.KillProcess(l.manager.Process)).To(Succeed()) })
	return &l
}

// step is something that happens, and what comes of it.
type step struct {
	name    string
	happens func()
	outcome func() bool
}

func (l *life) steps() []step {
	nothing := func() {}
	return []step{
		{"registered", nothing, func() bool { return l.ready(hooks) && l.ready("failing") }},
		{"scraped", nothing, func() bool { return l.scrape() == http.StatusOK }},
		{"rotated", func() { l.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now") }, func() bool {
			return l.get(hooks).Status.LastHandledRotateSecretAt == "now"
		}},
		{"disabled", func() { l.fire() }, func() bool {
			return l.has("failing", v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled) && l.probed()
		}},
		{"orphaned", l.createAccount, func() bool { return len(l.account().Status.Orphans) == 2 }},
		{"cleaned up", l.age, func() bool { return len(l.endpoints()) == 2 && l.repeated() }},
		{"deleted", func() { l.Expect(suite.api.Delete(l.t.Context(), l.get(hooks))).To(Succeed()) }, func() bool {
			return l.get(hooks) == nil && l.secret(signing) == nil
		}},
	}
}

// undisturbed goes through all of it, and nothing is denied.
func (l *life) undisturbed() {
	l.t.Helper()
	for _, s := range l.steps() {
		s.happens()
		l.Eventually(s.outcome).Should(BeTrue(), "%s\n%s", s.name, lastLines(l.manager))
	}
	l.Expect(l.manager.Log()).NotTo(MatchRegexp("(?i)forbidden"))
}

// untilDenied goes through it until what the operator may not do is denied.
func (l *life) untilDenied(v verb) {
	l.t.Helper()
	denied := func() bool {
		said := l.manager.Log() + l.conditions(hooks) + l.conditions("failing")
		return v.denied().MatchString(said) || (v == verb{"get", "secrets", ""} && strings.Contains(said, "let its service account get"))
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	for _, s := range l.steps() {
		s.happens()
		err := wait.PollUntilContextCancel(ctx, often, true, func(context.Context) (bool, error) { return denied() || s.outcome(), nil })
		if denied() {
			return
		}
		l.Expect(err).NotTo(HaveOccurred(), "%s, and nothing was denied\n%s", s.name, lastLines(l.manager))
	}
	l.Eventually(denied).WithTimeout(2*time.Second).Should(BeTrue(), "nothing needs it")
}

func lastLines(m *stack.Manager) string { return m.Tail(15) }

// scrape is the status of a request for metrics; 0: there was no answer.
func (l *life) scrape() int {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // nobody signs the certificate
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodGet, l.manager.MetricsURL+"/metrics", http.NoBody)
	l.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+l.token)
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func (l *life) createAccount() {
	l.t.Helper()
	l.store(&v1alpha1.MedblocksAccount{
		ObjectMeta: metav1.ObjectMeta{Name: l.namespace, Labels: map[string]string{caseLabel: l.namespace}},
		Spec: v1alpha1.MedblocksAccountSpec{
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: keySecret},
			Orphans:         &v1alpha1.OrphanPolicy{Policy: v1alpha1.OrphansDelete, OwnerPrefix: "gone/"},
		},
	})
}

func (l *life) account() *v1alpha1.MedblocksAccount {
	l.t.Helper()
	var account v1alpha1.MedblocksAccount
	l.Expect(suite.api.Get(l.t.Context(), client.ObjectKey{Name: l.namespace}, &account)).To(Succeed())
	return &account
}

// age makes the orphans look as if they had been seen long ago.
func (l *life) age() {
	l.t.Helper()
	l.Eventually(func() error {
		account := l.account()
		for i := range account.Status.Orphans {
			account.Status.Orphans[i].Since = metav1.NewTime(account.CreationTimestamp.Add(-48 * time.Hour))
		}
		return suite.api.Status().Update(l.t.Context(), account)
	}).Should(Succeed())
}

// repeated tells whether the second of two events about the account, which stay in the namespace default, was counted on the first.
func (l *life) repeated() bool {
	l.t.Helper()
	var events eventsv1.EventList
	l.Expect(suite.api.List(l.t.Context(), &events, client.InNamespace(metav1.NamespaceDefault))).To(Succeed())
	return slices.ContainsFunc(events.Items, func(e eventsv1.Event) bool { return e.Regarding.Name == l.namespace && e.Series != nil })
}

// fire has Medblocks deliver an event, which nobody takes.
func (l *life) fire() {
	l.t.Helper()
	_, err := suite.emulator.Fire(l.t.Context(), l.key, string(v1alpha1.EventPatientFlowCompleted))
	l.Expect(err).NotTo(HaveOccurred())
}

// probed tells whether the receiver was looked for.
func (l *life) probed() bool {
	l.t.Helper()
	return strings.Contains(l.conditions("failing"), `"receiver"`)
}
