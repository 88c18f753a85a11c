// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/redelivery"
)

// redelivers is an active endpoint whose policy redelivers, and a redelivery that has come that far; empty: none.
func redelivers(state string, change ...func(*scenario)) *scenario {
	s := settled()
	always(3, time.Hour)(s)
	s.res.Spec.ReenablePolicy.Redelivery = &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered}
	if state != "" {
		at := metav1.NewTime(testTime.Add(-10 * time.Minute))
		s.res.Status.Redelivery = &v1alpha1.RedeliveryStatus{StartedAt: at, BegunAt: at, State: state, Pending: 5}
	}
	for _, c := range change {
		c(s)
	}
	return s
}

// wasDisabled: the status still says so, and a read has shown that it is active again.
func wasDisabled(s *scenario) {
	s.res.Status.Disabled = &v1alpha1.DisabledStatus{Since: metav1.NewTime(testTime.Add(-time.Hour)), Cause: v1alpha1.ReasonAutoDisabled}
	s.read()
}

func courier(g redelivery.Progress) func(*scenario) {
	return func(s *scenario) { s.obs.courier = &g }
}

func nextTry(in time.Duration) func(*scenario) {
	return func(s *scenario) { s.res.Status.Redelivery.NextTry = ptr.To(metav1.NewTime(s.now.Add(in))) }
}

func spent(s *scenario) { always(3, time.Hour, 2*time.Hour, 3*time.Hour)(s); redeliverToo(s) }

func redeliverToo(s *scenario) {
	s.res.Spec.ReenablePolicy.Redelivery = &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered}
}

func TestPlanOfARedelivery(t *testing.T) {
	stopped := courier(redelivery.Progress{State: redelivery.Stopped, Pending: 5})
	runPlanCases(t, []planCase{
		{"an endpoint that was never disabled misses nothing", redelivers(""), nil, ""},
		{"that it is active again is read first", redelivers("", wasDisabled), func(s *scenario) { clear(s.obs.live) }, "read:" + testID},
		{"it begins when the endpoint is active again", redelivers("", wasDisabled), nil, "redeliver"},
		{"not without being asked for", redelivers("", wasDisabled), func(s *scenario) { s.res.Spec.ReenablePolicy.Redelivery = nil }, ""},
		{"a new one begins when it was disabled again", redelivers(v1alpha1.RedeliveryStopped, wasDisabled), nil, "redeliver"},
		{"it goes on after a restart", redelivers(v1alpha1.RedeliveryRunning), nil, "redeliver"},
		{"it goes on", redelivers(v1alpha1.RedeliveryRunning, courier(redelivery.Progress{State: redelivery.Running})), nil, "redeliver"},
		{"it ends", redelivers(v1alpha1.RedeliveryRunning, courier(redelivery.Progress{State: redelivery.Completed})), nil, ""},
		{"it is over", redelivers(v1alpha1.RedeliveryCompleted), nil, ""},
		{"one that ended early waits", redelivers(v1alpha1.RedeliveryRunning, stopped), nil, ""},
		{"and waits", redelivers(v1alpha1.RedeliveryWaiting, nextTry(time.Second)), nil, ""},
		{"and is tried again when the endpoint is read", redelivers(v1alpha1.RedeliveryWaiting, nextTry(0)), nil, "read:" + testID},
		{"and that is recorded", redelivers(v1alpha1.RedeliveryWaiting, nextTry(0)), (*scenario).read, "RecordTry"},
		{"not beyond the budget", redelivers(v1alpha1.RedeliveryWaiting, nextTry(0), spent), nil, ""},
		{"one that has stopped goes on when the window has rolled", redelivers(v1alpha1.RedeliveryStopped), (*scenario).read, "RecordTry"},
		{"and not before", redelivers(v1alpha1.RedeliveryStopped, spent), nil, ""},
		{"a person's request begins the next try at once", redelivers(v1alpha1.RedeliveryWaiting, nextTry(time.Hour), reenableAsked), nil, "redeliver"},
		{"beyond the budget too", redelivers(v1alpha1.RedeliveryStopped, spent, reenableAsked), nil, "redeliver"},
		{"but nothing that is complete", redelivers(v1alpha1.RedeliveryCompleted, reenableAsked), nil, ""},
		{"a disabled endpoint gets nothing", disabled(always(5), exhausted("evt_1"), func(s *scenario) {
			redeliverToo(s)
			s.res.Status.Redelivery = &v1alpha1.RedeliveryStatus{State: v1alpha1.RedeliveryRunning}
		}), nil, "AutoDisabled=working"},
		{"one that is to be disabled neither", redelivers(v1alpha1.RedeliveryRunning, func(s *scenario) {
			s.read()
			s.res.Spec.State = v1alpha1.StateDisabled
		}), nil, "RecordDisable DisableEndpoint(Spec)"},
		{"a suspended one neither", redelivers(v1alpha1.RedeliveryRunning, suspended), nil, "Suspended=resting"},
	}, makePlan)
}

func TestATryThatEndedEarlyCountsAndIsRepeatedAfterTheBackoff(t *testing.T) {
	g := NewWithT(t)
	s := redelivers(v1alpha1.RedeliveryRunning, courier(redelivery.Progress{State: redelivery.Stopped, Pending: 5, Delivered: 2, Canary: "evt_c"}))
	st := conclusionOf(s, nil)
	g.Expect(st.Redelivery.State).To(Equal(v1alpha1.RedeliveryWaiting))
	g.Expect(st.Redelivery.NextTry.Sub(s.now)).To(And(BeNumerically(">=", 2*time.Minute-time.Second), BeNumerically("<", 133*time.Second)), "the second attempt's backoff")
	g.Expect(summary(st)).To(Equal("True Registered"), "the endpoint is as it should be")

	s.res.Status, s.obs.courier = *st, nil
	s.now = st.Redelivery.NextTry.Time
	s.read()
	p := makePlan(s.res, s.obs, s.now)
	g.Expect(describe(p)).To(Equal("RecordTry"))
	s.res.Status = *ahead(s.res, s.obs, p.Steps[0], seconds(s.now))
	g.Expect(s.res.Status.Reenable.Attempts).To(HaveLen(2))
	g.Expect(s.res.Status.Redelivery).To(HaveField("Delivered", BeEquivalentTo(2)))

	p = makePlan(s.res, s.obs, s.now)
	g.Expect(p.Job).To(Equal(&redelivery.Job{
		EndpointID: testID, From: testTime.Add(-10*time.Minute - 96*time.Hour), Before: testTime.Add(-10*time.Minute + time.Second),
		Begun: seconds(s.now).Time, Limit: 1000, Delivered: 2, Avoid: "evt_c",
	}), "the bounds are those of the re-enable")
}

func TestATryThatEndedEarlyStopsWithTheBudget(t *testing.T) {
	g := NewWithT(t)
	s := redelivers(v1alpha1.RedeliveryRunning, spent, courier(redelivery.Progress{State: redelivery.Stopped, Pending: 5}))
	st := conclusionOf(s, nil)
	g.Expect(st.Redelivery.State).To(Equal(v1alpha1.RedeliveryStopped))
	g.Expect(st.Redelivery.NextTry.Time).To(BeTemporally("==", testTime.Add(167*time.Hour)), "when the oldest attempt leaves the window")
	g.Expect(messageOf(st, v1alpha1.ConditionEnabled)).To(ContainSubstring("annotate this resource with " + v1alpha1.AnnotationReenableRequestedAt))

	t.Log("A person asks: the budget begins anew.")
	s.res.Status, s.obs.courier = *st, nil
	reenableAsked(s)
	st = conclusionOf(s, nil)
	g.Expect(st.Redelivery.State).To(Equal(v1alpha1.RedeliveryRunning))
	g.Expect(st.Reenable).To(Or(BeNil(), HaveField("Attempts", BeEmpty())))
	g.Expect(st.LastHandledReenableAt).To(Equal("1"))
}

func TestAResumedTryGoesOnWithoutACanary(t *testing.T) {
	g := NewWithT(t)
	s := redelivers(v1alpha1.RedeliveryRunning, func(s *scenario) {
		s.res.Status.Redelivery.Cursor, s.res.Status.Redelivery.Canary, s.res.Status.Redelivery.Failed = "evt_b", "evt_c", 1
	})
	job := makePlan(s.res, s.obs, s.now).Job
	g.Expect(job.Resumed).To(BeTrue())
	g.Expect(job.Avoid).To(BeEmpty())
	g.Expect(job.Failed).To(Equal(1))
}

func TestEventsThatRedeliveriesExhaustedExplainNoDisable(t *testing.T) {
	g := NewWithT(t)
	s := redelivers(v1alpha1.RedeliveryRunning, courier(redelivery.Progress{State: redelivery.Running, Exhausted: []string{"evt_9"}}))
	st := conclusionOf(s, nil)
	g.Expect(st.Reenable.AccountedEvents).To(ConsistOf("evt_9"))

	many := make([]string, maxAccounted)
	for i := range many {
		many[i] = string(rune('a' + i))
	}
	s.res.Status.Reenable.AccountedEvents = many
	st = conclusionOf(s, nil)
	g.Expect(st.Reenable.AccountedEvents).To(Equal(many))
	g.Expect(st.Reenable.AccountedBefore.Time).To(Equal(s.res.Status.Redelivery.StartedAt.Add(time.Second)))
}

func TestARedeliveryIsNoAttemptOfMedblocks(t *testing.T) {
	g := NewWithT(t)
	s := disabled(exhausted("evt_1"), always(5))
	event := &s.obs.evidence.exhausted[0]
	event.LastRedeliveredAt, event.Attempts = &event.CreatedAt, 12
	g.Expect(describe(makePlan(s.res, s.obs, s.now))).To(Equal("AutoDisabled=working"), "it is old enough for nine attempts of Medblocks'")
	event.CreatedAt.Time = s.now.Add(time.Minute - medblocks.Schedule())
	g.Expect(describe(makePlan(s.res, s.obs, s.now))).To(Equal("DisabledManually=stalled"), "a person may have sent it again and again")
	event.LastRedeliveredAt = nil
	g.Expect(describe(makePlan(s.res, s.obs, s.now))).To(Equal("AutoDisabled=working"))
	s.obs.courier = &redelivery.Progress{Exhausted: []string{"evt_1"}}
	g.Expect(describe(makePlan(s.res, s.obs, s.now))).To(Equal("DisabledManually=stalled"))
}

func TestAReadOnlyOperatorNeitherProbesNorRedelivers(t *testing.T) {
	g := NewWithT(t)
	s := redelivers(v1alpha1.RedeliveryWaiting, wasDisabled)
	p := makePlan(s.res, s.obs, s.now)
	p.withhold(s.res)
	g.Expect(p.Job).To(BeNil())
	g.Expect(p.Redelivery).To(Equal(s.res.Status.Redelivery))
	g.Expect(p.Disabled).To(Equal(s.res.Status.Disabled), "the operator that redelivers has to learn of it")

	s = disabled(known("AutoDisabled", time.Hour), whenHealthy(5))
	p = makePlan(s.res, s.obs, s.now)
	p.withhold(s.res)
	g.Expect(p.Probe).To(BeNil())
}
