// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"fmt"
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// TestAnEndpointThatVanishesBetweenTheListAndACallIsRegisteredOnceMore deletes the endpoint at Medblocks right before the first call of
// each kind that names it: after the list that still shows it, after the read that still found it.
func TestAnEndpointThatVanishesBetweenTheListAndACallIsRegisteredOnceMore(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		if s.unregistered {
			continue // there is nothing yet that could vanish
		}
		want := baseline(t, s)
		for _, call := range []Call{Get, Update, Rotate, Delete, ListEvents} {
			if want.calls[call] == 0 || want.writes[Create] > 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s: %s", s.name, call), func(t *testing.T) {
				t.Parallel()
				lab.Report("vanishes after the list").Plan(t)
				w := lab.NewWorld(t)
				op := s.begin(w)
				since := startOf(w, op)
				v := vanishing{call: call, id: w.Remote(hooks).ID}
				op.Wire.Intercept(v.middleware(w))
				s.act(w)
				w.Expect(w.Settle()).To(BeTrue())
				w.CheckInvariants()
				w.Expect(w.Vendor.Endpoint(v.id)).Error().To(MatchError(emulator.ErrNotFound), "it never vanished")
				expectReplaced(w, outcomeOf(w, op, since).writes[Create])
			})
		}
	}
}

// vanishing is an endpoint that somebody deletes right before a call.
type vanishing struct {
	call Call
	id   string
}

func (v vanishing) middleware(w *lab.World) lab.Middleware {
	return func(_ *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if CallOf(r) == v.call {
			_ = w.Vendor.RemoveEndpoint(v.id) // the second time, it is gone already
		}
		return send()
	}
}

// expectReplaced expects one new endpoint, or none where the resource was to be deleted anyway.
func expectReplaced(w *lab.World, registrations int) {
	w.T.Helper()
	res := w.Get(hooks)
	if res == nil {
		w.Expect(registrations).To(BeZero())
		w.Expect(w.State().Endpoints).To(BeEmpty())
		return
	}
	w.Expect(registrations).To(Equal(1))
	w.Expect(w.State().Endpoints).To(HaveLen(1))
	w.Expect(meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), w.Show())
}
