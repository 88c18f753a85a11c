// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stale

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/google/go-cmp/cmp"

	"github.com/medblocks/webhook-operator/test/lab"
)

// plan says what an operator is shown, and when.
type plan struct {
	// write at which the one before it ends, of those after act; 0: it ends when all is settled.
	write int
	// revision of the history since act.
	revision int
	// collections that are shown as of the revision; none: all.
	collections []string
	// expire: what came after is not delivered, but listed.
	expire bool
}

// String names the plan, given the revisions that there are.
func (p plan) name(revisions []lab.Revision) string {
	when, what, then := "at the end", "all", "delivered"
	if p.write > 0 {
		when = fmt.Sprintf("after write %d", p.write)
	}
	if len(p.collections) > 0 {
		what = strings.Join(p.collections, " and ")
	}
	if p.expire {
		then = "listed"
	}
	return fmt.Sprintf("%s, %s as of %d (%s), %s", when, what, p.revision, revisions[p.revision].Event, then)
}

// stage is a world in which a scenario was played, up to the end of its operator.
type stage struct {
	*lab.World
	revisions []lab.Revision
	// writes of the operator since act, as far as it came.
	writes int
	// state, outcome and calls of a scenario that came to its end.
	state, outcome lab.State
	calls          calls
}

// enact plays a scenario up to a write, or to its end with 0.
func enact(t *testing.T, s scenario, write int) *stage {
	t.Helper()
	w := lab.NewWorld(t)
	op := w.Start()
	if s.prepare != nil {
		s.prepare(w)
	}
	w.Expect(w.Settle()).To(BeTrue())
	history := w.Record()
	w.Vendor.ResetCounters()
	wire := op.Wire
	if s.down {
		op.Kill()
		s.act(w)
		wire = w.NewWire()
	}
	if write > 0 {
		wire.Intercept(lab.CrashAt(write, lab.AnswerArrived))
	} else {
		wire.Intercept(nil)
	}
	before := len(wire.Writes())
	if s.down {
		op = w.StartThrough(wire)
	} else {
		s.act(w)
	}
	w.Expect(w.Settle()).To(Equal(write == 0))
	st := &stage{World: w, writes: len(wire.Writes()) - before}
	if write == 0 {
		st.state, st.outcome, st.calls = w.State(), outcome(w), callsTo(w)
	}
	op.Kill()
	st.revisions = history.Revisions()
	return st
}

func TestAnOperatorThatIsShownThePastEndsWhereOneEndsThatIsNot(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			testScenario(t, s)
		})
	}
}

func testScenario(t *testing.T, s scenario) {
	t.Helper()
	undisturbed := enact(t, s, 0)
	undisturbed.CheckInvariants()
	undisturbed.Expect(undisturbed.calls).To(Equal(s.calls), "of the undisturbed run")
	writes := []int{0}
	switch {
	case s.whole:
	case lab.Exhaustive():
		for k := range undisturbed.writes - 1 {
			writes = append(writes, k+1)
		}
	case undisturbed.writes > 1:
		writes = append(writes, undisturbed.writes/2)
	}
	for _, write := range writes {
		at := undisturbed
		if write > 0 {
			at = enact(t, s, write)
		}
		for _, p := range lab.Pick(plans(write, at.revisions), 6) {
			t.Run(p.name(at.revisions), func(t *testing.T) {
				t.Parallel()
				lab.Report("frozen: " + s.name).Plan(t)
				testPlan(t, s, p, undisturbed)
			})
		}
	}
}

// plans are those that follow an end at that write. The last revision is the present.
func plans(write int, revisions []lab.Revision) []plan {
	var all []plan
	for i := range len(revisions) - 1 {
		is := func(collection string) bool { return i == 0 || revisions[i].Collection == collection }
		all = append(all, plan{write: write, revision: i, expire: i%2 == 1})
		for _, collection := range []string{lab.ResourceViews, lab.SecretViews} {
			later := slices.ContainsFunc(revisions[i+1:], func(r lab.Revision) bool { return r.Collection == collection })
			if is(collection) && later {
				all = append(all, plan{write: write, revision: i, collections: []string{collection}, expire: i%2 == 0})
			}
		}
	}
	return all
}

func testPlan(t *testing.T, s scenario, p plan, undisturbed *stage) {
	t.Helper()
	w := enact(t, s, p.write)
	view := w.NewViewAt(w.revisions[min(p.revision, len(w.revisions)-2)].Number, p.collections...)
	wire := w.NewWire()
	wire.Intercept(view.Serve)
	op := w.StartThrough(wire, func(o *lab.OperatorOptions) { o.Blind = true })
	w.Advance(6 * time.Minute)
	if p.write == 0 {
		w.Expect(wire.Writes()).To(BeEmpty(), "there is nothing to do, and the past is no reason to do anything")
	}
	if p.expire {
		view.Expire()
	} else {
		view.Release()
	}
	op.SetBlind(false)
	w.Expect(w.Settle()).To(BeTrue())
	w.CheckInvariants()
	want, is, spare := undisturbed.state, w.State(), 0
	if p.write > 0 {
		want, is, spare = undisturbed.outcome, outcome(w.World), max(1, s.calls.posts) // each resource loses the secret in an answer that nobody has stored
	}
	if s.exact {
		spare = 0
	}
	if diff := cmp.Diff(want, is); diff != "" {
		t.Errorf("-undisturbed +with a past:\n%s", diff)
	}
	got := callsTo(w.World)
	w.Expect(got.posts).To(Equal(s.calls.posts))
	w.Expect(got.deletes).To(Equal(s.calls.deletes))
	w.Expect(got.rotations).To(And(BeNumerically(">=", s.calls.rotations), BeNumerically("<=", s.calls.rotations+spare)))
}
