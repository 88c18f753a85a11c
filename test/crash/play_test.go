// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// crash is the end of an operator around one of its writes.
type crash struct {
	write int
	kind  lab.CrashKind
}

func (c crash) String() string { return fmt.Sprintf("write %d %s", c.write, c.kind) }

// result is what became of a scenario.
type result struct {
	outcome lab.State
	calls   calls
	// writes of the last operator.
	writes int
	// crashes that happened: fewer than planned where there is no write of that number.
	crashes int
}

// play plays a scenario in a world of its own. Each operator but the last is ended by one of the crashes.
func play(t *testing.T, s scenario, crashes ...crash) result {
	t.Helper()
	w, op := stage(t, s)
	op = s.begin(w, op, next(crashes))
	r := result{}
	for {
		settled := w.Settle()
		if s.still != nil {
			s.still(w)
			settled = w.Settle()
		}
		if settled {
			break
		}
		r.crashes++
		crashes = crashes[1:]
		op = start(w, next(crashes))
	}
	r.writes = op.Wire.Written()
	check(w, op)
	if s.ends != nil {
		s.ends(w)
	}
	r.outcome, r.calls = outcome(w), callsTo(w)
	w.End()
	return r
}

// foreign is a Secret that nobody has to do with.
const foreign = "foreign"

// checkForeign checks that it is as it was. Its metadata is part of a State.
func checkForeign(w *lab.World) {
	w.T.Helper()
	w.Expect(w.Secret(foreign)).To(HaveField("Data", map[string][]byte{v1alpha1.SecretKeyValue: []byte("theirs")}))
}

// stage is a world in which the scenario is about to begin.
func stage(t *testing.T, s scenario, tweaks ...func(*lab.Setup)) (*lab.World, *lab.Operator) {
	t.Helper()
	operator := func(setup *lab.Setup) {
		setup.Operator.DisabledPollInterval = setup.Operator.PollInterval // rarely
		setup.Operator.SecretsByName = s.byName
	}
	w := lab.NewWorld(t, append(tweaks, operator)...)
	w.CreateSecret(foreign, map[string]string{v1alpha1.SecretKeyValue: "theirs"})
	op := w.Start()
	w.Quiesce()
	for _, prepare := range s.prepare {
		prepare(w)
		w.Expect(w.Settle()).To(BeTrue())
	}
	w.Vendor.ResetCounters()
	return w, op
}

// begin lets the scenario happen, and returns the operator that deals with it.
func (s scenario) begin(w *lab.World, op *lab.Operator, m lab.Middleware) *lab.Operator {
	if s.during != nil {
		m = within(s.during(w), m)
	}
	if s.down {
		op.Kill()
		s.act(w)
		return start(w, m)
	}
	op.Wire.Intercept(m)
	s.act(w)
	return op
}

// within is two middlewares, one around the other.
func within(outer, inner lab.Middleware) lab.Middleware {
	if inner == nil {
		return outer
	}
	return func(w *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		return outer(w, r, func() (*http.Response, error) { return inner(w, r, send) })
	}
}

// start starts an operator.
func start(w *lab.World, m lab.Middleware) *lab.Operator {
	wire := w.NewWire()
	wire.Intercept(m)
	return w.StartThrough(wire)
}

// next is what ends the next operator, if there is anything.
func next(crashes []crash) lab.Middleware {
	if len(crashes) == 0 {
		return nil
	}
	return lab.CrashAt(crashes[0].write, crashes[0].kind)
}

// check checks what holds of every world that has settled.
func check(w *lab.World, op *lab.Operator) {
	w.T.Helper()
	w.CheckInvariants()
	checkForeign(w)
	checkRest(w, op)
}

// checkRest checks that nothing is done any more but to poll.
func checkRest(w *lab.World, op *lab.Operator) {
	w.T.Helper()
	before, seen := attempted(op), looks(op)
	w.Advance(30 * time.Minute)
	w.Expect(attempted(op)).To(Equal(before), "a settled world is written to")
	w.Expect(looks(op)).To(Equal(seen), "Medblocks is asked for more than lists")
}

// attempted are the writes of an operator, refused or not.
func attempted(op *lab.Operator) []lab.Request {
	return slices.DeleteFunc(op.Wire.Requests(), func(r lab.Request) bool { return !r.IsWrite() })
}

// looks are the reads at Medblocks that are no polls: of one endpoint, or of events.
func looks(op *lab.Operator) []lab.Request {
	return slices.DeleteFunc(op.Wire.Requests(), func(r lab.Request) bool {
		return r.Side != lab.Medblocks || r.IsWrite() || r.Path == "/webhooks"
	})
}

// callsTo counts what arrived at Medblocks.
func callsTo(w *lab.World) calls {
	n := w.Vendor.Counters().Calls
	return calls{
		posts: n[emulator.OperationCreateEndpoint], rotations: n[emulator.OperationRotateSecret], deletes: n[emulator.OperationDeleteEndpoint],
	}
}
