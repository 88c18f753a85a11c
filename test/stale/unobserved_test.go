// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stale

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/google/go-cmp/cmp"

	"github.com/medblocks/webhook-operator/test/lab"
)

// round is a change that is undone before the operator sees either, or a change and another one after it.
type round struct {
	name string
	// prepare comes before, and is followed by settling: such a round is for a settled world only.
	prepare func(*lab.World)
	// since which write of a registration there is what is changed.
	since int
	// change and undo it. What is there to be restored goes from one to the other through the keepsakes.
	change, undo func(*lab.World, keepsakes)
	// after all has settled again, something more may happen.
	after func(*lab.World)
	// instead is what would have had the same outcome, in the sight of an operator; nil: nothing.
	instead func(*lab.World)
	// calls to Medblocks that it takes, beside those of the registration.
	calls calls
	// busy rounds need other writes to Medblocks; all others need none at all.
	busy bool
	// polled rounds are seen by the polls of Medblocks, if they last.
	polled bool
	// lingers: the resource stays until after, being deleted, which is nothing that settles.
	lingers bool
	// final rounds end what was registered before.
	final bool
}

// settled is the moment at which nothing is left to do; those before it are numbers of writes.
const settled = 5

// occasion is when a round takes place, and what keeps the operator from seeing it.
type occasion struct {
	// moment: after which write of the registration.
	moment int
	// down: no operator runs. Otherwise one does, and is shown nothing.
	down bool
	// pause: time passes before it is undone.
	pause bool
	// expire: the operator is not told what it has missed, but lists anew.
	expire bool
}

func (o occasion) String() string {
	when := fmt.Sprintf("after write %d", o.moment)
	if o.moment == settled {
		when = "when settled"
	}
	how, then := "while the watch is blocked", ""
	switch {
	case o.down:
		how = "while the operator is down"
	case o.expire:
		then = ", then listed"
	default:
		then = ", then delivered"
	}
	if o.pause {
		how += " for long"
	}
	return when + ", " + how + then
}

// occasions are those that a round can have.
func (r round) occasions() []occasion {
	var all []occasion
	for moment := r.since; moment < settled && r.prepare == nil; moment++ {
		all = append(all, occasion{moment: moment, down: true}, occasion{moment: moment, expire: moment%2 == 0, pause: moment%3 == 0})
	}
	all = append(all,
		occasion{moment: settled, down: true}, occasion{moment: settled, down: true, pause: true},
		occasion{moment: settled}, occasion{moment: settled, expire: true},
		occasion{moment: settled, pause: true}, occasion{moment: settled, pause: true, expire: true},
	)
	return slices.DeleteFunc(all, func(o occasion) bool { return r.polled && o.pause && !o.down })
}

func TestWhatIsUndoneBeforeTheOperatorSeesItNeverHappened(t *testing.T) {
	t.Parallel()
	for _, r := range rounds() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			want := reference(t, r)
			for _, o := range lab.Pick(r.occasions(), 8) {
				t.Run(o.String(), func(t *testing.T) {
					t.Parallel()
					lab.Report("unobserved: " + r.name).Plan(t)
					testRound(t, r, o, want)
				})
			}
		})
	}
}

// result is what became of a round.
type result struct {
	state, outcome lab.State
	calls          calls
}

func resultOf(w *lab.World) result {
	w.T.Helper()
	w.CheckInvariants()
	return result{state: w.State(), outcome: outcome(w), calls: callsTo(w)}
}

// reference is what is wanted.
func reference(t *testing.T, r round) result {
	t.Helper()
	w := lab.NewWorld(t)
	w.Start()
	create()(w)
	w.Expect(w.Settle()).To(BeTrue())
	for _, step := range []func(*lab.World){r.prepare, r.instead, r.after} {
		if step != nil {
			step(w)
			w.Expect(w.Settle()).To(BeTrue())
		}
	}
	return resultOf(w)
}

func testRound(t *testing.T, r round, o occasion, want result) {
	t.Helper()
	w := lab.NewWorld(t)
	op, end := hide(w, r, o)
	before := len(op.Wire.Writes())
	kept := keepsakes{}
	r.change(w, kept)
	if o.pause {
		w.Advance(6 * time.Minute)
	}
	if r.undo != nil {
		r.undo(w, kept)
	}
	op = end()
	if r.lingers {
		w.Advance(15 * time.Minute)
	} else {
		w.Expect(w.Settle()).To(BeTrue())
	}
	if !r.busy && o.moment == settled {
		expectNoWrite(w, op, before, o)
	}
	if r.after != nil {
		r.after(w)
		w.Expect(w.Settle()).To(BeTrue())
	}
	is := resultOf(w)
	if o.moment == settled && !r.busy {
		is.outcome, want.outcome = is.state, want.state
	}
	if !o.down && !o.expire {
		is.outcome, want.outcome = withoutRequests(is.outcome), withoutRequests(want.outcome)
	}
	if diff := cmp.Diff(want.outcome, is.outcome); diff != "" {
		t.Errorf("-wanted +what became of it:\n%s", diff)
	}
	w.Expect(is.calls).To(Equal(expected(r, o)))
}

// expected are all calls since the world began.
func expected(r round, o occasion) calls {
	want := calls{posts: 1 + r.calls.posts, rotations: r.calls.rotations, deletes: r.calls.deletes}
	switch {
	case r.prepare != nil:
		want.rotations++
	case o.down && o.moment == 2 && !r.final:
		want.rotations++ // the secret in the answer to the registration is lost
	case o.down && o.moment == 1 && r.final:
		want.posts, want.deletes = want.posts-1, want.deletes-1 // nothing was registered yet
	}
	return want
}

// expectNoWrite checks that Medblocks was written to by nobody.
func expectNoWrite(w *lab.World, op *lab.Operator, before int, o occasion) {
	w.T.Helper()
	writes := op.Wire.Writes()
	if !o.down {
		writes = writes[before:]
	}
	for _, request := range writes {
		w.Expect(request.Side).NotTo(Equal(lab.Medblocks), request.String())
	}
}

// hide brings the world to the moment, and has it that no operator sees what happens from then on. What it returns ends
// that, and returns the operator that sees it all.
func hide(w *lab.World, r round, o occasion) (*lab.Operator, func() *lab.Operator) {
	w.T.Helper()
	view, wire := w.NewView(), w.NewWire()
	wire.Intercept(o.middleware(view))
	op := w.StartThrough(wire)
	if o.moment == settled {
		create()(w)
		w.Expect(w.Settle()).To(BeTrue())
		if r.prepare != nil {
			r.prepare(w)
			w.Expect(w.Settle()).To(BeTrue())
		}
	}
	switch {
	case o.down && (o.moment == settled || o.moment == 0):
		w.Quiesce()
		op.Kill()
	case o.down:
		create()(w)
		w.Expect(w.Settle()).To(BeFalse())
	default:
		hideFromRunning(w, op, view, o)
	}
	if o.down {
		if o.moment == 0 {
			create()(w)
		}
		return op, func() *lab.Operator { return w.Start() }
	}
	return op, func() *lab.Operator {
		w.Quiesce()
		if o.expire {
			view.Expire()
		} else {
			view.Release()
		}
		op.SetBlind(false)
		return op
	}
}

// hideFromRunning blocks the watches at the moment.
func hideFromRunning(w *lab.World, op *lab.Operator, view *lab.View, o occasion) {
	w.T.Helper()
	w.Quiesce()
	op.SetBlind(true)
	if o.moment == settled || o.moment == 0 {
		view.Block()
	}
	if o.moment < settled {
		create()(w)
	}
	w.Eventually(view.Blocked, time.Minute, time.Millisecond).Should(BeTrue())
	w.Quiesce()
}

// middleware ends the operator, or its sight, after the write of the moment.
func (o occasion) middleware(view *lab.View) lab.Middleware {
	if o.down {
		if o.moment == 0 || o.moment == settled {
			return nil
		}
		return lab.CrashAt(o.moment, lab.AnswerArrived)
	}
	return func(wire *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := view.Serve(wire, r, send)
		if o.moment != settled && o.moment > 0 && r.Write == o.moment {
			view.Block()
		}
		return resp, err
	}
}
