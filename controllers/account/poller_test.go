// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

const testKey = "mb_sk_sbx_poller"

// rig is one account's poller on a clock that the test moves, and the vendor behind real HTTP.
type rig struct {
	*WithT
	vendor  *emulator.Server
	clock   *clocktesting.FakeClock
	account *Account
	poller  *poller
	who     Resource

	mu        sync.Mutex
	enqueued  []Resource
	refreshed int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{
		WithT: NewWithT(t), vendor: emulator.New(emulator.Options{}), clock: clocktesting.NewFakeClock(testTime),
		who: Resource{Namespace: "shop", Name: "orders"},
	}
	server := httptest.NewServer(r.vendor)
	t.Cleanup(server.Close)
	t.Cleanup(r.vendor.Close)
	api, err := medblocks.New(medblocks.Config{BaseURL: server.URL, APIKey: testKey, APIVersion: medblocks.DefaultAPIVersion})
	r.Expect(err).NotTo(HaveOccurred())
	opts := Options{
		PollInterval: 5 * time.Minute, DisabledPollInterval: 30 * time.Second, QPS: 10_000, Burst: 10_000,
		ClusterID: "c1", Clock: r.clock, Log: logr.Discard(),
	}
	r.account = newAccount("v1:x", api, opts, func(who ...Resource) { r.mu.Lock(); r.enqueued = append(r.enqueued, who...); r.mu.Unlock() })
	r.account.users.add(r.who)
	r.poller = &poller{
		account: r.account, opts: opts, log: logr.Discard(),
		refreshKeys: func(context.Context) { r.mu.Lock(); r.refreshed++; r.mu.Unlock() },
	}
	return r
}

// start starts the poller and waits until its first list is done.
func (r *rig) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.poller.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	r.Eventually(r.clock.HasWaiters).WithTimeout(10 * time.Second).Should(BeTrue())
	r.told()
}

func (r *rig) lists() int { return r.vendor.Counters().Calls["ListEndpoints"] }

func (r *rig) refreshes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refreshed
}

func (r *rig) told() []Resource {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := r.enqueued
	r.enqueued = nil
	return told
}

// settle waits until the poller sleeps after so many lists.
func (r *rig) settle(lists int) {
	r.Eventually(r.lists).WithTimeout(10 * time.Second).Should(Equal(lists))
	r.Eventually(r.clock.HasWaiters).WithTimeout(10 * time.Second).Should(BeTrue())
}

func (r *rig) register(who Resource) string {
	e, err := r.vendor.AddEndpoint(testKey, emulator.Endpoint{
		URL: "https://example.com", Events: []string{"*"}, Metadata: map[string]any{v1alpha1.MarkOwner: OwnerMark("c1", who)},
	})
	r.Expect(err).NotTo(HaveOccurred())
	return e.ID
}

func TestAnAccountAtRestCostsOneListPerInterval(t *testing.T) {
	r := newRig(t)
	r.start(t)
	r.clock.Step(26 * time.Second) // 30 s less 10 % jitter is 27 s
	r.Consistently(r.lists, "50ms").Should(Equal(1))
	for i := range 5 {
		r.clock.Step(34 * time.Second)
		r.settle(2 + i)
	}
	r.Expect(r.told()).To(BeEmpty(), "nothing changed")
	r.Expect(r.refreshed).To(Equal(1), "API key Secrets are read once per full sweep")
}

func TestASilentDisableIsNoticedByTheNextDisabledPoll(t *testing.T) {
	r := newRig(t)
	id := r.register(r.who)
	r.start(t)
	r.Expect(r.vendor.DisableEndpoint(id)).To(Succeed())
	r.clock.Step(34 * time.Second)
	r.settle(2)
	r.Eventually(r.told).WithTimeout(10 * time.Second).Should(Equal([]Resource{r.who}))
	r.Expect(r.account.Look(id, "").Endpoint.Status).To(Equal(medblocks.EndpointStatusDisabled))
}

func TestAListThatStoppedHalfWayChangesNothing(t *testing.T) {
	r := newRig(t)
	for i := range 150 { // two pages
		r.register(Resource{Namespace: "shop", Name: fmt.Sprint(i)})
	}
	id := r.register(r.who)
	r.start(t)
	r.vendor.InjectFault(emulator.Fault{Operation: "ListEndpoints", Kind: emulator.FaultPartialPage, Times: -1})
	r.Expect(r.vendor.RemoveEndpoint(id)).To(Succeed())
	r.account.RequestList(r.who)
	r.Eventually(r.told).WithTimeout(10*time.Second).Should(Equal([]Resource{r.who}), "who waits is told of the failure")
	r.Expect(r.account.ListError()).To(HaveOccurred())
	r.Expect(r.account.Look(id, "").Endpoint).NotTo(BeNil(), "it is still known")

	r.vendor.ClearFaults()
	r.Eventually(func(g Gomega) { // the retry delay passes
		r.clock.Step(time.Second)
		g.Expect(r.account.Look(id, "").Endpoint).To(BeNil())
	}).WithTimeout(10 * time.Second).Should(Succeed())
	r.Expect(r.account.ListError()).NotTo(HaveOccurred())
	r.Eventually(r.told).WithTimeout(10 * time.Second).Should(ContainElement(r.who))
}

func TestOneListServesAllThatWait(t *testing.T) {
	r := newRig(t)
	r.start(t)
	other := Resource{Namespace: "shop", Name: "bills"}
	r.account.waiting[other] = struct{}{} // asked before the poller woke up
	r.account.RequestList(r.who)
	r.settle(2)
	r.Eventually(r.told).WithTimeout(10 * time.Second).Should(ConsistOf(r.who, other))
	r.Consistently(r.lists, "50ms").Should(Equal(2))
}

func TestARefusedKeyStopsTheAccountAndIsAnnouncedOnce(t *testing.T) {
	r := newRig(t)
	r.start(t)
	r.Expect(r.vendor.SetKey(emulator.Key{APIKey: testKey, State: emulator.KeyRevoked})).To(Succeed())
	_, err := r.account.GetEndpoint(context.Background(), "wh_01ARZ3NDEKTSV4RRFFQ69G5FAV")
	r.Expect(medblocks.IsUnauthorized(err)).To(BeTrue())
	r.settle(2) // the key may have been exchanged: one try
	r.Eventually(r.told).WithTimeout(10 * time.Second).Should(Equal([]Resource{r.who}))
	before := r.vendor.Counters().Calls["GetEndpoint"]
	for range 100 {
		_, err = r.account.GetEndpoint(context.Background(), "wh_01ARZ3NDEKTSV4RRFFQ69G5FAV")
		r.Expect(medblocks.IsUnauthorized(err)).To(BeTrue())
	}
	r.Expect(r.vendor.Counters().Calls["GetEndpoint"]).To(Equal(before), "an open breaker makes no call")
	r.Expect(r.told()).To(BeEmpty())

	r.Expect(r.vendor.SetKey(emulator.Key{APIKey: testKey, State: emulator.KeyActive})).To(Succeed())
	r.Eventually(func(g Gomega) {
		r.clock.Step(time.Second)
		g.Expect(r.account.Refused()).NotTo(HaveOccurred())
	}).WithTimeout(10 * time.Second).Should(Succeed())
	r.Eventually(r.told).WithTimeout(10 * time.Second).Should(ContainElement(r.who))
}

func TestRetryAfterPausesTheAccount(t *testing.T) {
	r := newRig(t)
	r.start(t)
	r.vendor.InjectFault(emulator.Fault{Operation: "GetEndpoint", Kind: emulator.FaultStatus, Status: 429, RetryAfter: "120"})
	id := r.register(r.who)
	_, err := r.account.GetEndpoint(context.Background(), id)
	r.Expect(medblocks.IsRateLimited(err)).To(BeTrue())
	r.Expect(r.account.PausedUntil()).To(Equal(testTime.Add(120 * time.Second)))
	_, err = r.account.GetEndpoint(context.Background(), id)
	var paused *PausedError
	r.Expect(err).To(BeAssignableToTypeOf(paused), "no call is made")
	lists := r.lists()
	r.clock.Step(60 * time.Second)
	r.Consistently(r.lists, "50ms").Should(Equal(lists), "polls wait too")
	r.clock.Step(61 * time.Second)
	r.Eventually(r.lists).WithTimeout(10 * time.Second).Should(BeNumerically(">", lists))
	_, err = r.account.GetEndpoint(context.Background(), id)
	r.Expect(err).NotTo(HaveOccurred())
}

func TestANewKeyIsLookedForWhileTheAccountIsPaused(t *testing.T) {
	r := newRig(t)
	r.start(t)
	lists, refreshed := r.lists(), r.refreshes()
	r.account.pause(testTime.Add(time.Hour))
	r.clock.Step(31 * time.Second)
	r.clock.Step(31 * time.Second)
	r.Eventually(r.refreshes).WithTimeout(10 * time.Second).Should(BeNumerically(">", refreshed))
	r.Expect(r.lists()).To(Equal(lists), "no call is made")
}

// TestAKeyThatListsAcceptAndOtherCallsDoNotIsTriedEverLessOften: each list that succeeds closes the breaker, and the next call opens
// it again.
func TestAKeyThatListsAcceptAndOtherCallsDoNotIsTriedEverLessOften(t *testing.T) {
	r := newRig(t)
	r.poller.opts.DisabledPollInterval = time.Hour // to count full lists only
	r.start(t)
	r.vendor.InjectFault(emulator.Fault{Operation: "GetEndpoint", Kind: emulator.FaultStatus, Status: 401, Times: -1})
	relapse := func() {
		_, err := r.account.GetEndpoint(context.Background(), "wh_01ARZ3NDEKTSV4RRFFQ69G5FAV")
		r.Expect(medblocks.IsUnauthorized(err)).To(BeTrue())
	}
	relapse()
	r.settle(2) // the key may have been exchanged: one try at once
	r.Eventually(r.account.Refused).WithTimeout(10 * time.Second).ShouldNot(HaveOccurred())
	relapse()
	r.Consistently(r.lists, "50ms").Should(Equal(2))
	r.clock.Step(29 * time.Second)
	r.Consistently(r.lists, "50ms").Should(Equal(2))
	r.clock.Step(time.Second)
	r.settle(3)
}
