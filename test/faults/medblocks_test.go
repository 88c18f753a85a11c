// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/google/go-cmp/cmp"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

func TestMain(m *testing.M) { lab.Main(m, lab.Options{}) }

// elsewhere is another host, which no request of the operator must ever reach.
var elsewhere = sync.OnceValue(func() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
})

var strayed atomic.Int64

// plan is one fault of one call in one scenario.
type plan struct {
	scenario scenario
	call     Call
	fault    Fault
	first    int
	lasts    time.Duration
}

func (p plan) String() string {
	when := fmt.Sprintf("call %d", p.first)
	if p.lasts > 0 {
		when += " and for " + p.lasts.String()
	}
	return fmt.Sprintf("%s: %s at %s", p.call, p.fault.Name, when)
}

// aWhile is longer than a call may be in flight, a poll, and a pause after a 429.
const aWhile = 12 * time.Minute

func plansOf(s scenario, base outcome, faults []Fault, calls []Call) []plan {
	var plans []plan
	for _, call := range calls {
		for _, fault := range faults {
			if base.calls[call] == 0 || !fault.Befalls(call) {
				continue
			}
			once := plan{scenario: s, call: call, fault: fault, first: 1}
			lasting := once
			lasting.lasts = aWhile
			plans = append(plans, once, lasting)
			if base.calls[call] > fault.Calls+1 {
				plans = append(plans, plan{scenario: s, call: call, fault: fault, first: 2})
			}
		}
	}
	return plans
}

func TestNoAnswerOfMedblocksLosesOrDoublesAnything(t *testing.T) {
	t.Parallel()
	faults := OfMedblocks(elsewhere().URL)
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, p := range lab.Pick(plansOf(s, baseline(t, s), faults, Calls()), 20) {
				t.Run(p.String(), func(t *testing.T) {
					t.Parallel()
					lab.Report(s.name).Plan(t)
					p.run(t)
				})
			}
		})
	}
}

// run lets the fault befall the scenario, ends it, and compares what remains with the undisturbed run.
func (p plan) run(t *testing.T) {
	w := lab.NewWorld(t, func(s *lab.Setup) { s.Operator.CallTimeout = 150 * time.Millisecond })
	op := p.scenario.begin(w)
	since := len(op.Wire.Requests())
	injection := &Injection{Call: p.call, Fault: p.fault, First: p.first, Lasts: p.lasts}
	op.Wire.Intercept(injection.Middleware(w))
	p.scenario.act(w)
	w.Expect(w.Settle()).To(BeTrue())
	w.Expect(injection.Hits()).To(BeNumerically(">", 0), "the fault befell nothing")
	w.Advance(p.lasts)
	op.Wire.Intercept(nil)
	w.Advance(slowRetry)
	w.Expect(w.Settle()).To(BeTrue())
	p.touch(w)
	w.CheckInvariants()
	p.compare(t, w, outcomeOf(w, op, since), injection.Hits())
	w.Expect(strayed.Load()).To(BeZero(), "requests reached another host")
	checkSecrecy(w)
}

// slowRetry is how long it takes until a refusal is put to the test again.
const slowRetry = 11 * time.Minute

// touch does what a person does where the vendor refuses a request for good: nothing else can help.
func (p plan) touch(w *lab.World) {
	if !p.fault.Refusal || !p.call.IsWrite() || w.Get(hooks) == nil {
		return
	}
	w.Annotate(hooks, v1alpha1.AnnotationReconcileRequestedAt, "again")
	w.Expect(w.Settle()).To(BeTrue())
}

func (p plan) compare(t *testing.T, w *lab.World, got outcome, hits int) {
	want := baseline(t, p.scenario)
	mayRotate := p.call.IsWrite() && !p.fault.Harmless
	if diff := cmp.Diff(essence(want.state, mayRotate), essence(got.state, mayRotate)); diff != "" {
		t.Errorf("it did not end as the undisturbed run (-) did:\n%s", diff)
	}
	w.Expect(got.effects[Create]).To(Equal(want.effects[Create]), "registrations")
	w.Expect(got.effects[Delete]).To(Equal(want.effects[Delete]), "deletions")
	rotations := want.effects[Rotate]
	if mayRotate {
		rotations += hits
	}
	w.Expect(got.effects[Rotate]).To(BeNumerically("<=", rotations), "rotations")
}

func checkSecrecy(w *lab.World) {
	hay := w.Logs.String() + w.Show()
	for _, line := range w.Events() {
		hay += line
	}
	needles := []string{w.Key}
	for _, e := range w.Vendor.Endpoints("") {
		needles = append(needles, e.Secret)
	}
	for _, needle := range needles {
		w.Expect(hay).NotTo(ContainSubstring(needle))
	}
}
