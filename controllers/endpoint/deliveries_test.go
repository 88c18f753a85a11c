// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func messageOf(st *v1alpha1.MedblocksWebhookEndpointStatus, condition string) string {
	if c := meta.FindStatusCondition(st.Conditions, condition); c != nil {
		return c.Message
	}
	return ""
}

// monitored is an active endpoint whose deliveries are looked at every ten minutes.
func monitored(change ...func(*scenario)) *scenario {
	s := settled()
	s.res.Spec.DeliveryMonitoring = &v1alpha1.DeliveryMonitoring{Interval: metav1.Duration{Duration: 10 * time.Minute}}
	for _, c := range change {
		c(s)
	}
	return s
}

func haveSeen(events ...medblocks.EventRecord) func(*scenario) {
	return func(s *scenario) {
		s.obs.deliveries = &deliveries{deliveriesQuery: deliveriesQuery{undelivered: true}, events: events, complete: true}
	}
}

// pending is an event that is tried again.
func pendingEvent(attempts int, next time.Duration, status *int) medblocks.EventRecord {
	return medblocks.EventRecord{Attempts: attempts, NextAttemptAt: &medblocks.Timestamp{Time: testTime.Add(next)}, LastStatusCode: status}
}

func TestPlanOfMonitoring(t *testing.T) {
	runPlanCases(t, []planCase{
		{"the events are looked at", monitored(), nil, "read:deliveries"},
		{"not without being asked for", settled(), nil, ""},
		{"not before it is due", monitored(), func(s *scenario) { s.obs.monitorDue = s.now.Add(time.Second) }, ""},
		{"not while others stand in line", monitored(), func(s *scenario) { s.obs.turn.At = s.now.Add(time.Second) }, ""},
		{"once", monitored(haveSeen()), nil, ""},
		{"not those of a disabled endpoint", disabled(exhausted("evt_1")), func(s *scenario) { s.res.Spec.DeliveryMonitoring = monitored().res.Spec.DeliveryMonitoring }, "AutoDisabled=stalled"},
		{"those of an endpoint that is only observed, too", observedEndpoint(), func(s *scenario) { s.res.Spec.DeliveryMonitoring = monitored().res.Spec.DeliveryMonitoring }, "read:deliveries"},
	}, makePlan)
}

func observedEndpoint() *scenario {
	s := ready()
	s.res.Spec.ManagementPolicy = v1alpha1.ManagementObserve
	s.res.Finalizers = nil
	return s
}

func TestDeliveriesHealthy(t *testing.T) {
	full := func(s *scenario) { s.obs.deliveries.complete = false }
	all := func(s *scenario) { s.obs.deliveries.undelivered, s.obs.deliveries.complete = false, false }
	for _, c := range []struct {
		name    string
		given   *scenario
		then    string
		message string
	}{
		{"before the first look", monitored(), "Unknown Pending", "not been looked at"},
		{"nothing is undelivered", monitored(haveSeen()), "True Delivering", "no event"},
		{"two attempts are nothing unusual", monitored(haveSeen(pendingEvent(2, time.Minute, ptr.To(500)))), "True Delivering", ""},
		{"three attempts are a warning", monitored(haveSeen(pendingEvent(3, time.Hour, ptr.To(500)))), "False DeliveriesFailing", "or more: 1 (the receiver's last answer was 500)"},
		{"an event that is not tried any more is past", monitored(haveSeen(medblocks.EventRecord{Attempts: 9}, medblocks.EventRecord{Attempts: 5})), "True Delivering", ""},
		{"more than a page is a warning", monitored(haveSeen(pendingEvent(1, time.Hour, nil)), full), "False DeliveriesFailing", "100 events or more"},
		{"unless the older ones are not tried any more", monitored(haveSeen(pendingEvent(1, time.Hour, nil), medblocks.EventRecord{Attempts: 9}), full), "True Delivering", ""},
		{"a page of all events proves that something fails", monitored(haveSeen(pendingEvent(3, time.Hour, nil)), all), "False DeliveriesFailing", "the receiver did not answer"},
		{"but not that nothing does", monitored(haveSeen(), all), "Unknown Pending", ""},
		{"a call that failed says nothing", monitored(haveSeen(), func(s *scenario) { s.obs.deliveries.err = errors.New("x") }), "Unknown Pending", ""},
		{"to a disabled endpoint nothing is delivered", disabled(exhausted("evt_1"), func(s *scenario) { s.res.Spec.DeliveryMonitoring = monitored().res.Spec.DeliveryMonitoring }), "Unknown NotDelivering", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			if c.given.obs.deliveries != nil {
				c.given.res.Status.Conditions = append(c.given.res.Status.Conditions, metav1.Condition{
					Type: v1alpha1.ConditionDeliveriesHealthy, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonPending, Message: "x",
				})
			}
			st := conclusionOf(c.given, nil)
			is := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionDeliveriesHealthy)
			g.Expect(is).NotTo(BeNil())
			g.Expect(string(is.Status) + " " + is.Reason).To(Equal(c.then))
			g.Expect(is.Message).To(ContainSubstring(c.message))
			if c.given.obs.endpoint(testID).Status == medblocks.EndpointStatusActive {
				g.Expect(summary(st)).To(Equal("True Registered"), "what the receiver does is no part of Ready")
			}
			c.given.res.Status, c.given.obs.deliveries = *st, nil
			g.Expect(meta.FindStatusCondition(conclusionOf(c.given, nil).Conditions, v1alpha1.ConditionDeliveriesHealthy)).To(Equal(is), "it stays until something else is seen")
			c.given.res.Spec.DeliveryMonitoring = nil
			g.Expect(isMonitored(conclusionOf(c.given, nil))).To(BeFalse())
		})
	}
}

func TestTheWarningSaysWhenMedblocksWouldDisableTheEndpoint(t *testing.T) {
	g := NewWithT(t)
	s := monitored(haveSeen(pendingEvent(3, 30*time.Minute, ptr.To(500)), pendingEvent(8, 5*time.Hour, ptr.To(502)), pendingEvent(4, 0, nil)))
	message := messageOf(conclusionOf(s, nil), v1alpha1.ConditionDeliveriesHealthy)
	g.Expect(message).To(ContainSubstring("or more: 3 (the receiver's last answer was 502)"), "that of the one that comes first")
	g.Expect(message).To(ContainSubstring(testTime.Add(5 * time.Hour).UTC().Format("2006-01-02 at 15h UTC")))
}

func TestWhatAReceiverMakesOfARotation(t *testing.T) {
	rotated := metav1.NewTime(testTime.Add(-time.Hour))
	at := func(after time.Duration) *medblocks.Timestamp { return &medblocks.Timestamp{Time: rotated.Add(after)} }
	delivered := func(after time.Duration) medblocks.EventRecord { return medblocks.EventRecord{DeliveredAt: at(after)} }
	refused := func(after time.Duration, status int) medblocks.EventRecord {
		return medblocks.EventRecord{Attempts: 1, NextAttemptAt: at(after + time.Minute), LastStatusCode: &status}
	}
	for name, c := range map[string]struct {
		was    string
		events []medblocks.EventRecord
		is     string
	}{
		"nothing was delivered since":      {v1alpha1.DeliveriesAwaited, nil, v1alpha1.DeliveriesAwaited},
		"only before":                      {v1alpha1.DeliveriesAwaited, []medblocks.EventRecord{delivered(-time.Second)}, v1alpha1.DeliveriesAwaited},
		"one under way may be of before":   {v1alpha1.DeliveriesAwaited, []medblocks.EventRecord{delivered(4 * time.Second)}, v1alpha1.DeliveriesAwaited},
		"accepted":                         {v1alpha1.DeliveriesAwaited, []medblocks.EventRecord{delivered(time.Minute)}, v1alpha1.DeliveriesAccepted},
		"refused":                          {v1alpha1.DeliveriesAwaited, []medblocks.EventRecord{refused(time.Minute, 401)}, v1alpha1.DeliveriesRefused},
		"refused before":                   {v1alpha1.DeliveriesAwaited, []medblocks.EventRecord{refused(-time.Minute, 401)}, v1alpha1.DeliveriesAwaited},
		"a failure of another kind":        {v1alpha1.DeliveriesAwaited, []medblocks.EventRecord{refused(time.Minute, 500)}, v1alpha1.DeliveriesAwaited},
		"refused, and accepted since":      {v1alpha1.DeliveriesRefused, []medblocks.EventRecord{delivered(2 * time.Minute), refused(time.Minute, 401)}, v1alpha1.DeliveriesAccepted},
		"still refused":                    {v1alpha1.DeliveriesRefused, nil, v1alpha1.DeliveriesRefused},
		"accepted once, and refused since": {v1alpha1.DeliveriesAccepted, []medblocks.EventRecord{refused(time.Minute, 401)}, v1alpha1.DeliveriesAccepted},
		"registered and never rotated":     {"", []medblocks.EventRecord{refused(time.Minute, 401)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			s := monitored(haveSeen(c.events...))
			s.obs.secret.rotatedAt, s.obs.secret.last = rotated.Time, []byte("whsec_old")
			s.res.Status.SigningSecret = &v1alpha1.SigningSecretStatus{Name: s.obs.secret.name, LastRotated: &rotated, Deliveries: c.was}
			st := conclusionOf(s, nil)
			g.Expect(st.SigningSecret.Deliveries).To(Equal(c.is))
			condition := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionSigningSecretReady)
			g.Expect(condition.Status).To(Equal(metav1.ConditionTrue))
			g.Expect(condition.Reason).To(Equal(map[string]string{v1alpha1.DeliveriesAccepted: v1alpha1.ReasonPublished}[c.is] +
				map[bool]string{true: v1alpha1.ReasonRotated}[c.is != v1alpha1.DeliveriesAccepted]))
			g.Expect(strings.Contains(condition.Message, "refuses deliveries")).To(Equal(c.is == v1alpha1.DeliveriesRefused))
			g.Expect(isRotationUnproven(st.SigningSecret)).To(Equal(c.is == v1alpha1.DeliveriesAwaited || c.is == v1alpha1.DeliveriesRefused))
		})
	}
}

func TestARotationIsAwaitedWhereDeliveriesAreLookedAt(t *testing.T) {
	g := NewWithT(t)
	s := monitored()
	before := metav1.NewTime(testTime.Add(-24 * time.Hour))
	s.obs.secret.rotatedAt = testTime
	s.res.Status.SigningSecret = &v1alpha1.SigningSecretStatus{Name: s.obs.secret.name, LastRotated: &before, Deliveries: v1alpha1.DeliveriesAccepted}
	st := conclusionOf(s, nil)
	g.Expect(st.SigningSecret.Deliveries).To(Equal(v1alpha1.DeliveriesAwaited))
	g.Expect(messageOf(st, v1alpha1.ConditionSigningSecretReady)).To(ContainSubstring("no delivery that was signed with it has been accepted yet"))
	s.res.Spec.DeliveryMonitoring = nil
	g.Expect(conclusionOf(s, nil).SigningSecret.Deliveries).To(BeEmpty())
}

func TestAReceiverIsNamedWithoutItsQuery(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	s.res.Spec.URL = "https://example.com/hook?token=secret"
	g.Expect(secretRefused(s.res, "s")).To(ContainSubstring("the receiver https://example.com/hook refuses"))
}

func TestARotationWaitsForItsWindow(t *testing.T) {
	weekend := &v1alpha1.RotationWindow{Days: []v1alpha1.Weekday{v1alpha1.Weekday(testTime.AddDate(0, 0, 1).UTC().Weekday().String())}}
	today := &v1alpha1.RotationWindow{Days: []v1alpha1.Weekday{v1alpha1.Weekday(testTime.UTC().Weekday().String())}}
	due := func(window *v1alpha1.RotationWindow) *scenario {
		s := settled()
		s.res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: time.Hour}, Window: window}}
		s.obs.secret.rotatedAt = testTime.Add(-2 * time.Hour)
		s.read()
		s.obs.secret.live = true
		return s
	}
	runPlanCases(t, []planCase{
		{"at any time", due(nil), nil, "MarkRotation(RotationInterval) RotateSecret(RotationInterval) PublishSecret"},
		{"within it", due(today), nil, "MarkRotation(RotationInterval) RotateSecret(RotationInterval) PublishSecret"},
		{"before it", due(weekend), nil, ""},
		{"a person does not wait for it", due(weekend), func(s *scenario) { s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1" }, "MarkRotation(RotateRequested) RotateSecret(RotateRequested) PublishSecret"},
	}, makePlan)
	g := NewWithT(t)
	s := due(weekend)
	g.Expect(makePlan(s.res, s.obs, s.now).Wake).To(Equal(testTime.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)))
}
