// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

func TestAClaimEndsAsItsHandlerDid(t *testing.T) {
	g, ctx := NewWithT(t), context.Background()
	m := event.NewMemoryDeduplicator(0)
	claim := func() event.Claim {
		got, err := m.Claim(ctx, "evt_1")
		g.ExpectWithOffset(1, err).NotTo(HaveOccurred())
		return got
	}
	g.Expect(claim()).To(Equal(event.Claimed))
	g.Expect(claim()).To(Equal(event.InProgress))
	g.Expect(m.Release(ctx, "evt_1")).To(Succeed())
	g.Expect(claim()).To(Equal(event.Claimed))
	g.Expect(m.Complete(ctx, "evt_1")).To(Succeed())
	g.Expect(claim()).To(Equal(event.Done))
	g.Expect(m.Complete(ctx, "evt_1")).To(Succeed())
	g.Expect(m.Release(ctx, "evt_1")).To(Succeed())
	g.Expect(claim()).To(Equal(event.Done), "what is done stays done")
}

func TestTheMemoryIsBoundedAndForgetsTheOldestFirst(t *testing.T) {
	g, ctx := NewWithT(t), context.Background()
	m := event.NewMemoryDeduplicator(3)
	for i := range 8 {
		id := fmt.Sprintf("evt_%d", i)
		g.Expect(m.Claim(ctx, id)).To(Equal(event.Claimed))
		g.Expect(m.Complete(ctx, id)).To(Succeed())
		g.Expect(m.Complete(ctx, id)).To(Succeed(), "twice takes one place")
	}
	for i, want := range []event.Claim{0, 0, 0, 0, 0, event.Done, event.Done, event.Done} {
		id := fmt.Sprintf("evt_%d", i)
		g.Expect(m.Claim(ctx, id)).To(Equal(want), id)
		g.Expect(m.Release(ctx, id)).To(Succeed())
	}
}

func TestTheNumberOfClaimsAtATimeIsBounded(t *testing.T) {
	g, ctx := NewWithT(t), context.Background()
	m := event.NewMemoryDeduplicator(2)
	g.Expect(m.Claim(ctx, "evt_1")).To(Equal(event.Claimed))
	g.Expect(m.Claim(ctx, "evt_2")).To(Equal(event.Claimed))
	_, err := m.Claim(ctx, "evt_3")
	g.Expect(err).To(MatchError(event.ErrBusy))
	g.Expect(m.Claim(ctx, "evt_1")).To(Equal(event.InProgress))
	g.Expect(m.Release(ctx, "evt_1")).To(Succeed())
	g.Expect(m.Claim(ctx, "evt_3")).To(Equal(event.Claimed))
}

func TestOfManyClaimsAtOnceOneIsGranted(t *testing.T) {
	g, ctx := NewWithT(t), context.Background()
	m := event.NewMemoryDeduplicator(0)
	var granted atomic.Int32
	var wait sync.WaitGroup
	for range 64 {
		wait.Go(func() {
			if claim, err := m.Claim(ctx, "evt_1"); err == nil && claim == event.Claimed {
				granted.Add(1)
			}
		})
	}
	wait.Wait()
	g.Expect(granted.Load()).To(Equal(int32(1)))
}

func TestManyDeliveriesOfOneEventAtOnceAreHandledOnce(t *testing.T) {
	g := NewWithT(t)
	var handled, succeeded atomic.Int32
	r := newReceiver(t, func(context.Context, event.Event) error {
		handled.Add(1)
		return nil
	})
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if status, _ := r.deliverSigned(g, goodBody()); status == http.StatusOK {
				succeeded.Add(1)
			}
		})
	}
	wait.Wait()
	g.Expect(handled.Load()).To(Equal(int32(1)))
	g.Expect(succeeded.Load()).To(BeNumerically(">=", 1))
}

// failingStore is a deduplicator whose calls fail when told to.
type failingStore struct {
	event.Deduplicator
	claim, complete, release error
}

func (s *failingStore) Claim(ctx context.Context, id string) (event.Claim, error) {
	if s.claim != nil {
		return 0, s.claim
	}
	return s.Deduplicator.Claim(ctx, id)
}

func (s *failingStore) Complete(ctx context.Context, id string) error {
	return errors.Join(s.complete, s.Deduplicator.Complete(ctx, id))
}

func (s *failingStore) Release(ctx context.Context, id string) error {
	return errors.Join(s.release, s.Deduplicator.Release(ctx, id))
}

func TestADeduplicatorThatFails(t *testing.T) {
	broken := errors.New("store is down")
	cases := map[string]struct {
		store   failingStore
		handler error
		status  int
		outcome event.Outcome
		handled int32
	}{
		"to claim costs the attempt, not the event":       {failingStore{claim: broken}, nil, 503, event.OutcomeFailed, 0},
		"to complete does not have the event sent again":  {failingStore{complete: broken}, nil, 200, event.OutcomeHandled, 1},
		"to release after a failure is reported as well":  {failingStore{release: broken}, errors.New("x"), 500, event.OutcomeFailed, 1},
		"not at all leaves the handler's own error alone": {failingStore{}, broken, 500, event.OutcomeFailed, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var handled atomic.Int32
			tc.store.Deduplicator = event.NewMemoryDeduplicator(0)
			r := newReceiver(t, func(context.Context, event.Event) error {
				handled.Add(1)
				return tc.handler
			}, func(o *event.Options) { o.Deduplicator = &tc.store })
			status, answer := r.deliverSigned(g, goodBody())
			g.Expect(status).To(Equal(tc.status))
			g.Expect(answer).To(Equal(string(tc.outcome)))
			g.Expect(handled.Load()).To(Equal(tc.handled))
			g.Eventually(r.observed).Should(HaveLen(1))
			g.Expect(r.observed()[0].Err).To(MatchError(broken))
		})
	}
}
