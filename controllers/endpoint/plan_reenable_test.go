// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// disabled is a settled endpoint that Medblocks reports as disabled, and whose events were read.
func disabled(change ...func(*scenario)) *scenario {
	s := settled()
	s.edit(func(e *medblocks.Endpoint) { e.Status = medblocks.EndpointStatusDisabled })
	s.obs.evidence = &evidence{complete: true}
	s.read()
	for _, c := range change {
		c(s)
	}
	return s
}

func exhausted(ids ...string) func(*scenario) {
	return func(s *scenario) {
		code := 503
		for _, id := range ids {
			s.obs.evidence.exhausted = append(s.obs.evidence.exhausted, medblocks.EventRecord{
				ID: id, Attempts: 9, LastStatusCode: &code, CreatedAt: medblocks.Timestamp{Time: testTime.Add(-90 * time.Hour)},
			})
		}
	}
}

// known is a disable that the status already explains.
func known(cause string, ago time.Duration) func(*scenario) {
	return func(s *scenario) {
		s.obs.evidence = nil
		s.res.Status.Disabled = &v1alpha1.DisabledStatus{Since: metav1.NewTime(s.now.Add(-ago)), Cause: cause}
	}
}

func always(budget int32, attemptsAgo ...time.Duration) func(*scenario) {
	return func(s *scenario) {
		s.res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways, MaxAttempts: &budget}
		s.res.Status.Reenable = &v1alpha1.ReenableStatus{}
		for _, ago := range attemptsAgo {
			s.res.Status.Reenable.Attempts = append(s.res.Status.Reenable.Attempts, metav1.NewTime(s.now.Add(-ago)))
		}
	}
}

func withEvidence(s *scenario) { s.obs.evidence = &evidence{complete: true} }

func reenableAsked(s *scenario) { s.res.Annotations[v1alpha1.AnnotationReenableRequestedAt] = "1" }

func TestPlanOfADisabledEndpoint(t *testing.T) {
	const byPolicy = "RecordAttempt EnableEndpoint(ReenablePolicy)"
	runPlanCases(t, []planCase{
		{"the events are read before a disable is judged", disabled(func(s *scenario) { s.obs.evidence = nil }), nil, "read:events"},
		{"by default nothing is done about an auto-disable", disabled(exhausted("evt_1")), nil, "AutoDisabled=stalled"},
		{"a person's disable is left alone, whatever the policy", disabled(always(5)), nil, "DisabledManually=stalled"},
		{"unreadable events are taken for a person's disable", disabled(always(5), func(s *scenario) { s.obs.evidence.err = errors.New("x") }), nil, "Unknown=stalled"},
		{"events cut off at the bound are taken for a person's disable", disabled(always(5), func(s *scenario) { s.obs.evidence.complete = false }), nil, "Unknown=stalled"},
		{"an exhausted event found before an error is evidence", disabled(exhausted("evt_1"), func(s *scenario) { s.obs.evidence.err = errors.New("x") }), nil, "AutoDisabled=stalled"},
		{"an event that explained an earlier disable explains no other", disabled(exhausted("evt_1"), always(5), func(s *scenario) {
			s.res.Status.Reenable.AccountedEvents = []string{"evt_1"}
		}), nil, "DisabledManually=stalled"},
		{"an event older than all that is remembered explains nothing", disabled(exhausted("evt_1"), always(5), func(s *scenario) {
			before := metav1.NewTime(testTime.Add(-time.Hour))
			s.res.Status.Reenable.AccountedBefore = &before
		}), nil, "DisabledManually=stalled"},
		{"the policy waits for the initial backoff", disabled(exhausted("evt_1"), always(5)), nil, "AutoDisabled=working"},
		{"the policy acts after the initial backoff, on fresh evidence", disabled(known("AutoDisabled", 2*time.Minute), always(5)), nil, "read:events"},
		{"the policy acts after the initial backoff", disabled(known("AutoDisabled", 2*time.Minute), always(5), withEvidence), nil, byPolicy},
		{"the second attempt waits twice as long", disabled(known("AutoDisabled", time.Hour), always(5, 119*time.Second), withEvidence), nil, "AutoDisabled=working"},
		{"the second attempt comes after that", disabled(known("AutoDisabled", time.Hour), always(5, 133*time.Second), withEvidence), nil, byPolicy},
		{"the budget is never exceeded", disabled(known("AutoDisabled", 100*time.Hour), always(2, 90*time.Hour, 80*time.Hour), withEvidence), nil, "AutoDisabled=stalled"},
		{"the window rolls", disabled(known("AutoDisabled", 100*time.Hour), always(2, 168*time.Hour, 80*time.Hour), withEvidence), nil, byPolicy},
		{"a person's request enables whatever the cause", disabled(known("DisabledManually", time.Hour), reenableAsked, withEvidence), nil, "EnableEndpoint(ReenableRequested)"},
		{"a person's request enables beyond the budget", disabled(known("AutoDisabled", time.Hour), always(1, time.Hour), reenableAsked, withEvidence), nil, "EnableEndpoint(ReenableRequested)"},
		{"a request is served once", disabled(known("DisabledManually", time.Hour), reenableAsked, func(s *scenario) { s.res.Status.LastHandledReenableAt = "1" }), nil, "DisabledManually=stalled"},
		{"the spec wants it disabled: all is well", disabled(func(s *scenario) { s.res.Spec.State = v1alpha1.StateDisabled }), nil, ""},
		{"the spec wanted it disabled and now wants it active, on fresh evidence", disabled(known("DisabledBySpec", time.Hour)), nil, "read:events"},
		{"the spec wanted it disabled and now wants it active", disabled(known("DisabledBySpec", time.Hour), withEvidence), nil, "EnableEndpoint(Spec)"},
		{"a cause that somebody made up is judged anew", disabled(known("Mischief", time.Hour)), nil, "read:events"},
		{"a disable is not judged on what a list says", disabled(func(s *scenario) { clear(s.obs.live) }), nil, "read:" + testID},
		{"the spec wants an active one disabled: recorded before it is done", settled(), func(s *scenario) { s.read(); s.res.Spec.State = v1alpha1.StateDisabled }, "RecordDisable DisableEndpoint(Spec)"},
		{"what was recorded before a crash is done without another record", settled(), func(s *scenario) {
			known("DisabledBySpec", time.Hour)(s)
			s.read()
			s.res.Spec.State = v1alpha1.StateDisabled
		}, "DisableEndpoint(Spec)"},
		{"a changed spec is patched and does not enable", disabled(known("DisabledManually", time.Hour), func(s *scenario) { s.res.Spec.Description = "new" }), nil, "UpdateEndpoint(Spec) DisabledManually=stalled"},
		{"an unknown status is reported", settled(), func(s *scenario) { s.edit(func(e *medblocks.Endpoint) { e.Status = "paused" }) }, "Unknown=working"},
		{"what is resumed disabled is taken for a person's disable", disabled(exhausted("evt_1"), func(s *scenario) { s.res.Status.EndpointID = "" }), nil, "DisabledManually=stalled"},
	}, makePlan)
}

// judgedAt is what updated_at said when the disable was judged, and what it says now.
func judgedAt(then, now string) func(*scenario) {
	return func(s *scenario) {
		s.res.Status.Disabled.EndpointUpdatedAt = then
		s.obs.updatedAt = map[string]string{testID: now}
	}
}

func TestADisableIsJudgedAnewWhereSomebodyHasChangedTheEndpointSince(t *testing.T) {
	const byPolicy = "RecordAttempt EnableEndpoint(ReenablePolicy)"
	given := func(change ...func(*scenario)) *scenario {
		return disabled(append([]func(*scenario){known("AutoDisabled", time.Hour), always(5)}, change...)...)
	}
	runPlanCases(t, []planCase{
		{"nobody has", given(judgedAt("1", "1"), withEvidence), nil, byPolicy},
		{"nobody knows", given(judgedAt("", "2"), withEvidence), nil, byPolicy},
		{"somebody has: the events are read", given(judgedAt("1", "2")), nil, "read:events"},
		{"and tell of no other disable by Medblocks", given(judgedAt("1", "2"), withEvidence), nil, "DisabledManually=stalled"},
		{"or they do", given(judgedAt("1", "2"), withEvidence, exhausted("evt_2")), nil, byPolicy},
		{"the operator has, and a crash kept it from noting that", given(judgedAt("1", "2"), withEvidence), func(s *scenario) { s.obs.appliedHash = "v2:old" }, byPolicy},
		{"the operator is about to, and somebody was faster", given(judgedAt("1", "2"), withEvidence), func(s *scenario) { s.res.Spec.Description = "new" }, "UpdateEndpoint(Spec) DisabledManually=stalled"},
	}, makePlan)
}

func TestTheOperatorsOwnChangesAreNoReasonToJudgeADisableAnew(t *testing.T) {
	g := NewWithT(t)
	s := disabled(exhausted("evt_1"), always(5))
	read := testTime.Add(-time.Hour)
	s.edit(func(e *medblocks.Endpoint) { e.UpdatedAt.Time = read })
	s.read()
	s.obs.seeUpdate(s.obs.live[testID])
	st := conclusionOf(s, nil)
	g.Expect(st.Disabled.EndpointUpdatedAt).To(Equal(read.Format(time.RFC3339Nano)))

	t.Log("A PATCH of the operator's: its answer counts.")
	s.edit(func(e *medblocks.Endpoint) { e.UpdatedAt.Time = testTime })
	s.read()
	s.obs.seeUpdate(s.obs.live[testID])
	s.obs.seeOwnUpdate(testID)
	g.Expect(conclusionOf(s, nil).Disabled.EndpointUpdatedAt).To(Equal(testTime.Format(time.RFC3339Nano)))
	clear(s.obs.live)
	g.Expect(conclude(s.res, s.obs, plan{EndpointID: testID, Disabled: st.Disabled}, nil, s.now).Disabled.EndpointUpdatedAt).To(BeEmpty(), "unless it did not show the endpoint")
}

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	g := NewWithT(t)
	for attempts, want := range map[int]time.Duration{
		0: time.Minute, 1: 2 * time.Minute, 2: 4 * time.Minute, 8: 256 * time.Minute, 9: 6 * time.Hour, 19: 6 * time.Hour,
	} {
		s := disabled(known("AutoDisabled", 0), always(20))
		times := make([]metav1.Time, attempts)
		for i := range times {
			times[i] = metav1.NewTime(testTime)
		}
		p := newPlanner(s.res, s.obs, s.now)
		p.plan.Disabled = s.res.Status.Disabled
		due := p.attemptDue(times, p.plan.Disabled.Since.Time).Sub(testTime)
		g.Expect(due).To(And(BeNumerically(">=", want), BeNumerically("<", want+want/10)), "after %d attempts", attempts)
	}
}

func TestTheMemoryOfExhaustedEventsIsBoundedAndErrsOnThePersonsSide(t *testing.T) {
	g := NewWithT(t)
	e := &evidence{}
	for i := range maxAccounted + 1 { // newest first
		e.exhausted = append(e.exhausted, medblocks.EventRecord{
			ID: fmt.Sprintf("evt_%03d", i), CreatedAt: medblocks.Timestamp{Time: testTime.Add(-time.Duration(i) * time.Millisecond)},
		})
	}
	r := accountFor(nil, e)
	g.Expect(r.AccountedEvents).To(HaveLen(maxAccounted))
	for _, event := range e.exhausted {
		g.Expect(accountedFor(r, event)).To(BeTrue(), "%s", event.ID)
	}
	newer := medblocks.EventRecord{ID: "evt_new", CreatedAt: medblocks.Timestamp{Time: testTime.Add(time.Minute)}}
	g.Expect(accountedFor(r, newer)).To(BeFalse())
}

func TestRememberedEventsSurviveALookThatFailed(t *testing.T) {
	g := NewWithT(t)
	before := &v1alpha1.ReenableStatus{AccountedEvents: []string{"evt_old"}}
	found := []medblocks.EventRecord{{ID: "evt_new"}}
	g.Expect(accountFor(before, &evidence{exhausted: found, err: errors.New("x")}).AccountedEvents).To(Equal([]string{"evt_new", "evt_old"}))
	g.Expect(accountFor(before, &evidence{exhausted: found, complete: true}).AccountedEvents).To(Equal([]string{"evt_new"}), "one that Medblocks no longer lists is forgotten")
	g.Expect(accountFor(before, nil)).To(BeIdenticalTo(before))
	found = append(found, found...)
	g.Expect(accountFor(nil, &evidence{exhausted: found}).AccountedEvents).To(Equal([]string{"evt_new"}), "pages may overlap")
}

func TestEventsAreAccountedForBeforeAnythingIsEnabled(t *testing.T) {
	asked := func(s *scenario) { s.res.Annotations[v1alpha1.AnnotationReenableRequestedAt] = "1" }
	unreadable := func(s *scenario) { s.obs.evidence = &evidence{err: errors.New("x")} }
	runPlanCases(t, []planCase{
		{"on a person's request", disabled(exhausted("evt_1"), asked), nil, "RecordEvents EnableEndpoint(ReenableRequested)"},
		{"unless there is none", disabled(asked), nil, "EnableEndpoint(ReenableRequested)"},
		{"unless they are accounted for", disabled(exhausted("evt_1"), asked), func(s *scenario) {
			s.res.Status.Reenable = &v1alpha1.ReenableStatus{AccountedEvents: []string{"evt_1"}}
		}, "EnableEndpoint(ReenableRequested)"},
		{"those that cannot be read too", disabled(unreadable, asked), nil, "RecordEvents EnableEndpoint(ReenableRequested)"},
		{"when the spec wants it active again", disabled(known(v1alpha1.ReasonDisabledBySpec, time.Hour), withEvidence, exhausted("evt_1")), nil,
			"RecordEvents EnableEndpoint(Spec)"},
		{"and after a time in which nobody looked", settled(), func(s *scenario) {
			s.res.Status.Reenable = &v1alpha1.ReenableStatus{BaselineDue: true}
		}, "read:events"},
	}, makePlan)
}

func TestWhatAnAttemptRestsOnIsWrittenBeforeIt(t *testing.T) {
	g := NewWithT(t)
	s := disabled(exhausted("evt_1"), always(5))
	s.res.Status.Disabled = &v1alpha1.DisabledStatus{Since: metav1.NewTime(s.now.Add(-time.Hour)), Cause: v1alpha1.ReasonUnknown}
	p := makePlan(s.res, s.obs, s.now)
	g.Expect(describe(p)).To(Equal("RecordAttempt EnableEndpoint(ReenablePolicy)"))
	// The operator ends before the endpoint is enabled: the next one must not take it for a person's disable.
	s.res.Status = *ahead(s.res, s.obs, p.Steps[0], seconds(s.now))
	g.Expect(s.res.Status.Disabled.Cause).To(Equal(v1alpha1.ReasonAutoDisabled))
	again := makePlan(s.res, s.obs, s.now)
	g.Expect(again.hold(v1alpha1.ConditionEnabled).Reason).To(Equal(v1alpha1.ReasonAutoDisabled))
}
