// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// site is a receiver that can be probed, and gets deliveries.
type site struct {
	*httptest.Server
	status atomic.Int32

	mu     sync.Mutex
	probes int
	events []string // the bodies of deliveries
}

// newSite starts one that answers everything with that status.
func (w *world) newSite(status int) *site {
	s := &site{}
	s.answer(status)
	s.Server = httptest.NewServer(s)
	w.t.Cleanup(s.Close)
	return s
}

func (s *site) answer(status int) { s.status.Store(int32(status)) }

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodGet {
		s.probes++
	} else {
		s.events = append(s.events, r.URL.Path)
	}
	w.WriteHeader(int(s.status.Load()))
}

func (s *site) probed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.probes
}

func (s *site) delivered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

// probesLoopback admits the receivers of tests.
func probesLoopback(s *setup) {
	s.operator.probeAllow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// whenHealthy re-enables after an hour at the earliest, once the site is healthy.
func (s *site) whenHealthy(tweaks ...func(*v1alpha1.ReenablePolicy)) func(*v1alpha1.MedblocksWebhookEndpoint) {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		always(time.Hour, 3)(res)
		res.Spec.URL = s.URL + "/hook"
		res.Spec.ReenablePolicy.Mode = v1alpha1.ReenableWhenHealthy
		for _, tweak := range tweaks {
			tweak(res.Spec.ReenablePolicy)
		}
	}
}

// untilDue puts the clock forward to the next attempt. While one is made, its time is not in the status any more, although the condition
// still speaks of it.
func (w *world) untilDue(name string) {
	w.t.Helper()
	w.until(name, beWorking(v1alpha1.ReasonAutoDisabled, "nextAttempt"))
	var next *metav1.Time
	w.Eventually(func() *metav1.Time {
		if r := w.get(name).Status.Reenable; r != nil {
			next = r.NextAttempt
		}
		return next
	}).ShouldNot(BeNil())
	w.advance(next.Sub(w.clock.Now()) + time.Second)
}

func TestWhenHealthyTheEndpointComesBackOnceTheReceiverAnswersTwice(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusServiceUnavailable)
	w.createReady(hooks, receiver.whenHealthy())
	w.exhaust(hooks, ptr.To(503))
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled, "nextAttempt"))
	w.settle()
	w.Expect(receiver.probed()).To(BeZero(), "nothing is probed before an attempt is due")

	w.untilDue(hooks)
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled, "once the receiver is healthy", "it answered 503"))
	w.advance(time.Hour)
	w.settle()
	w.Expect(w.enables()).To(BeZero())

	t.Log("The receiver is mended.")
	receiver.answer(http.StatusNoContent)
	w.advance(time.Minute + 10*time.Second)
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled, "it answered 204"))
	w.settle()
	w.Expect(w.enables()).To(BeZero(), "one answer may be a flash in the pan")
	w.advance(16 * time.Second)
	res := w.until(hooks, beReady(), have(v1alpha1.ConditionEnabled, isTrue, v1alpha1.ReasonActive))
	w.Expect(res.Status.Reenable.Attempts).To(HaveLen(1))
	w.Expect(w.enables()).To(Equal(1))
	w.settle()
	probes := receiver.probed()
	w.advance(time.Hour)
	w.settle()
	w.Expect(receiver.probed()).To(Equal(probes), "probing ends with the disable")
}

func TestWhenHealthyNothingIsProbedThatTheOperatorIsNotAllowedTo(t *testing.T) {
	w := newWorld(t)
	receiver := w.newSite(http.StatusOK)
	w.createReady(hooks, receiver.whenHealthy())
	w.exhaust(hooks, nil)
	w.untilDue(hooks)
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled, "--probe-allow-cidr"))
	w.advance(time.Hour)
	w.settle()
	w.Expect(receiver.probed()).To(BeZero())
	w.Expect(w.enables()).To(BeZero())
}

func TestWhenHealthyAPersonsDisableIsNeitherProbedForNorUndone(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusOK)
	w.createReady(hooks, receiver.whenHealthy())
	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.advance(24 * time.Hour)
	w.settle()
	w.Expect(receiver.probed()).To(BeZero())
	w.Expect(w.enables()).To(BeZero())
}

func TestProbingEndsWithTheResource(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusServiceUnavailable)
	w.createReady(hooks, receiver.whenHealthy())
	w.exhaust(hooks, nil)
	w.untilDue(hooks)
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled, "it answered 503"))
	w.delete(hooks)
	w.untilGone(hooks)
	w.settleWithout()
	probes := receiver.probed()
	w.advance(time.Hour)
	w.settleWithout()
	w.Expect(receiver.probed()).To(Equal(probes))
}

// redelivered adds a redelivery to a policy.
func redelivered(p *v1alpha1.ReenablePolicy) {
	p.Redelivery = &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered}
}

// whateverItSays does not ask the receiver.
func whateverItSays(p *v1alpha1.ReenablePolicy) { p.Mode = v1alpha1.ReenableAlways }

// miss puts events at Medblocks that the endpoint has missed.
func (w *world) miss(name string, count int) (ids []string) {
	w.t.Helper()
	for i := range count {
		event, err := w.vendor.AddEvent(w.key, emulator.EventRecord{
			WebhookEndpointID: w.get(name).Status.EndpointID, Attempts: 4, CreatedAt: w.clock.Now().Add(-time.Hour + time.Duration(i)*time.Second),
		})
		w.Expect(err).NotTo(HaveOccurred())
		ids = append(ids, event.ID)
	}
	return ids
}

func (w *world) redeliveries() (ids []string) {
	for _, d := range w.vendor.Deliveries() {
		if d.Redelivery {
			ids = append(ids, d.EventID)
		}
	}
	return ids
}

func (w *world) untilRedelivery(name, state string) *v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	w.Eventually(func() string {
		if is := w.get(name).Status.Redelivery; is != nil {
			return is.State
		}
		return ""
	}).Should(Equal(state))
	return w.get(name)
}

func TestWhatWasMissedIsRedeliveredOldestFirstBehindACanary(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusOK)
	w.createReady(hooks, receiver.whenHealthy(redelivered))
	missed := w.miss(hooks, 5)
	w.exhaust(hooks, ptr.To(503))
	w.untilDue(hooks)
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled, "it answered 200"))
	w.advance(16 * time.Second)
	res := w.untilRedelivery(hooks, v1alpha1.RedeliveryCompleted)
	w.Expect(res.Status.Redelivery).To(And(HaveField("Delivered", BeEquivalentTo(6)), HaveField("Failed", BeZero()), HaveField("Pending", BeZero())))
	ids := w.redeliveries()
	w.Expect(ids).To(HaveLen(6))
	w.Expect(ids[1:]).To(Equal(missed), "after the canary, which is the newest")
	w.Expect(receiver.delivered()).To(Equal(6))
	w.untilEvent("Normal Redelivered")
	w.until(hooks, beReady())
	w.settle()
	w.Expect(w.redeliveries()).To(HaveLen(6))
	for _, event := range w.vendor.Events(res.Status.EndpointID) {
		w.Expect(event.DeliveredAt).NotTo(BeNil())
	}
}

func TestACanaryThatFailsStopsTheRestUntilTheNextAttempt(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusOK)
	w.createReady(hooks, receiver.whenHealthy(redelivered, whateverItSays))
	missed := w.miss(hooks, 3)
	receiver.answer(http.StatusInternalServerError)
	w.exhaust(hooks, ptr.To(500))
	w.untilDue(hooks)
	res := w.untilRedelivery(hooks, v1alpha1.RedeliveryWaiting)
	w.Expect(w.redeliveries()).To(HaveLen(1))
	w.untilEvent("Warning RedeliveryFailed")
	w.until(hooks, beReady(), have(v1alpha1.ConditionEnabled, isTrue, v1alpha1.ReasonActive, "nextTry"))

	t.Log("The next one is another event, after the backoff of a second attempt.")
	w.Expect(res.Status.Redelivery.NextTry.Sub(w.clock.Now())).To(BeNumerically(">", time.Hour))
	w.advance(res.Status.Redelivery.NextTry.Sub(w.clock.Now()) + time.Second)
	w.Eventually(w.redeliveries).Should(HaveLen(2))
	w.Expect(w.redeliveries()[1]).To(Equal(missed[2]))
	w.Expect(w.redeliveries()[0]).NotTo(Equal(missed[2]))
	res = w.untilRedelivery(hooks, v1alpha1.RedeliveryWaiting)
	w.Expect(res.Status.Reenable.Attempts).To(HaveLen(2))

	t.Log("The receiver is mended, and all that was missed arrives.")
	receiver.answer(http.StatusOK)
	w.advance(res.Status.Redelivery.NextTry.Sub(w.clock.Now()) + time.Second)
	res = w.untilRedelivery(hooks, v1alpha1.RedeliveryCompleted)
	w.Expect(res.Status.Redelivery.Delivered).To(BeEquivalentTo(4))
	w.Expect(res.Status.Reenable.Attempts).To(HaveLen(3))
}

func TestARedeliveryEndsWithTheBudgetAndGoesOnWhenAPersonAsks(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusInternalServerError)
	w.createReady(hooks, receiver.whenHealthy(redelivered, func(p *v1alpha1.ReenablePolicy) {
		p.Mode, p.MaxAttempts = v1alpha1.ReenableAlways, ptr.To[int32](1)
	}))
	w.miss(hooks, 2)
	w.exhaust(hooks, nil)
	w.untilDue(hooks)
	w.untilRedelivery(hooks, v1alpha1.RedeliveryStopped)
	w.untilEvent("Warning RedeliveryStopped")
	w.until(hooks, beReady(), have(v1alpha1.ConditionEnabled, isTrue, v1alpha1.ReasonActive, v1alpha1.AnnotationReenableRequestedAt))
	receiver.answer(http.StatusOK)
	w.advance(time.Hour)
	w.settle()
	w.Expect(w.redeliveries()).To(HaveLen(1))

	w.annotate(hooks, v1alpha1.AnnotationReenableRequestedAt, "mended")
	res := w.untilRedelivery(hooks, v1alpha1.RedeliveryCompleted)
	w.Expect(res.Status.Redelivery.Delivered).To(BeEquivalentTo(3))
	w.Expect(res.Status.LastHandledReenableAt).To(Equal("mended"))
}

func TestARedeliveryGoesOnAfterARestart(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusOK)
	w.createReady(hooks, receiver.whenHealthy(redelivered, whateverItSays))
	w.miss(hooks, 30)
	w.exhaust(hooks, nil)
	w.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationRedeliverEvent, Kind: emulator.FaultDelay, Times: -1, Delay: 20 * time.Millisecond})
	w.untilDue(hooks)
	w.Eventually(receiver.delivered).Should(BeNumerically(">", 3))
	w.restartOperator()
	res := w.untilRedelivery(hooks, v1alpha1.RedeliveryCompleted)
	seen := map[string]int{}
	for _, id := range w.redeliveries() {
		seen[id]++
	}
	w.Expect(seen).To(HaveLen(31))
	for id, times := range seen {
		w.Expect(times).To(Equal(1), "%s was delivered", id)
	}
	for _, event := range w.vendor.Events(res.Status.EndpointID) {
		w.Expect(event.DeliveredAt).NotTo(BeNil())
	}
}

func TestAPersonWhoEnablesTheEndpointGetsTheRedeliveryToo(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusOK)
	w.createReady(hooks, receiver.whenHealthy(redelivered, func(p *v1alpha1.ReenablePolicy) { p.Mode = v1alpha1.ReenableNever }))
	missed := w.miss(hooks, 2)
	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.Expect(w.vendor.EnableEndpoint(w.get(hooks).Status.EndpointID)).To(Succeed())
	w.untilRedelivery(hooks, v1alpha1.RedeliveryCompleted)
	w.Expect(w.redeliveries()).To(ConsistOf(missed))
}
