// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/probe"
)

func whenHealthy(budget int32, attemptsAgo ...time.Duration) func(*scenario) {
	return func(s *scenario) {
		always(budget, attemptsAgo...)(s)
		s.res.Spec.ReenablePolicy.Mode = v1alpha1.ReenableWhenHealthy
	}
}

func healthy(s *scenario) { s.obs.probe = probe.Result{Healthy: true, Last: "it answered 200"} }

func TestPlanWhenHealthy(t *testing.T) {
	runPlanCases(t, []planCase{
		{"there is no probe before an attempt is due", disabled(known("AutoDisabled", time.Second), whenHealthy(5)), nil, "AutoDisabled=working"},
		{"the receiver is probed once an attempt is due", disabled(known("AutoDisabled", time.Hour), whenHealthy(5)), nil, "probe AutoDisabled=working"},
		{"a healthy receiver gets its endpoint back, on fresh evidence", disabled(known("AutoDisabled", time.Hour), whenHealthy(5), healthy), nil, "read:events probe"},
		{"a healthy receiver gets its endpoint back", disabled(known("AutoDisabled", time.Hour), whenHealthy(5), healthy, withEvidence), nil, "RecordAttempt EnableEndpoint(ReenablePolicy) probe"},
		{"nothing is probed for nothing, when the budget is used up", disabled(known("AutoDisabled", time.Hour), whenHealthy(1, time.Minute), healthy, withEvidence), nil, "AutoDisabled=stalled"},
		{"a person's disable is not probed for", disabled(known("DisabledManually", time.Hour), whenHealthy(5), healthy, withEvidence), nil, "DisabledManually=stalled"},
		{"a person's request does not ask the receiver", disabled(known("AutoDisabled", time.Hour), whenHealthy(5), reenableAsked, withEvidence), nil, "EnableEndpoint(ReenableRequested)"},
		{"an active endpoint is not probed for", changedScenario(settled(), whenHealthy(5)), nil, ""},
		{"a suspended resource is not probed for", disabled(known("AutoDisabled", time.Hour), whenHealthy(5), suspended), nil, "Suspended=resting"},
	}, makePlan)
}

func TestTheConditionTellsHowTheLastProbeEnded(t *testing.T) {
	g := NewWithT(t)
	s := disabled(known("AutoDisabled", time.Hour), whenHealthy(5))
	g.Expect(makePlan(s.res, s.obs, s.now).Holds[0].Message).To(HaveSuffix("it is re-enabled once the receiver is healthy: it has not been probed yet"))
	s.obs.probe.Last = "it answered 503"
	g.Expect(makePlan(s.res, s.obs, s.now).Holds[0].Message).To(HaveSuffix("once the receiver is healthy: when last probed, it answered 503"))
}

func TestWhatIsProbed(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	g.Expect(probeTarget(s.res)).To(Equal(probe.Target{URL: s.res.Spec.URL}))
	whenHealthy(5)(s)
	policy := s.res.Spec.ReenablePolicy
	g.Expect(probeTarget(s.res)).To(Equal(probe.Target{URL: s.res.Spec.URL}))
	policy.Probe = &v1alpha1.ReceiverProbe{ExpectedStatuses: []int32{204}}
	g.Expect(probeTarget(s.res)).To(Equal(probe.Target{URL: s.res.Spec.URL, ExpectedStatuses: []int32{204}}))
	policy.Probe.URL = "https://example.com/healthz"
	g.Expect(probeTarget(s.res)).To(Equal(probe.Target{URL: "https://example.com/healthz", ExpectedStatuses: []int32{204}}))
	policy.Probe = &v1alpha1.ReceiverProbe{ServiceRef: &v1alpha1.ProbeServiceReference{Name: "receiver", Port: 8080, Path: "/healthz", Scheme: "HTTPS"}}
	g.Expect(probeTarget(s.res)).To(Equal(probe.Target{
		Service: &probe.Service{Namespace: "shop", Name: "receiver", Port: 8080, Path: "/healthz", Scheme: "HTTPS"},
	}), "the resource's own namespace and no other")
}

func TestASpreadIsSteadyAndWithinBounds(t *testing.T) {
	g := NewWithT(t)
	least, most := time.Hour, time.Duration(0)
	for i := range 1000 {
		d := spread(time.Minute, "uid", fmt.Sprint(i))
		g.Expect(d).To(And(BeNumerically(">=", 0), BeNumerically("<", time.Minute)))
		g.Expect(spread(time.Minute, "uid", fmt.Sprint(i))).To(Equal(d))
		least, most = min(least, d), max(most, d)
	}
	g.Expect(most - least).To(BeNumerically(">", 50*time.Second))
}
