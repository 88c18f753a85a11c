// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/lab"
)

func TestNoAnswerOfTheAPIServerLosesOrDoublesAnything(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		base := baseline(t, s)
		plans := pick(plansOf(s, base, OfKubernetes(), kubernetesCalls(base)), 40)
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			for _, p := range plans {
				t.Run(strings.ReplaceAll(p.String(), "/", " "), func(t *testing.T) {
					t.Parallel()
					lab.Report(s.name + " (Kubernetes)").Plan(t)
					p.run(t)
				})
			}
		})
	}
}

// kubernetesCalls are the requests to the API server that a scenario has led to.
func kubernetesCalls(base outcome) []Call {
	var calls []Call
	for _, call := range slices.Sorted(maps.Keys(base.calls)) {
		if call != "" && !slices.Contains(Calls(), call) {
			calls = append(calls, call)
		}
	}
	return calls
}

// TestWatchesThatBreakHideNothing breaks all watches before the story, or in the middle of it: at each write of the operator.
func TestWatchesThatBreakHideNothing(t *testing.T) {
	t.Parallel()
	type moment struct {
		write, expired int
		told           bool // in the stream of the watch
	}
	for _, s := range scenarios() {
		want := baseline(t, s)
		var moments []moment
		for write := range 5 {
			moments = append(moments, moment{write: write}, moment{write: write, expired: 4}, moment{write: write, told: true})
		}
		for _, m := range lab.Pick(moments, 10) {
			t.Run(fmt.Sprintf("%s, at write %d, %d times expired, told %t", s.name, m.write, m.expired, m.told), func(t *testing.T) {
				t.Parallel()
				lab.Report("broken watches").Plan(t)
				w := lab.NewWorld(t)
				wire, watches := w.NewWire(), &Watches{Tell: m.told}
				wire.Intercept(watches.Middleware)
				op := s.beginThrough(w, wire)
				since := startOf(w, op)
				watches.Next = func(_ *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
					if m.write > 0 && r.Write == m.write {
						watches.Break(m.expired)
					}
					return send()
				}
				wire.Intercept(watches.Middleware)
				if m.write == 0 {
					watches.Break(m.expired)
				}
				s.act(w)
				w.Expect(w.Settle()).To(BeTrue())
				w.CheckInvariants()
				got := outcomeOf(w, op, since)
				expectSame(t, want, got, false)
				w.Expect(got.writes[Rotate]).To(Equal(want.writes[Rotate]), "rotations")
			})
		}
	}
}
