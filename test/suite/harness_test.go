// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"crypto/rand"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/secrecy"
)

// world is all that a test has to itself.
type world struct {
	*WithT
	t *testing.T

	namespace string
	// key is the API key, in the Secret keySecret.
	key    string
	vendor *emulator.Server
	clock  *clocktesting.FakeClock
	kube   *recorder
	logs   *buffer

	options  operatorOptions
	operator *operator
	// collected shows what the operator's caches and accounts hold; each operator has its own.
	collected *prometheus.Registry
	expects   expectations
	// secrets are to be found nowhere.
	secrets secrecy.Keeper
	// bystanders are endpoints of others in the same workspace, as they were.
	bystanders []emulator.EndpointWithSecret
}

// expectations are the exceptions from the invariants that a test is about.
type expectations struct {
	// leftBehind: endpoints may keep the mark of a resource, because the operator cannot reach them.
	leftBehind bool
	// rotatedOutside: the secret was rotated by a person, which nothing shows.
	rotatedOutside bool
	// contestedSecret: somebody else keeps changing the Secret besides its value.
	contestedSecret bool
	// refusedWrites: the API server refuses a write that it would have taken a moment before.
	refusedWrites bool
}

// setup is what a test may change before its world starts.
type setup struct {
	operator operatorOptions
	vendor   emulator.Options
	// idle worlds start without an operator.
	idle bool
	// keyless worlds start without the API key Secret.
	keyless bool
}

const (
	keySecret = "medblocks"
	// workspace is the one that the key opens.
	workspace = "workspace"
	// hooks is the name of a test's first resource.
	hooks = "hooks"
	// signing is the default name of its signing Secret.
	signing = hooks + "-signing-secret"
)

func newWorld(t *testing.T, tweaks ...func(*setup)) *world {
	t.Helper()
	t.Parallel()
	w := &world{
		WithT: NewWithT(t), t: t, clock: newClock(t), kube: &recorder{}, logs: &buffer{},
		key: "mb_sk_sbx_canary" + rand.Text(),
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "suite-"}}
	w.Expect(shared.admin.Create(t.Context(), namespace)).To(Succeed())
	w.namespace = namespace.Name

	s := setup{
		vendor: emulator.Options{Clock: w.clock},
		operator: operatorOptions{
			apiTimeout: 5 * time.Second, pollInterval: 200 * time.Millisecond, disabledPollInterval: 100 * time.Millisecond,
			namespaces: []string{w.namespace},
		},
	}
	for _, tweak := range tweaks {
		tweak(&s)
	}
	w.vendor = emulator.New(s.vendor)
	server := httptest.NewServer(w.vendor)
	t.Cleanup(func() {
		w.vendor.Close()
		server.Close()
	})
	w.options = s.operator
	if w.options.baseURL == "" {
		w.options.baseURL = server.URL
	}
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, Workspace: workspace})).To(Succeed())
	w.addBystanders()
	if !s.keyless {
		w.createSecret(keySecret, map[string]string{v1alpha1.DefaultAPIKeySecretKey: w.key})
	}
	for _, last := range []func(){w.explain, w.checkLeaks, w.stopOperator, w.checkInvariants} {
		t.Cleanup(last) // the last one added runs first
	}
	if !s.idle {
		w.startOperator()
	}
	return w
}

// addBystanders puts endpoints of others into the workspace, that nobody may touch.
func (w *world) addBystanders() {
	for _, metadata := range []map[string]any{
		{"team": "billing"},
		{v1alpha1.MarkOwner: "another-cluster/" + w.namespace + "/" + hooks, v1alpha1.MarkIncarnation: "another", v1alpha1.MarkSecretGeneration: "another"},
	} {
		added, err := w.vendor.AddEndpoint(w.key, emulator.Endpoint{Metadata: metadata})
		w.Expect(err).NotTo(HaveOccurred())
		w.bystanders = append(w.bystanders, added)
	}
}

// create stores a resource: a valid one, with the changes that the test is about.
func (w *world) create(name string, tweaks ...func(*v1alpha1.MedblocksWebhookEndpoint)) *v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	res := w.manifest(name, tweaks...)
	w.Expect(shared.admin.Create(w.context(), res)).To(Succeed())
	return res
}

func (w *world) manifest(name string, tweaks ...func(*v1alpha1.MedblocksWebhookEndpoint)) *v1alpha1.MedblocksWebhookEndpoint {
	res := &v1alpha1.MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL:             "https://receiver.example.com/" + name,
			Events:          []v1alpha1.EventType{v1alpha1.EventPatientFlowCompleted, v1alpha1.EventRecordsSyncFailed},
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: keySecret},
		},
	}
	for _, tweak := range tweaks {
		tweak(res)
	}
	return res
}

// createReady stores a resource and waits until it is registered and the operator has nothing left to do.
func (w *world) createReady(name string, tweaks ...func(*v1alpha1.MedblocksWebhookEndpoint)) *v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	w.create(name, tweaks...)
	return w.untilReady(name)
}

// advance puts the clock forward. The operator is told to look again, because the delays of its work queue run on real
// time.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	w.clock.Step(d)
	w.poke()
}

// poke has every resource of the test reconciled.
func (w *world) poke() {
	w.t.Helper()
	for _, res := range w.resources() {
		w.operator.queue.Enqueue(types.NamespacedName{Namespace: res.Namespace, Name: res.Name})
	}
}

// settle waits until the account was swept several times, so that whatever the operator is going to notice or repeat has
// been noticed and repeated.
func (w *world) settle() {
	w.t.Helper()
	w.sweep(3)
}

// sweep waits for that many complete lists of the workspace that begin from now on.
func (w *world) sweep(n int) {
	w.t.Helper()
	start := w.fullLists()
	// One list may be under way right now, and the last one has to be digested.
	w.Eventually(w.fullLists).Should(BeNumerically(">=", start+n+1))
}

// settleWithout resets the counters and gives an account that should not be polled the time of several polls.
func (w *world) settleWithout() {
	w.t.Helper()
	until := w.clock.Now().Add(5 * w.options.pollInterval)
	w.forget()
	w.Eventually(func() bool { return w.clock.Now().After(until) }).Should(BeTrue())
}

// untilQuiet waits until the account is not even polled any more.
func (w *world) untilQuiet() {
	w.t.Helper()
	w.Eventually(func() []emulator.Call {
		w.settleWithout()
		return w.vendor.Calls()
	}).Should(BeEmpty())
}

// fullLists counts the complete lists since the counters were reset.
func (w *world) fullLists() int {
	lists := 0
	for _, call := range w.vendor.Calls() {
		if call.Operation == emulator.OperationListEndpoints && call.Status == 200 && !strings.Contains(call.Path, "status=") {
			lists++
		}
	}
	return lists
}

// calls are the vendor calls of these operations or, without any, all but the polls.
func (w *world) calls(operations ...emulator.Operation) []emulator.Call {
	var calls []emulator.Call
	for _, call := range w.vendor.Calls() {
		if (len(operations) == 0 && call.Operation != emulator.OperationListEndpoints) || slices.Contains(operations, call.Operation) {
			calls = append(calls, call)
		}
	}
	return calls
}

// operationsOf is the sequence of operations of calls, which reads well in a failure.
func operationsOf(calls []emulator.Call) []string {
	names := []string{}
	for _, call := range calls {
		names = append(names, string(call.Operation))
	}
	return names
}

// forget starts the counts of calls and writes anew.
func (w *world) forget() {
	w.vendor.ResetCounters()
	w.kube.reset()
}

// fail arms a fault until it is cleared.
func (w *world) fail(operation emulator.Operation, fault emulator.Fault) {
	fault.Operation, fault.Times = operation, -1
	w.vendor.InjectFault(fault)
}
