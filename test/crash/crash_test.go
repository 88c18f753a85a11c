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
	for _, s := range variants() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			undisturbed := play(t, s)
			if undisturbed.calls != s.calls {
				t.Errorf("the undisturbed run makes %+v, expected %+v", undisturbed.calls, s.calls)
			}
			for _, c := range points(undisturbed.writes) {
				t.Run(c.String(), func(t *testing.T) {
					t.Parallel()
					once := crashed(t, s, undisturbed, c)
					if s.pairs {
						again(t, s, undisturbed, c, once.writes)
					}
				})
			}
			t.Run("further writes", func(t *testing.T) {
				t.Parallel()
				beyond(t, s, undisturbed)
			})
		})
	}
}

// again ends the successor too, at each of its writes.
func again(t *testing.T, s scenario, undisturbed result, c crash, writes int) {
	t.Helper()
	for _, d := range points(writes) {
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
	if r.calls.posts != undisturbed.calls.posts || r.calls.deletes != undisturbed.calls.deletes ||
		r.calls.rotations > undisturbed.calls.rotations+r.crashes {
		t.Errorf("after %d crashes Medblocks has got %+v, without %+v", r.crashes, r.calls, undisturbed.calls)
	}
	return r
}

// points are all crashes around so many writes, or a subset with each kind in it and, if there are enough, each write.
func points(writes int) []crash {
	var all []crash
	for i, kind := range lab.CrashKinds() {
		for k := 1; k <= writes; k++ {
			if lab.Exhaustive() || k%len(lab.CrashKinds()) == i || writes < len(lab.CrashKinds()) {
				all = append(all, crash{write: k, kind: kind})
			}
		}
	}
	return all
}
