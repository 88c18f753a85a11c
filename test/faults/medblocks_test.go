// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/google/go-cmp/cmp"

	"github.com/medblocks/webhook-operator/api/medblocks"
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

// plansOf has every fault befall the first call of each kind, and the first fault of each kind also the second call, and for
// a while.
func plansOf(s scenario, base outcome, faults []Fault, calls []Call) []plan {
	var plans []plan
	for _, call := range calls {
		known := map[string]bool{}
		for _, fault := range faults {
			if base.calls[call] == 0 || !fault.Befalls(call) {
				continue
			}
			once := plan{scenario: s, call: call, fault: fault, first: 1}
			plans = append(plans, once)
			if known[fault.Kind] {
				continue
			}
			known[fault.Kind] = true
			lasting, second := once, once
			lasting.lasts, second.first = aWhile, 2
			plans = append(plans, lasting)
			if base.effects[call] > max(fault.Calls, 1) {
				plans = append(plans, second)
			}
		}
	}
	return plans
}

var picked struct {
	mu    sync.Mutex
	kinds map[string]bool
}

// pick takes an even spread of the plans, and those with a fault that no scenario before has had, or of a kind that none has had when
// it wrote a Secret.
func pick(plans []plan, every int) []plan {
	if lab.Exhaustive() {
		return plans
	}
	picked.mu.Lock()
	defer picked.mu.Unlock()
	if picked.kinds == nil {
		picked.kinds = map[string]bool{}
	}
	var some []plan
	for i, p := range plans {
		kind := p.fault.Name
		if p.isSecretWrite() {
			kind = p.fault.Kind + " of a Secret"
		}
		if i%every == every/2 || !picked.kinds[kind] {
			picked.kinds[kind] = true
			some = append(some, p)
		}
	}
	return some
}

func TestNoAnswerOfMedblocksLosesOrDoublesAnything(t *testing.T) {
	t.Parallel()
	faults := OfMedblocks(elsewhere().URL)
	for _, s := range scenarios() {
		plans := pick(plansOf(s, baseline(t, s), faults, Calls()), 40)
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, p := range plans {
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
	w := lab.NewWorld(t, func(s *lab.Setup) {
		if p.fault.Hangs {
			s.Operator.CallTimeout = 500 * time.Millisecond
		}
	})
	op := p.scenario.begin(w)
	since := startOf(w, op)
	injection := &Injection{Call: p.call, Fault: p.fault, First: p.first, Lasts: p.lasts}
	op.Wire.Intercept(injection.Middleware(w))
	p.scenario.act(w)
	w.Expect(w.Settle()).To(BeTrue())
	if !p.isOptional() {
		w.Expect(injection.Hits()).To(BeNumerically(">", 0), "the fault befell nothing")
	}
	w.Advance(p.lasts)
	op.Wire.Intercept(nil)
	w.Advance(p.recovery())
	w.Expect(w.Settle()).To(BeTrue())
	p.touch(w)
	w.CheckInvariants()
	p.compare(t, w, outcomeOf(w, op, since), injection.Hits())
	w.Expect(strayed.Load()).To(BeZero(), "requests reached another host")
	w.Expect(Overdrawn.Load()).To(BeZero(), "huge bodies were read in full")
	checkSecrecy(w)
}

// slowRetry is how long it takes until a refusal is put to the test again.
const slowRetry = 11 * time.Minute

// recovery is how long it may take until everything is tried again: as long as the vendor has asked for, even if that was nonsense.
func (p plan) recovery() time.Duration {
	if p.fault.Kind == "Retry-After" {
		return medblocks.MaxRetryAfter + slowRetry
	}
	return slowRetry
}

// touch does what a person does where the vendor refuses a request for good: nothing else can help.
func (p plan) touch(w *lab.World) {
	if !p.fault.Refusal || !p.call.IsWrite() || w.Get(hooks) == nil {
		return
	}
	w.Annotate(hooks, v1alpha1.AnnotationReconcileRequestedAt, "again")
	w.Expect(w.Settle()).To(BeTrue())
}

func (p plan) compare(t *testing.T, w *lab.World, got outcome, hits int) {
	t.Helper()
	want := baseline(t, p.scenario)
	rotations := want.writes[Rotate]
	if p.call.IsWrite() && !p.fault.Harmless {
		rotations += hits
	}
	expectSame(t, want, got, p.isLossy())
	w.Expect(got.writes[Rotate]).To(BeNumerically("<=", rotations), "rotations")
}

// isOptional tells whether the call need not come: how often something is read or written once more, and whether a Secret is tried
// out that is there already, depends on how soon the informers show what was written.
func (p plan) isOptional() bool {
	if p.isKubernetes() {
		return p.first > 1 || (strings.HasPrefix(string(p.call), http.MethodPatch) && strings.Contains(string(p.call), "dry run"))
	}
	return p.first > 1 && !p.call.IsWrite()
}

func (p plan) isKubernetes() bool { return !slices.Contains(Calls(), p.call) }

// isSecretWrite tells whether the call writes the signing Secret. What may be lost then is shown nowhere else.
func (p plan) isSecretWrite() bool {
	return strings.Contains(string(p.call), "secrets") && !strings.HasPrefix(string(p.call), http.MethodGet)
}

// isLossy tells whether the fault may lose what was done at Medblocks or what was to be remembered of it.
func (p plan) isLossy() bool {
	return (p.call.IsWrite() || (p.isKubernetes() && !strings.HasPrefix(string(p.call), http.MethodGet))) && !p.fault.Harmless
}

// expectSame compares what remains, and how often an endpoint was registered or deleted.
func expectSame(t *testing.T, want, got outcome, lossy bool) {
	t.Helper()
	if diff := cmp.Diff(essence(want.state, lossy), essence(got.state, lossy)); diff != "" {
		t.Errorf("it did not end as the undisturbed run (-) did:\n%s", diff)
	}
	g := NewWithT(t)
	g.Expect(got.writes[Create]).To(Equal(want.writes[Create]), "registrations")
	g.Expect(got.writes[Delete]).To(Equal(want.writes[Delete]), "deletions")
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
