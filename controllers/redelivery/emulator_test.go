// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/medblocks/webhook-operator/test/emulator"
)

// inTurn is the order in which events are redelivered: the newest one first, and then the oldest.
func inTurn(ids []string) []string {
	last := len(ids) - 1
	return append([]string{ids[last]}, ids[:last]...)
}

func TestWhatAnEndpointHasMissedIsRedelivered(t *testing.T) {
	r := newRig(t)
	ids := r.lose(250) // three pages
	p := r.redeliver(r.job())
	r.Expect(p).To(Equal(Progress{State: Completed, Delivered: 250, Canary: ids[249], Cursor: ids[248]}))
	got, _ := r.receiver.received()
	r.Expect(got).To(Equal(inTurn(ids)))
	r.Expect(r.calls("RedeliverEvent")).To(Equal(map[string]int{"200": 250}))
	r.Expect(r.calls("ListEvents")).To(Equal(map[string]int{"200": 3}))
	r.Expect(r.office.logged()).To(ContainElement(MatchRegexp(`"Wrote to Medblocks".*"requestID"="req_.+" "eventID"="` + ids[0] + `" "delivered"=true`)))
	r.Expect(labels(r)).To(ContainElement("RedeliverEvent"))
}

// labels are the operations that calls to Medblocks are counted by.
func labels(r *rig) []string {
	families, err := metrics.Registry.Gather()
	r.Expect(err).NotTo(HaveOccurred())
	var all []string
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if family.GetName() == "medblocks_api_requests_total" && label.GetName() == "operation" {
					all = append(all, label.GetValue())
				}
			}
		}
	}
	return all
}

func TestAReceiverThatIsStillDownGetsOneEvent(t *testing.T) {
	r := newRig(t)
	ids := r.lose(5)
	r.receiver.set(down)
	job := r.job()
	p := r.redeliver(job)
	r.Expect(p).To(Equal(Progress{
		State: Stopped, Pending: 4, Failed: 1, Canary: ids[4], Cursor: ids[4], Answer: "it answered 503", Exhausted: []string{ids[4]},
	}))
	got, _ := r.receiver.received()
	r.Expect(got).To(Equal(ids[4:]))

	t.Log("The next try begins with another one.")
	r.receiver.set(ok)
	r.clock.Step(time.Hour)
	p = r.redeliver(r.job(func(j *Job) { j.Avoid = p.Canary }))
	r.Expect(p).To(Equal(Progress{State: Completed, Delivered: 5, Canary: ids[3], Cursor: ids[4]}))
}

func TestAReceiverThatGoesDownInTheMiddleStopsTheTryAndTheNextOneTakesUpTheRest(t *testing.T) {
	r := newRig(t)
	ids := r.lose(20)
	var asked atomic.Int32
	r.receiver.set(func(id string) int {
		if asked.Add(1) > 10 {
			return down(id)
		}
		return ok(id)
	})
	p := r.redeliver(r.job())
	r.Expect(p).To(Equal(Progress{
		State: Stopped, Pending: 7, Delivered: 10, Failed: 3, Canary: ids[19], Cursor: ids[11], Answer: "it answered 503", Exhausted: ids[9:12],
	}))
	r.receiver.set(ok)
	r.clock.Step(time.Hour)
	p = r.redeliver(r.job(func(j *Job) { j.Delivered = p.Delivered }))
	r.Expect(p).To(Equal(Progress{State: Completed, Delivered: 20, Canary: ids[18], Cursor: ids[17]}))
	_, taken := r.receiver.received()
	r.Expect(taken).To(And(HaveLen(20), HaveEach(1)), "nothing is sent twice that was delivered")
}

// TestAnOperatorThatIsKilledSendsNothingAgainThatWasDelivered kills it at some call, before that had its effect or when its answer is
// under way, and has another one begin where the published progress ends.
func TestAnOperatorThatIsKilledSendsNothingAgainThatWasDelivered(t *testing.T) {
	for _, phase := range []emulator.Phase{emulator.PhaseBefore, emulator.PhaseAfterEffect} {
		for _, at := range []int32{1, 2, 7, 12} {
			t.Run(fmt.Sprintf("%s, call %d", phase, at), func(t *testing.T) {
				r := newRig(t)
				r.lose(12)
				var calls atomic.Int32
				first := r.process
				r.vendor.SetHook(func(c emulator.HookCall) error {
					if c.Operation == emulator.OperationRedeliverEvent && c.Phase == phase && calls.Add(1) == at {
						first.kill()
						return errors.New("nobody waits for the answer")
					}
					return nil
				})
				job := r.job()
				r.office.Go(orders, r.account, job)
				<-first.ended
				p, _ := r.office.Progress(orders, job.Begun)
				r.startProcess()
				job.Delivered, job.Failed, job.Resumed = p.Delivered, p.Failed, p.Canary != ""
				r.office.Go(orders, r.account, job)
				r.Expect(r.outcome(job).State).To(Equal(Completed))
				_, taken := r.receiver.received()
				r.Expect(taken).To(And(HaveLen(12), HaveEach(1)))
			})
		}
	}
}

// TestAnAttemptThatIsUnderWayAtARestartIsNotMadeAgain: what it comes to is known before the second look.
func TestAnAttemptThatIsUnderWayAtARestartIsNotMadeAgain(t *testing.T) {
	r := newRig(t)
	ids := r.lose(3)
	arrived, answer := make(chan struct{}), make(chan struct{})
	r.receiver.set(func(id string) int {
		if id == ids[0] {
			close(arrived)
			<-answer
		}
		return ok(id)
	})
	job := r.job()
	r.office.Go(orders, r.account, job)
	<-arrived
	r.end()
	r.startProcess()
	job.Resumed = true
	r.office.Go(orders, r.account, job)
	r.Eventually(func(g Gomega) {
		_, taken := r.receiver.received()
		g.Expect(taken).To(HaveKey(ids[1]))
	}).Should(Succeed())
	close(answer)
	r.quiet()
	r.Expect(r.outcome(job).State).To(Equal(Completed))
	_, taken := r.receiver.received()
	r.Expect(taken).To(And(HaveLen(3), HaveEach(1)))
}

func TestAnAnswerThatIsLostCostsNoSecondDelivery(t *testing.T) {
	for _, kind := range []emulator.FaultKind{emulator.FaultLostAnswer, emulator.FaultTruncatedJSON, emulator.FaultEmptyBody} {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t)
			r.lose(5)
			r.vendor.InjectFault(emulator.Fault{Operation: "RedeliverEvent", Kind: kind, Times: 2})
			p := r.redeliver(r.job())
			r.Expect(p.State).To(Equal(Completed))
			r.Expect(p.Delivered).To(Equal(5))
			_, taken := r.receiver.received()
			r.Expect(taken).To(And(HaveLen(5), HaveEach(1)))
			r.Expect(r.calls("ListEvents")).To(Equal(map[string]int{"200": 3}))
		})
	}
}

func TestA429DelaysOneEvent(t *testing.T) {
	r := newRig(t)
	ids := r.lose(5)
	var calls atomic.Int32
	r.vendor.SetHook(func(c emulator.HookCall) error {
		if c.Operation == emulator.OperationRedeliverEvent && c.Phase == emulator.PhaseAfterEffect && calls.Add(1) == 1 { // after the canary
			r.vendor.InjectFault(emulator.Fault{Operation: "RedeliverEvent", Kind: emulator.FaultStatus, Status: 429, RetryAfter: "45"})
		}
		return nil
	})
	job := r.job()
	r.office.Go(orders, r.account, job)
	r.Eventually(func() int { got, _ := r.receiver.received(); return len(got) }).Should(Equal(4), "the others do not wait")
	r.Expect(r.outcome(job)).To(Equal(Progress{State: Completed, Delivered: 5, Canary: ids[4], Cursor: ids[0]}))
	got, _ := r.receiver.received()
	r.Expect(got).To(Equal([]string{ids[4], ids[1], ids[2], ids[3], ids[0]}))
	r.Expect(r.account.PausedUntil()).To(BeZero(), "the account goes on")
}

func TestAnEventThatSomebodyElseHasJustRedeliveredWaitsForItsMinute(t *testing.T) {
	r := newRig(t)
	just := start.Add(-20 * time.Second)
	ids := r.lose(3, func(e *emulator.EventRecord) { e.LastRedeliveredAt = &just })
	r.Expect(r.redeliver(r.job()).Delivered).To(Equal(3))
	got, _ := r.receiver.received()
	r.Expect(got).To(Equal(inTurn(ids)))
	r.Expect(r.calls("RedeliverEvent")).To(Equal(map[string]int{"200": 3}), "none was asked for too soon")
}

func TestAPausedAccountMakesNoCallsForAJob(t *testing.T) {
	for name, pause := range map[string]emulator.Operation{"by the list": "ListEvents", "by another call": "GetEndpoint"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.lose(5)
			r.vendor.InjectFault(emulator.Fault{Operation: pause, Kind: emulator.FaultStatus, Status: 429, RetryAfter: "600"})
			if pause == "GetEndpoint" {
				_, err := r.account.GetEndpoint(t.Context(), r.endpoint)
				r.Expect(err).To(HaveOccurred())
			}
			job := r.job()
			r.office.Go(orders, r.account, job)
			r.Eventually(r.account.PausedUntil).Should(Equal(start.Add(600 * time.Second)))
			r.Eventually(r.clock.HasWaiters).Should(BeTrue())
			lists := r.vendor.Counters().Calls["ListEvents"]
			for r.clock.Since(start) < 590*time.Second {
				r.clock.Step(10 * time.Second)
				r.Expect(r.vendor.Counters().Calls["ListEvents"]).To(Equal(lists))
				r.Expect(r.vendor.Counters().Calls["RedeliverEvent"]).To(BeZero())
			}
			r.Expect(r.outcome(job).Delivered).To(Equal(5))
		})
	}
}

func TestARefusedKeyIsWaitedFor(t *testing.T) {
	r := newRig(t)
	r.lose(5)
	r.until(func(g Gomega) { g.Expect(r.calls("ListEndpoints")).NotTo(BeEmpty()) })
	r.Expect(r.vendor.SetKey(emulator.Key{APIKey: testKey, State: emulator.KeyRevoked})).To(Succeed())
	job := r.job()
	r.office.Go(orders, r.account, job)
	r.Eventually(r.account.Refused).Should(HaveOccurred())
	asked := r.vendor.Counters().Calls["ListEvents"]
	for range 100 {
		r.clock.Step(10 * time.Second)
	}
	r.Expect(r.vendor.Counters().Calls["ListEvents"]).To(Equal(asked), "the poller finds out when it is accepted again")
	r.Expect(r.vendor.SetKey(emulator.Key{APIKey: testKey, State: emulator.KeyActive})).To(Succeed())
	r.Expect(r.outcome(job).Delivered).To(Equal(5))
}

func TestAnEndpointThatIsDisabledAgainIsWaitedForUntilSomebodyStopsTheJob(t *testing.T) {
	for name, goesOn := range map[string]bool{"it is stopped": false, "it is enabled": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.lose(5)
			r.receiver.set(func(id string) int {
				_ = r.vendor.DisableEndpoint(r.endpoint) // while the canary is under way
				return ok(id)
			})
			job := r.job()
			r.office.Go(orders, r.account, job)
			r.until(func(g Gomega) { g.Expect(r.calls("RedeliverEvent")["409"]).To(BeNumerically(">", 2)) })
			p, _ := r.office.Progress(orders, job.Begun)
			r.Expect(p.State).To(Equal(Running))
			r.receiver.set(ok)
			if goesOn {
				r.Expect(r.vendor.EnableEndpoint(r.endpoint)).To(Succeed())
				r.Expect(r.outcome(job).Delivered).To(Equal(5))
				return
			}
			r.quiet() // no call is under way
			r.office.Stop(orders)
			r.Expect(r.vendor.EnableEndpoint(r.endpoint)).To(Succeed())
			for range 100 {
				r.clock.Step(10 * time.Second)
			}
			got, _ := r.receiver.received()
			r.Expect(got).To(HaveLen(1))
		})
	}
}

func TestAnEndpointThatIsGoneIsWaitedForUntilSomebodyStopsTheJob(t *testing.T) {
	r := newRig(t)
	r.lose(3)
	r.Expect(r.vendor.RemoveEndpoint(r.endpoint)).To(Succeed())
	job := r.job()
	r.office.Go(orders, r.account, job)
	r.until(func(g Gomega) { g.Expect(r.calls("ListEvents")["404"]).To(BeNumerically(">", 2)) })
	_, known := r.office.Progress(orders, job.Begun)
	r.Expect(known).To(BeFalse(), "nothing is known of what was missed")
	r.Expect(r.account.Refused()).NotTo(HaveOccurred())
}

func TestTheOrderOfAListIsNotReliedOn(t *testing.T) {
	old := func(e *emulator.EventRecord) { e.CreatedAt = e.CreatedAt.Add(-200 * time.Hour) }
	for name, test := range map[string]struct {
		quirks emulator.Quirks
		pages  int
	}{
		"newest first": {emulator.Quirks{}, 3},
		"oldest first": {emulator.Quirks{EventsOldestFirst: true, OpaqueCursors: true}, 7},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.lose(500, old)
			ids := r.lose(120)
			r.vendor.SetQuirks(test.quirks)
			p := r.redeliver(r.job())
			r.Expect(p.Delivered).To(Equal(120))
			got, _ := r.receiver.received()
			r.Expect(got).To(Equal(inTurn(ids)))
			r.Expect(r.calls("ListEvents")).To(Equal(map[string]int{"200": test.pages}), "pages that hold nothing more are not read")
		})
	}
}

func TestEventsThatAreListedAndNotFoundHaveFailed(t *testing.T) {
	r := newRig(t)
	ids := r.lose(4)
	r.receiver.set(func(id string) int {
		if id == ids[3] { // all others are not found, whenever they are asked for
			r.vendor.InjectFault(emulator.Fault{Operation: "RedeliverEvent", Kind: emulator.FaultStatus, Status: 404, Times: 100})
		}
		return ok(id)
	})
	r.Expect(r.redeliver(r.job())).To(Equal(Progress{
		State: Completed, Delivered: 1, Failed: 3, Canary: ids[3], Cursor: ids[3], Exhausted: ids[:3],
	}))
	r.Expect(r.calls("RedeliverEvent")).To(Equal(map[string]int{"200": 1, "404": 15}))
}

func TestEventsThatFailHaveFourMoreLooks(t *testing.T) {
	r := newRig(t)
	ids := r.lose(6)
	r.receiver.set(func(id string) int {
		got, _ := r.receiver.received()
		times := 0
		for _, before := range got {
			if before == id {
				times++
			}
		}
		if i := slices.Index(ids, id); i < 5 && times < i+1 { // the first is taken at the second look, and so on
			return 422
		}
		return 200
	})
	p := r.redeliver(r.job())
	r.Expect(p).To(Equal(Progress{
		State: Completed, Delivered: 5, Failed: 1, Canary: ids[5], Cursor: ids[4], Answer: "it answered 422", Exhausted: ids[4:5],
	}))
	got, _ := r.receiver.received()
	r.Expect(got).To(Equal(slices.Concat(inTurn(ids), ids[:5], ids[1:5], ids[2:5], ids[3:5])))
	r.Expect(r.calls("RedeliverEvent")).To(Equal(map[string]int{"200": 20}), "none was asked for too soon")
}
