// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

func TestPlanOfAResourceWhoseTurnItIsNot(t *testing.T) {
	inLine := func(s *scenario) *scenario {
		s.obs.turn = account.Turn{At: s.now.Add(2 * time.Second)}
		return s
	}
	runPlanCases(t, []planCase{
		{"a settled endpoint waits for nothing", inLine(settled()), nil, ""},
		{"a registration waits", inLine(unregistered()), nil, "Pending=working"},
		{"a change waits, before anything is read", inLine(settled()), func(s *scenario) { s.res.Spec.URL += "/new" }, "Pending=working"},
		{"a read waits", inLine(settled()), func(s *scenario) {
			s.res.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
		}, "Pending=working"},
		{"what was begun is gone on with", inLine(settled()), func(s *scenario) {
			s.read()
			s.edit(func(e *medblocks.Endpoint) { e.Status = medblocks.EndpointStatusDisabled })
			s.res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
		}, "read:events"},
		{"what concerns Kubernetes alone is done", inLine(settled()), func(s *scenario) { s.obs.secret.dressed = false }, "DressSecret"},
		{"whose turn has come does not wait", inLine(unregistered()), func(s *scenario) {
			s.obs.secret.live = true
			s.now = s.obs.turn.At
		}, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
	}, makePlan)
}

// TestAResourceOfWhichNothingWasSaidWaitsWithoutAWord: else a fleet that is applied at once would cost a status write more for each.
func TestAResourceOfWhichNothingWasSaidWaitsWithoutAWord(t *testing.T) {
	for name, is := range map[string]struct {
		turn  account.Turn
		said  bool
		quiet bool
	}{
		"for its turn":                            {turn: account.Turn{At: testTime.Add(time.Hour)}, quiet: true},
		"for the end of a short pause":            {turn: account.Turn{At: testTime.Add(longestSilence), Asked: true}, quiet: true},
		"but not of a long one":                   {turn: account.Turn{At: testTime.Add(2 * longestSilence), Asked: true}},
		"nor if the status says something by now": {turn: account.Turn{At: testTime.Add(time.Second)}, said: true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := unregistered()
			s.obs.turn = is.turn
			if is.said {
				s.res.Status.ObservedGeneration = s.res.Generation
			}
			p := makePlan(s.res, s.obs, s.now)
			g.Expect(p.InLine).To(BeTrue())
			g.Expect(isQuiet(p)).To(Equal(is.quiet))
			g.Expect(p.Wake).To(Equal(is.turn.At))
		})
	}
}

func TestARequestToReconcileStaysPendingInLine(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	s.obs.turn = account.Turn{At: s.now.Add(time.Second)}
	s.res.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "now"
	p := makePlan(s.res, s.obs, s.now)
	g.Expect(conclude(s.res, s.obs, p, nil, s.now).LastHandledReconcileRequestedAt).To(BeEmpty())
}
