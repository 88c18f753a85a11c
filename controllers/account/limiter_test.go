// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

const someID = "wh_01ARZ3NDEKTSV4RRFFQ69G5FAV"

// TestWhoWaitsForTheirTurnLearnsWhatHappenedMeanwhile has one call wait behind another that the vendor refuses: the second must not
// be sent for nothing, or every worker would be refused once.
func TestWhoWaitsForTheirTurnLearnsWhatHappenedMeanwhile(t *testing.T) {
	for name, happens := range map[string]func(*rig){
		"a 429": func(r *rig) { r.account.pause(testTime.Add(time.Hour)) },
		"a 401": func(r *rig) { r.account.breaker.open(&medblocks.APIError{StatusCode: 401}) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.Expect(r.account.pace.line(t.Context(), urgent)).To(Succeed()) // the turn is somebody else's
			answer := make(chan error, 1)
			go func() {
				_, err := r.account.GetEndpoint(context.Background(), someID)
				answer <- err
			}()
			r.Eventually(func() int {
				r.account.pace.mu.Lock()
				defer r.account.pace.mu.Unlock()
				return len(r.account.pace.waiting[urgent])
			}).Should(Equal(1))
			happens(r)
			r.account.pace.pass()
			r.Eventually(answer).Should(Receive(HaveOccurred()))
			r.Expect(r.vendor.Counters().Calls).To(BeEmpty())
		})
	}
}

func TestTheNextPageOfAListWaitsForTheEndOfAPause(t *testing.T) {
	r := newRig(t)
	r.account.pause(testTime.Add(time.Minute))
	admitted := make(chan error, 1)
	go func() { admitted <- r.account.admitPage(context.Background(), medblocks.ListEndpointsOptions{}) }()
	r.Eventually(r.clock.HasWaiters).Should(BeTrue())
	r.clock.Step(59 * time.Second)
	r.Consistently(admitted, "20ms").ShouldNot(Receive())
	r.clock.Step(time.Second)
	r.Eventually(admitted).Should(Receive(BeNil()))
}

func TestAListThatSomebodyWaitsForIsUrgentAndAPollIsNot(t *testing.T) {
	r := newRig(t)
	r.Expect(r.account.isAwaited()).To(BeTrue(), "before the first list nobody can go on")
	r.start(t)
	r.Expect(r.account.isAwaited()).To(BeFalse())
	r.account.mu.Lock()
	r.account.waiting[r.who] = struct{}{}
	r.account.mu.Unlock()
	r.Expect(r.account.isAwaited()).To(BeTrue())
}

func TestRefusalsOfOneMomentSlowAnAccountDownOnce(t *testing.T) {
	r := newRig(t)
	full := r.account.pace.limiter.Limit()
	for range 5 { // calls that were under way together
		r.account.noteError(&medblocks.APIError{StatusCode: 429})
	}
	r.Expect(r.account.pace.limiter.Limit()).To(Equal(full / 2))
	r.clock.Step(defaultPause)
	r.account.noteError(&medblocks.APIError{StatusCode: 429})
	r.Expect(r.account.pace.limiter.Limit()).To(Equal(full / 4))
	r.account.noteError(nil)
	r.Expect(r.account.pace.limiter.Limit()).To(BeNumerically(">", full/4))
}
