// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/stack"
)

// life is everything that an operator has to do in the life of some resources.
type life struct {
	*tenant

	token   string // of somebody who reads the metrics; empty: nobody does
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
	flags := append(slices.Clone(quickly), "--kubeconfig="+kubeconfigOf(l.t, l.namespace), "--leader-election-id="+l.namespace,
		"--watch-label-selector="+caseLabel+"="+l.namespace, "--operator-namespace="+l.namespace, "--health-probe-bind-address=0")
	if l.token == "" {
		flags = append(flags, "--metrics-bind-address=0")
	}
	for l.launch(flags); l.token != "" && !l.serves(); {
		l.launch(flags)
	}
	return &l
}

func (l *life) launch(flags []string) {
	l.t.Helper()
	manager, err := suite.stack.LaunchManager(l.t.Context(), l.namespace, suite.emulator.URL, flags...)
	l.Expect(err).NotTo(HaveOccurred())
	l.manager = manager
	l.t.Cleanup(func() { l.Expect(suite.stack.KillProcess(manager.Process)).To(Succeed()) })
}

// serves waits until the operator serves its metrics, and tells whether it does: somebody else may have taken its port.
func (l *life) serves() bool {
	l.t.Helper()
	const taken = "address already in use"
	l.Eventually(l.manager.Log).Should(Or(ContainSubstring("Serving metrics server"), ContainSubstring(taken)))
	return !strings.Contains(l.manager.Log(), taken)
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
		{"scraped", nothing, func() bool { return l.token == "" || l.scrape() == http.StatusOK }},
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
