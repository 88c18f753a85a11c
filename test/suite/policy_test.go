// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// always is a policy that re-enables after the backoff, and again after twice as long.
func always(initial time.Duration, attempts int32) func(*v1alpha1.MedblocksWebhookEndpoint) {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
			Mode:        v1alpha1.ReenableAlways,
			Backoff:     &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: initial}},
			MaxAttempts: ptr.To(attempts),
			Window:      &metav1.Duration{Duration: 48 * time.Hour},
		}
	}
}

func TestAnAutoDisabledEndpointIsReenabledAfterTheBackoffByTheOperatorItself(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(2*time.Second, 3))
	w.exhaust(hooks, ptr.To(500))
	res := w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled, "nextAttempt"), have(v1alpha1.ConditionEnabled, isFalse, v1alpha1.ReasonAutoDisabled))
	w.Expect(res.Status.Reenable.NextAttempt.Time).To(Equal(res.Status.Disabled.Since.Add(2 * time.Second))) // and less than a second more
	// No clock is put forward: the operator has to wake up for it.
	res = w.until(hooks, beReady(), have(v1alpha1.ConditionEnabled, isTrue, v1alpha1.ReasonActive))
	w.Expect(res.Status.Reenable.Attempts).To(HaveLen(1))
	w.Expect(res.Status.Reenable.NextAttempt).To(BeNil())
	w.Expect(res.Status.Disabled).To(BeNil())
	w.Expect(w.enables()).To(Equal(1))
	w.untilEvent("Normal Reenabled")
}

func TestAnAttemptIsWrittenBeforeItIsMade(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 3))
	seen := make(chan int, 1)
	w.vendor.SetHook(func(call emulator.HookCall) error {
		if call.Operation == emulator.OperationUpdateEndpoint && call.Phase == emulator.PhaseBefore {
			seen <- len(w.get(hooks).Status.Reenable.Attempts)
		}
		return nil
	})
	w.exhaust(hooks, nil)
	w.untilDue(hooks)
	w.Eventually(seen).Should(Receive(Equal(1)))
	w.until(hooks, beReady())
}

func TestAnAttemptThatMedblocksPutsOffIsNoAttempt(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 1))
	w.exhaust(hooks, ptr.To(500))
	w.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationUpdateEndpoint, Kind: emulator.FaultStatus, Status: 429, RetryAfter: "60", Times: 2})
	w.untilDue(hooks)
	for refused := range 2 {
		w.Eventually(func() []emulator.Call { return w.calls(emulator.OperationUpdateEndpoint) }).Should(HaveLen(refused + 1))
		w.Eventually(func() []metav1.Time { return w.get(hooks).Status.Reenable.Attempts }).Should(BeEmpty())
		w.advance(2 * time.Minute)
	}
	w.until(hooks, beReady()) // although the policy allows one attempt
	w.Expect(w.get(hooks).Status.Reenable.Attempts).To(HaveLen(1))
}

func TestTheBackoffDoublesAndTheBudgetEndsInStalledUntilTheWindowRollsOn(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 3))
	for attempt, backoff := range []time.Duration{time.Hour, 2 * time.Hour, 4 * time.Hour} {
		w.exhaust(hooks, ptr.To(500))
		res := w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled))
		w.Expect(res.Status.Reenable.NextAttempt.Sub(res.Status.Disabled.Since.Time)).To(
			And(BeNumerically(">=", backoff), BeNumerically("<=", backoff+backoff/10)), "attempt %d", attempt+1)
		w.advance(res.Status.Reenable.NextAttempt.Sub(w.clock.Now()) - time.Minute)
		w.settle()
		w.Expect(w.enables()).To(Equal(attempt))
		w.untilDue(hooks)
		w.until(hooks, beReady())
		w.Expect(w.enables()).To(Equal(attempt + 1))
	}
	w.exhaust(hooks, ptr.To(500))
	res := w.until(hooks, beStalled(v1alpha1.ReasonAutoDisabled, "used up", v1alpha1.AnnotationReenableRequestedAt))
	w.Expect(res.Status.Reenable.Attempts).To(HaveLen(3))
	w.advance(12 * time.Hour)
	w.settle()
	w.Expect(w.enables()).To(Equal(3), "never more than maxAttempts in a window")

	w.advance(48 * time.Hour)
	w.until(hooks, beReady())
	w.Expect(w.enables()).To(Equal(4))
}

func TestTheBackoffNeverExceedsItsMaximum(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 5), func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.ReenablePolicy.Backoff.Max = &metav1.Duration{Duration: 90 * time.Minute}
	})
	for range 3 {
		w.exhaust(hooks, nil)
		res := w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled))
		w.Expect(res.Status.Reenable.NextAttempt.Sub(res.Status.Disabled.Since.Time)).To(BeNumerically("<=", 99*time.Minute))
		w.untilDue(hooks)
		w.until(hooks, beReady())
	}
	w.Expect(w.enables()).To(Equal(3))
}

func TestAPersonsRequestReenablesAtOnceAndStartsTheBudgetAnew(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 1))
	w.exhaust(hooks, nil)
	w.untilDue(hooks)
	w.until(hooks, beReady())
	w.exhaust(hooks, nil)
	w.until(hooks, beStalled(v1alpha1.ReasonAutoDisabled, "used up"))

	w.annotate(hooks, v1alpha1.AnnotationReenableRequestedAt, "repaired")
	res := w.until(hooks, beReady())
	w.Expect(res.Status.Reenable.Attempts).To(BeEmpty())
	w.exhaust(hooks, nil)
	w.untilDue(hooks)
	w.until(hooks, beReady())
	w.Expect(w.enables()).To(Equal(3))
}

func TestAnEventThatExplainedADisableOnceDoesNotExplainALaterOneByAPerson(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 3))
	event := w.exhaust(hooks, nil)
	w.untilDue(hooks)
	res := w.until(hooks, beReady())
	w.Expect(res.Status.Reenable.AccountedEvents).To(ConsistOf(event.ID))

	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.advance(12 * time.Hour)
	w.settle()
	w.Expect(w.enables()).To(Equal(1))
}

func TestEventsExhaustedBeforeAResourceWasRestoredExplainNothing(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 3))
	id := w.get(hooks).Status.EndpointID
	_, err := w.vendor.AddEvent(w.key, emulator.EventRecord{WebhookEndpointID: id, Attempts: 9})
	w.Expect(err).NotTo(HaveOccurred())
	w.stopOperator()
	w.recreate(hooks, always(time.Hour, 3))
	w.startOperator()
	w.until(hooks, beReady())
	w.settle()
	w.forget()
	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.advance(12 * time.Hour)
	w.settle()
	w.Expect(w.enables()).To(BeZero())
}

func TestAnOldReenableRequestOnARestoredResourceEnablesNothing(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.stopOperator()
	w.recreate(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Annotations = map[string]string{v1alpha1.AnnotationReenableRequestedAt: "long ago"}
	})
	w.forget()
	w.startOperator()
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.settle()
	w.Expect(w.enables()).To(BeZero())
}

func TestAnAttemptThatMedblocksRefusedCountsAndIsRepeatedWithinTheBudget(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 2))
	w.exhaust(hooks, nil)
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled))
	w.fail(emulator.OperationUpdateEndpoint, emulator.Fault{Kind: emulator.FaultStatus, Status: 500})
	w.untilDue(hooks)
	w.Eventually(func() []metav1.Time { return w.get(hooks).Status.Reenable.Attempts }).Should(HaveLen(1))
	w.settle()
	w.Expect(w.enables()).To(BeNumerically("<=", 2))
	w.vendor.ClearFaults()
	w.advance(2*time.Hour + 15*time.Minute)
	w.until(hooks, beReady())
}
