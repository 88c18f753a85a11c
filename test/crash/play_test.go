// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

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
	w := lab.NewWorld(t)
	op := w.Start()
	if s.prepare != nil {
		s.prepare(w)
	}
	w.Expect(w.Settle()).To(BeTrue())
	w.Vendor.ResetCounters()
	if s.down {
		op.Kill()
		s.act(w)
		op = start(w, crashes)
	} else {
		op.Wire.Intercept(next(crashes))
		s.act(w)
	}
	r := result{}
	for !w.Settle() {
		r.crashes++
		crashes = crashes[1:]
		op = start(w, crashes)
	}
	r.writes = op.Wire.Written()
	check(w, op)
	r.outcome, r.calls = outcome(w), callsTo(w)
	return r
}

// start starts an operator that the first of the crashes ends, if there are any.
func start(w *lab.World, crashes []crash) *lab.Operator {
	wire := w.NewWire()
	wire.Intercept(next(crashes))
	return w.StartThrough(wire)
}

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
	before := op.Wire.Written()
	w.Advance(30 * time.Minute)
	w.Expect(op.Wire.Written()).To(Equal(before), "a settled world is written to")
}

// callsTo counts what arrived at Medblocks.
func callsTo(w *lab.World) calls {
	n := w.Vendor.Counters().Calls
	return calls{
		posts: n[emulator.OperationCreateEndpoint], rotations: n[emulator.OperationRotateSecret], deletes: n[emulator.OperationDeleteEndpoint],
	}
}
