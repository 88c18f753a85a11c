// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

// recorder notes the calls to the API server that are no reads, dry runs among them.
type recorder struct {
	mu     sync.Mutex
	writes []string
	next   http.RoundTripper
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet {
		r.mu.Lock()
		r.writes = append(r.writes, req.Method+" "+req.URL.RequestURI())
		r.mu.Unlock()
	}
	return r.next.RoundTrip(req)
}

// planned is what plan -o json says, and what it has written to the API server.
type planned struct {
	outcome
	plans  []endpoint.Preview
	writes []string
}

// plan runs the subcommand and records it.
func (n *tenant) plan(t *testing.T, stdin string, args ...string) planned {
	t.Helper()
	var out, errOut bytes.Buffer
	s := newSession(genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &out, ErrOut: &errOut})
	record := &recorder{}
	asUsual := s.cluster.WrapConfigFn
	s.cluster.WrapConfigFn = func(config *rest.Config) *rest.Config {
		config = asUsual(config)
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { record.next = next; return record })
		return config
	}
	args = append([]string{"plan", "-o=json", "--namespace=" + n.namespace, "--kubeconfig=" + suite.plane.AdminKubeconfig(), "--operator-namespace=" + controlplane.OperatorNamespace}, args...)
	is := planned{outcome: outcome{code: s.run(t.Context(), args)}}
	is.out, is.err, is.writes = out.String(), errOut.String(), record.writes
	expectNoSecret(t, is.outcome)
	var report PlanReport
	if is.out != "" {
		NewWithT(t).Expect(json.Unmarshal(out.Bytes(), &report)).To(Succeed())
	}
	is.plans = report.Plans
	return is
}

// planOf is the plan for one resource that is stored: nothing at all is written for it.
func (n *tenant) planOf(t *testing.T, name string, flags ...string) endpoint.Preview {
	t.Helper()
	g := NewWithT(t)
	is := n.plan(t, "", append(flags, name)...)
	g.Expect(is.plans).To(HaveLen(1), is.err)
	g.Expect(is.writes).To(BeEmpty())
	if len(is.plans[0].Steps) > 0 {
		g.Expect(is.code).To(Equal(ExitUnhealthy))
	} else {
		g.Expect(is.code).To(Equal(ExitOK))
	}
	return is.plans[0]
}

func actions(p endpoint.Preview) []string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, s.Action)
	}
	return all
}

func reasons(p endpoint.Preview) []string {
	var all []string
	for _, w := range p.Waits {
		all = append(all, w.Reason)
	}
	return all
}

// changesOf are the fields that plans of one step change.
func changesOf(p endpoint.Preview) []string {
	var all []string
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			all = append(all, c.Field+": "+c.From+" → "+c.To)
		}
	}
	return all
}

// vendor is the tenant's own access to Medblocks.
func (n *tenant) vendor(t *testing.T) *medblocks.Client {
	t.Helper()
	api, err := medblocks.New(medblocks.Config{BaseURL: suite.emulator.URL, APIKey: n.apiKey})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return api
}

func (n *tenant) delete(t *testing.T, name string) {
	t.Helper()
	NewWithT(t).Expect(suite.api.Delete(t.Context(), &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: name}})).To(Succeed())
}

// stopOperator has nobody reconcile until start is called, which starts another one. No parallel test runs meanwhile.
func stopOperator(t *testing.T) (start func()) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(suite.stack.EndProcess(suite.manager.Process)).To(Succeed())
	start = sync.OnceFunc(func() {
		var err error
		suite.manager, err = suite.stack.StartManager(t.Context(), "manager-again", suite.emulator.URL, managerFlags...)
		g.Expect(err).NotTo(HaveOccurred())
	})
	return start
}

// TestTheOperatorDoesWhatWasPlanned asks for plans while nobody works, and then has the operator work.
func TestTheOperatorDoesWhatWasPlanned(t *testing.T) {
	g, n := NewWithT(t), newTenant(t)
	orphaning := func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }
	broken := startHook(t, http.StatusBadGateway)
	n.create(t, "disabled", at(broken.URL), reenabledAfter(time.Hour))
	n.autoDisable(t, "disabled")
	for _, name := range []string{"settled", "edited", "drifted", "deleted", "unlocked", "suspended", "off"} {
		n.create(t, name)
	}
	n.create(t, "orphaned", orphaning)
	for _, name := range []string{"settled", "edited", "drifted", "deleted", "unlocked", "suspended", "off", "orphaned"} {
		n.awaitReady(t, name)
	}

	start := stopOperator(t)
	defer start() // whatever fails: other tests need it
	n.create(t, "new")
	adoptable := n.register(t, "")
	adopting := func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: adoptable, RotateSecret: true}
	}
	n.create(t, "adopter", adopting)
	n.create(t, "rival", adopting)
	n.share(t)
	n.create(t, "member-a", n.member)
	n.create(t, "member-b", n.member)
	n.create(t, "keyless", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.APIKeySecretRef.Name = "nowhere" })
	n.change(t, "edited", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.Description = "edited" })
	n.change(t, "off", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.State = v1alpha1.StateDisabled })
	n.change(t, "suspended", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.Suspend, e.Spec.Description = true, "not yet" })
	elsewhere := "https://elsewhere.example.com/hook?token=hidden"
	_, err := n.vendor(t).UpdateEndpoint(t.Context(), n.get(t, "drifted").Status.EndpointID, medblocks.UpdateEndpointRequest{URL: &elsewhere})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(suite.api.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: "unlocked-signing-secret"}})).To(Succeed())
	n.delete(t, "deleted")
	n.delete(t, "orphaned")

	g.Expect(suite.emulator.ForgetCalls(t.Context())).To(Succeed())
	plans := map[string]endpoint.Preview{}
	for _, name := range []string{"settled", "edited", "drifted", "deleted", "unlocked", "suspended", "off", "orphaned", "new", "keyless", "disabled", "adopter", "rival", "member-a", "member-b"} {
		plans[name] = n.planOf(t, name)
	}
	expectOnlyReads(t)

	settled := plans["settled"]
	g.Expect(settled.Steps).To(BeEmpty())
	g.Expect(settled.Waits).To(BeEmpty())
	g.Expect(settled.Conditions).To(ContainElement(And(HaveField("Type", v1alpha1.ConditionReady), HaveField("Status", metav1.ConditionTrue))))
	g.Expect(actions(plans["edited"])).To(Equal([]string{"UpdateEndpoint"}))
	g.Expect(changesOf(plans["edited"])).To(Equal([]string{"description:  → edited"}))
	g.Expect(actions(plans["drifted"])).To(Equal([]string{"UpdateEndpoint"}))
	g.Expect(changesOf(plans["drifted"])).To(Equal([]string{"url: https://elsewhere.example.com/hook?… → https://receiver.example.com/drifted"}))
	g.Expect(actions(plans["deleted"])).To(Equal([]string{"DeleteEndpoint", "DeleteSecret", "RemoveFinalizer"}))
	g.Expect(actions(plans["orphaned"])).To(Equal([]string{"OrphanEndpoint", "RemoveFinalizer"}))
	g.Expect(actions(plans["unlocked"])).To(Equal([]string{"MarkRotation", "RotateSecret", "PublishSecret"}))
	g.Expect(plans["unlocked"].ProvesSecret).To(Equal("unlocked-signing-secret"))
	g.Expect(actions(plans["off"])).To(Equal([]string{"RecordDisable", "DisableEndpoint"}))
	g.Expect(actions(plans["new"])).To(Equal([]string{"WriteIntent", "RegisterEndpoint", "PublishSecret"}))
	g.Expect(plans["new"].ProvesSecret).To(Equal("new-signing-secret"))
	g.Expect(plans["suspended"].Steps).To(BeEmpty())
	g.Expect(reasons(plans["suspended"])).To(Equal([]string{v1alpha1.ReasonSuspended}))
	g.Expect(plans["keyless"].Steps).To(BeEmpty())
	g.Expect(reasons(plans["keyless"])).To(Equal([]string{v1alpha1.ReasonCredentialsUnavailable}))
	g.Expect(plans["disabled"].Steps).To(BeEmpty())
	g.Expect(reasons(plans["disabled"])).To(Equal([]string{v1alpha1.ReasonAutoDisabled}))
	g.Expect(plans["disabled"].Waits[0].Until.Time).To(BeTemporally("~", time.Now().Add(time.Hour), 15*time.Minute))

	g.Expect(actions(plans["adopter"])).To(Equal([]string{"AddFinalizer", "AdoptEndpoint", "RotateSecret", "PublishSecret"}))
	g.Expect(changesOf(plans["adopter"])).To(ContainElement("url: https://receiver.example.com/left?… → https://receiver.example.com/adopter"))
	g.Expect(reasons(plans["rival"])).To(Equal([]string{v1alpha1.ReasonConflict}), "the other one's claim is older")
	g.Expect(actions(plans["member-a"])).To(Equal(actions(plans["new"])))
	g.Expect(reasons(plans["member-b"])).To(Equal([]string{v1alpha1.ReasonNotAllowed}), "the account has one place in a namespace")

	before := map[string]int{}
	for name := range plans {
		before[name] = len(n.get(t, name).Status.History)
	}
	start()
	for _, name := range []string{"new", "edited", "drifted", "unlocked", "off", "adopter", "member-a"} {
		n.awaitReady(t, name)
	}
	for name, plan := range plans {
		if name == "deleted" || name == "orphaned" {
			g.Eventually(func() bool {
				return apierrors.IsNotFound(suite.api.Get(t.Context(), n.key(name), &v1alpha1.MedblocksWebhookEndpoint{}))
			}).WithTimeout(patience).WithPolling(often).Should(BeTrue(), name)
			continue
		}
		g.Eventually(func() []string { return historySince(n.get(t, name), before[name]) }).WithTimeout(patience).WithPolling(often).
			Should(Equal(historyOf(plan)), name)
	}
	expectWrites(t, n, plans)
	for _, name := range []string{"settled", "edited", "drifted", "unlocked", "new"} {
		g.Expect(actions(n.planOf(t, name))).To(BeEmpty(), "%s is settled by now", name)
	}
}

// share makes a MedblocksAccount, named like the tenant's namespace, with the tenant's key and one place in each namespace.
func (n *tenant) share(t *testing.T) {
	t.Helper()
	g, secret, one := NewWithT(t), n.keySecret(), int32(1)
	secret.Namespace, secret.Name = controlplane.OperatorNamespace, n.namespace
	g.Expect(suite.api.Create(t.Context(), secret)).To(Succeed())
	g.Expect(suite.api.Create(t.Context(), &v1alpha1.MedblocksAccount{
		ObjectMeta: metav1.ObjectMeta{Name: n.namespace},
		Spec: v1alpha1.MedblocksAccountSpec{
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: secret.Name}, MaxEndpointsPerNamespace: &one,
		},
	})).To(Succeed())
}

// member has a resource use that account.
func (n *tenant) member(e *v1alpha1.MedblocksWebhookEndpoint) {
	e.Spec.APIKeySecretRef, e.Spec.AccountRef = v1alpha1.APIKeySecretReference{}, &v1alpha1.AccountReference{Name: n.namespace}
}

// reenabledAfter has the operator enable the endpoint again, after a while.
func reenabledAfter(initial time.Duration) tweak {
	return func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
			Mode: v1alpha1.ReenableAlways, Backoff: &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: initial}},
		}
	}
}

// expectOnlyReads looks at what Medblocks was asked since its calls were forgotten.
func expectOnlyReads(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	calls, err := suite.emulator.Calls(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(calls).NotTo(BeEmpty())
	for _, call := range calls {
		g.Expect(call.Method).To(Equal(http.MethodGet), call.Path)
	}
	stacks := make([]byte, 1<<22)
	stacks = stacks[:runtime.Stack(stacks, true)]
	g.Expect(string(stacks)).NotTo(ContainSubstring("controllers/account.(*poller)"), "a poller has outlived its plan")
}

// historySince are the entries of status.history that came after the first so many.
func historySince(res *v1alpha1.MedblocksWebhookEndpoint, first int) []string {
	all := []string{}
	for _, entry := range res.Status.History[first:] {
		all = append(all, entry.Action+" "+entry.Trigger)
	}
	return all
}

// historyOf is what a plan leaves there.
func historyOf(p endpoint.Preview) []string {
	all := []string{}
	for _, s := range p.Steps {
		if s.AtMedblocks && s.Action != "MarkRotation" {
			all = append(all, s.Action+" "+s.Trigger)
		}
	}
	return all
}

// expectWrites compares the PATCHes that Medblocks got with the fields that were planned.
func expectWrites(t *testing.T, n *tenant, plans map[string]endpoint.Preview) {
	t.Helper()
	g := NewWithT(t)
	calls, err := suite.emulator.Calls(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	for _, name := range []string{"edited", "drifted", "off"} {
		var sent []string
		for _, call := range calls {
			if call.APIKey != n.apiKey || call.Method != http.MethodPatch || !strings.HasSuffix(call.Path, plans[name].EndpointID) {
				continue
			}
			var body map[string]any
			g.Expect(json.Unmarshal([]byte(call.Body), &body)).To(Succeed())
			for field := range body {
				sent = append(sent, field)
			}
		}
		var fields []string
		for _, s := range plans[name].Steps {
			for _, c := range s.Changes {
				fields = append(fields, c.Field)
			}
		}
		g.Expect(sent).To(ConsistOf(slices.Compact(fields)), name)
	}
}
