// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/medblocks/webhook-operator/test/lab"
)

func TestACrashAtAnyWriteEndsLikeAnUndisturbedRun(t *testing.T) {
	t.Parallel()
	for i, s := range variants() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			undisturbed := play(t, s)
			s.count(t, undisturbed)
			for _, c := range points(undisturbed.writes, i) {
				t.Run(c.String(), func(t *testing.T) {
					t.Parallel()
					once := crashed(t, s, undisturbed, c)
					if s.pairs {
						again(t, s, undisturbed, c, once.writes)
					}
				})
			}
			if lab.Exhaustive() {
				t.Run("further writes", func(t *testing.T) {
					t.Parallel()
					beyond(t, s, undisturbed)
				})
			}
		})
	}
}

// again ends the successor too, at each of its writes.
func again(t *testing.T, s scenario, undisturbed result, c crash, writes int) {
	t.Helper()
	for _, d := range lab.Pick(points(writes, c.write), 3) {
		t.Run("then "+d.String(), func(t *testing.T) {
			t.Parallel()
			crashed(t, s, undisturbed, c, d)
		})
	}
}

// beyond looks for writes that the undisturbed run has not numbered: where an operator does several things at once, or reads
// what is out of date, another run may make more of them.
func beyond(t *testing.T, s scenario, undisturbed result) {
	t.Helper()
	for k, found := undisturbed.writes+1, true; found; k++ {
		c := crash{write: k, kind: lab.AnswerLost}
		t.Run(c.String(), func(t *testing.T) {
			found = crashed(t, s, undisturbed, c).crashes > 0
		})
	}
}

// crashed plays a scenario with crashes, and compares it with the undisturbed run. It is a plan if the writes to crash at
// have happened.
func crashed(t *testing.T, s scenario, undisturbed result, crashes ...crash) (r result) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() || r.crashes == len(crashes) {
			lab.Report(s.name + []string{"", ", twice"}[len(crashes)-1]).Plan(t)
		}
	})
	r = play(t, s, crashes...)
	if diff := cmp.Diff(undisturbed.outcome, r.outcome); diff != "" {
		t.Errorf("the crash changes the outcome (-undisturbed +crashed):\n%s", diff)
	}
	s.count(t, r)
	return r
}

// count compares what Medblocks got with what it is to get.
func (s scenario) count(t *testing.T, r result) {
	t.Helper()
	lost := r.crashes
	switch {
	case s.exact:
		lost = 0
	case s.several:
		lost *= 2
	}
	if !r.calls.within(s.calls, lost, s.fewer) {
		t.Errorf("with %d crashes Medblocks gets %+v, without it would be %+v", r.crashes, r.calls, s.calls)
	}
}

// points are all crashes around so many writes. Of these, a subset has one of each kind, spread over the writes; which kind
// comes first differs between the rows of a table.
func points(writes, row int) []crash {
	var all []crash
	kinds := lab.CrashKinds()
	for i := range kinds {
		kind := kinds[(i+row)%len(kinds)]
		if !lab.Exhaustive() {
			all = append(all, crash{write: 1 + (i*(writes-1)+1)/(len(kinds)-1), kind: kind})
			continue
		}
		for k := 1; k <= writes; k++ {
			all = append(all, crash{write: k, kind: kind})
		}
	}
	return all
}
