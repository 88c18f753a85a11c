// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// slowAPI is a vendor in memory that takes a while for each call, and whose receivers take another one. It is for tests whose time is
// not the real one, which HTTP cannot be in.
type slowAPI struct {
	API
	// pages are the lists of events, as many events on each.
	pages []int

	mu        sync.Mutex
	redeliver []string // in the order of their coming
	underWay  int
	atOnce    int // the most that were under way
	calls     []time.Time
}

const (
	callTime    = 20 * time.Millisecond
	receiveTime = 30 * time.Millisecond
)

func (s *slowAPI) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay++
	s.atOnce = max(s.atOnce, s.underWay)
	s.calls = append(s.calls, time.Now())
}

func (s *slowAPI) end(after time.Duration) {
	<-time.After(after)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay--
}

func (s *slowAPI) RedeliverEvent(_ context.Context, id string) (medblocks.EventRecord, error) {
	s.begin()
	defer s.end(callTime + receiveTime)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redeliver = append(s.redeliver, id)
	return medblocks.EventRecord{ID: id}, nil
}

func (s *slowAPI) redelivered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.redeliver)
}

func (s *slowAPI) ListEvents(ctx context.Context, _ string, opts medblocks.ListEventsOptions) iter.Seq2[medblocks.EventRecord, error] {
	return func(yield func(medblocks.EventRecord, error) bool) {
		for page, events := range s.pages {
			if err := opts.BeforeCall(ctx); err != nil {
				yield(medblocks.EventRecord{}, err)
				return
			}
			s.begin()
			s.end(callTime)
			for i := range events {
				if !yield(medblocks.EventRecord{ID: fmt.Sprintf("evt_%d_%d", page, i)}, nil) {
					return
				}
			}
		}
	}
}

func (s *slowAPI) ListEndpoints(context.Context, medblocks.ListEndpointsOptions) iter.Seq2[medblocks.Endpoint, error] {
	return func(yield func(medblocks.Endpoint, error) bool) {
		<-time.After(callTime)
		yield(medblocks.Endpoint{ID: "wh_1", Metadata: medblocks.Metadata{}}, nil)
	}
}

func (s *slowAPI) CreateEndpoint(context.Context, medblocks.CreateEndpointRequest) (medblocks.Endpoint, medblocks.Secret, error) {
	<-time.After(callTime)
	return medblocks.Endpoint{ID: "wh_2"}, "whsec_2", nil
}

// newSlowAccount makes an account of a slow vendor that has been listed once, so that its polls are polls.
func newSlowAccount(t *testing.T, api *slowAPI, qps float64) *Account {
	t.Helper()
	a := newAccount("v1:x", api, Options{QPS: qps, Burst: 1, Clock: clock.RealClock{}, Log: logr.Discard()}, func(...Resource) {})
	listed, err := a.list(t.Context(), medblocks.ListEndpointsOptions{})
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	a.store.replace(a.store.begin(), time.Now(), listed, nil)
	return a
}

func countOf(err error) int32 {
	if err != nil {
		return 1
	}
	return 0
}

func TestOneBackgroundCallAtATimeIsMadeAndWhoCameFirstIsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, api := NewWithT(t), &slowAPI{}
		a := newSlowAccount(t, api, 1e6)
		hasty, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		var want []string
		var failed atomic.Int32
		var wg sync.WaitGroup
		for i := range 20 {
			id := fmt.Sprint("evt_", i)
			want = append(want, id)
			wg.Go(func() {
				_, err := a.RedeliverEvent(t.Context(), id)
				failed.Add(countOf(err))
			})
			synctest.Wait()
			if i == 5 {
				wg.Go(func() {
					_, err := a.RedeliverEvent(hasty, "hasty")
					left <- err
				})
				synctest.Wait()
			}
		}
		leave()
		g.Expect(<-left).To(And(MatchError(ErrNotSent), MatchError(context.Canceled)))
		wg.Wait()
		g.Expect(failed.Load()).To(BeZero())
		g.Expect(api.redeliver).To(Equal(want))
		g.Expect(api.atOnce).To(Equal(1))
		g.Expect(a.slot).To(BeEmpty())
	})
}

// TestPollsAndRegistrationsAreNotStarvedByBackgroundCalls has many jobs redeliver hundreds of events, at the pace of ten calls a second.
func TestPollsAndRegistrationsAreNotStarvedByBackgroundCalls(t *testing.T) {
	const jobs, events, turn = 25, 500, 100 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		g, api := NewWithT(t), &slowAPI{pages: []int{100, 100, 7}}
		a := newSlowAccount(t, api, 10)
		begun := time.Now()
		var background sync.WaitGroup
		var failed atomic.Int32
		for job := range jobs {
			background.Go(func() {
				for _, err := range a.ListUndelivered(t.Context(), "wh_1") {
					failed.Add(countOf(err))
				}
				for i := range events / jobs {
					_, err := a.RedeliverEvent(t.Context(), fmt.Sprintf("evt_%d_%d", job, i))
					failed.Add(countOf(err))
				}
			})
		}
		took := func(call func() error) time.Duration {
			before := time.Now()
			g.Expect(call()).To(Succeed())
			return time.Since(before)
		}
		for range 60 {
			<-time.After(730 * time.Millisecond) // no multiple of a turn
			g.Expect(took(func() error {
				_, err := a.list(t.Context(), medblocks.ListEndpointsOptions{Status: medblocks.EndpointStatusDisabled})
				return err
			})).To(BeNumerically("<=", 2*turn+callTime), "a poll waits for one background call more, at most")
			g.Expect(took(func() error {
				_, _, err := a.CreateEndpoint(t.Context(), medblocks.CreateEndpointRequest{})
				return err
			})).To(BeNumerically("<=", 2*turn+callTime), "a registration passes those that wait")
		}
		g.Expect(api.redelivered()).To(BeNumerically("<", events), "there was background work all the time")
		background.Wait()
		g.Expect(failed.Load()).To(BeZero())
		g.Expect(api.redeliver).To(HaveLen(events))
		calls := events + 3*jobs + 2*60
		g.Expect(time.Since(begun)).To(BeNumerically("<", time.Duration(calls)*turn+time.Second), "the pace is kept up")
	})
}

func TestWhatSomebodyWaitsForPassesBackgroundCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, api := NewWithT(t), &slowAPI{}
		a := newSlowAccount(t, api, 1)
		order := make(chan string)
		join := func(name string, call func() error) {
			go func() {
				_ = call()
				order <- name
			}()
			synctest.Wait()
		}
		create := func() error {
			_, _, err := a.CreateEndpoint(t.Context(), medblocks.CreateEndpointRequest{})
			return err
		}
		join("first", create) // waits for the token that is next
		join("background", func() error {
			_, err := a.RedeliverEvent(t.Context(), "evt_1")
			return err
		})
		join("second", create)
		join("third", create)
		for _, next := range []string{"first", "second", "third", "background"} {
			g.Expect(<-order).To(Equal(next))
		}
	})
}

func TestEachPageOfUndeliveredEventsWaitsForItsOwnTurn(t *testing.T) {
	for name, pages := range map[string][]int{
		"full pages": {100, 100, 100, 100}, "short pages": {3, 2, 1, 3}, "pages without events": {0, 5, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, api := NewWithT(t), &slowAPI{pages: pages}
				a := newSlowAccount(t, api, 1)
				a.pace.slowDown()
				pace := a.pace.limiter.Limit()
				events := 0
				for _, err := range a.ListUndelivered(t.Context(), "wh_1") {
					g.Expect(err).NotTo(HaveOccurred())
					events++
					g.Expect(a.slot).To(BeEmpty(), "whoever reads the list may take as long as they like")
				}
				g.Expect(events).To(Equal(pages[0] + pages[1] + pages[2] + pages[3]))
				g.Expect(api.calls).To(HaveLen(4))
				for i := range 3 {
					g.Expect(api.calls[i+1].Sub(api.calls[i])).To(BeNumerically(">=", time.Second))
				}
				g.Expect(a.slot).To(BeEmpty())
				g.Expect(a.pace.limiter.Limit()).To(BeNumerically(">", pace), "each page that was answered wins a little of the pace back")
			})
		})
	}
}

func TestAListThatIsLeftHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, api := NewWithT(t), &slowAPI{pages: []int{100, 100}}
		a := newSlowAccount(t, api, 1e6)
		for event, err := range a.ListUndelivered(t.Context(), "wh_1") {
			g.Expect(err).NotTo(HaveOccurred())
			_, err = a.RedeliverEvent(t.Context(), event.ID) // between two pages
			g.Expect(err).NotTo(HaveOccurred())
			if len(api.redeliver) == 3 {
				break
			}
		}
		g.Expect(api.calls).To(HaveLen(4))
		g.Expect(a.slot).To(BeEmpty())
		ended, end := context.WithCancel(t.Context())
		end()
		for _, err := range a.ListUndelivered(ended, "wh_1") {
			g.Expect(err).To(MatchError(ErrNotSent))
		}
		g.Expect(a.slot).To(BeEmpty())
	})
}

// undelivered reads the undelivered events of an endpoint to the end, or to an error.
func (r *rig) undelivered(endpointID string) ([]string, error) {
	var ids []string
	for event, err := range r.account.ListUndelivered(context.Background(), endpointID) {
		if err != nil {
			return ids, err
		}
		ids = append(ids, event.ID)
	}
	return ids, nil
}

// addEvents gives an endpoint events that were not delivered, and one that was.
func (r *rig) addEvents(endpointID string, undelivered int) []string {
	var ids []string
	for i := range undelivered + 1 {
		is := emulator.EventRecord{WebhookEndpointID: endpointID, Attempts: 9, CreatedAt: testTime.Add(time.Duration(i) * time.Second)}
		if i == undelivered {
			is.DeliveredAt = &is.CreatedAt
		}
		is, err := r.vendor.AddEvent(testKey, is)
		r.Expect(err).NotTo(HaveOccurred())
		if i < undelivered {
			ids = append(ids, is.ID)
		}
	}
	return ids
}

func TestTheUndeliveredEventsAreListedToTheirEnd(t *testing.T) {
	r := newRig(t)
	id := r.register(r.who)
	ids := r.addEvents(id, 250)
	slices.Reverse(ids) // newest first
	listed, err := r.undelivered(id)
	r.Expect(err).NotTo(HaveOccurred())
	r.Expect(listed).To(Equal(ids))
	r.Expect(r.vendor.Counters().Calls["ListEvents"]).To(Equal(3))
}

func TestNoBackgroundCallIsMadeWhileTheAccountIsBarred(t *testing.T) {
	for name, test := range map[string]struct {
		bar func(*rig)
		is  func(error) bool
	}{
		"paused":             {func(r *rig) { r.account.pause(testTime.Add(time.Hour)) }, MustWait},
		"with a refused key": {func(r *rig) { r.account.breaker.open(&medblocks.APIError{StatusCode: 401}) }, medblocks.IsUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.register(r.who)
			r.account.slot <- struct{}{} // whoever it is, nobody waits for them
			test.bar(r)
			_, err := r.account.RedeliverEvent(context.Background(), r.addEvents(id, 1)[0])
			r.Expect(test.is(err)).To(BeTrue(), "%v", err)
			_, err = r.undelivered(id)
			r.Expect(test.is(err)).To(BeTrue(), "%v", err)
			r.Expect(r.vendor.Counters().Calls).To(BeEmpty())
		})
	}
}

func TestA429OfOneRedeliveryDoesNotPauseTheAccountAndOneOfTheListDoes(t *testing.T) {
	r := newRig(t)
	id := r.register(r.who)
	event := r.addEvents(id, 1)[0]
	for range 2 { // the second one within a minute
		_, err := r.account.RedeliverEvent(context.Background(), event)
		r.Expect(err == nil || medblocks.IsRateLimited(err)).To(BeTrue(), "%v", err)
	}
	r.Expect(r.vendor.Counters().Statuses["RedeliverEvent"]).To(Equal(map[string]int{"200": 1, "429": 1}))
	r.Expect(r.account.barred()).NotTo(HaveOccurred())
	r.Expect(r.account.pace.limiter.Limit()).To(Equal(r.account.pace.full))

	r.vendor.InjectFault(emulator.Fault{Operation: "ListEvents", Kind: emulator.FaultStatus, Status: 429, RetryAfter: "33"})
	_, err := r.undelivered(id)
	r.Expect(medblocks.IsRateLimited(err)).To(BeTrue(), "%v", err)
	r.Expect(r.account.PausedUntil()).To(Equal(testTime.Add(33 * time.Second)))
}

func TestAKeyThatIsRefusedForBackgroundCallsIsRefused(t *testing.T) {
	for name, call := range map[string]func(*rig, string) error{
		"RedeliverEvent": func(r *rig, id string) error {
			_, err := r.account.RedeliverEvent(context.Background(), r.addEvents(id, 1)[0])
			return err
		},
		"ListEvents": func(r *rig, id string) error {
			_, err := r.undelivered(id)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			id := r.register(r.who)
			r.Expect(r.vendor.SetKey(emulator.Key{APIKey: testKey, State: emulator.KeyRevoked})).To(Succeed())
			r.Expect(medblocks.IsUnauthorized(call(r, id))).To(BeTrue())
			r.Expect(medblocks.IsUnauthorized(r.account.Refused())).To(BeTrue())
			r.Expect(r.account.slot).To(BeEmpty())
		})
	}
}
