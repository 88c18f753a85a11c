// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// monitored looks at the events every ten minutes.
func monitored(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.Spec.DeliveryMonitoring = &v1alpha1.DeliveryMonitoring{Interval: metav1.Duration{Duration: 10 * time.Minute}}
}

func TestUndeliveredEventsAreAnEarlyWarning(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, monitored)
	w.until(hooks, have(v1alpha1.ConditionDeliveriesHealthy, isTrue, v1alpha1.ReasonDelivering))
	next := w.clock.Now().Add(30 * time.Minute)
	_, err := w.vendor.AddEvent(w.key, emulator.EventRecord{
		WebhookEndpointID: w.get(hooks).Status.EndpointID, Attempts: 3, NextAttemptAt: &next, LastStatusCode: ptr.To(502),
	})
	w.Expect(err).NotTo(HaveOccurred())
	w.settle()
	w.forget()
	w.advance(11 * time.Minute)
	w.until(hooks, have(v1alpha1.ConditionDeliveriesHealthy, isFalse, v1alpha1.ReasonDeliveriesFailing, "502", "Medblocks disables the endpoint on"), beReady())
	w.untilEvent("Warning DeliveriesFailing")
	w.settle()
	w.Expect(operationsOf(w.calls())).To(Equal([]string{"ListEvents"}), "one call per interval")
}

func TestAMonitoredEndpointThatNothingHappensToCostsACallPerIntervalAndNoWrite(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, monitored)
	w.until(hooks, have(v1alpha1.ConditionDeliveriesHealthy, isTrue, v1alpha1.ReasonDelivering))
	w.settle()
	w.forget()
	for i := range 3 {
		w.advance(11 * time.Minute)
		w.Eventually(func() []emulator.Call { return w.calls() }).Should(HaveLen(i + 1))
	}
	w.settle()
	w.Expect(w.calls()).To(HaveLen(3))
	w.Expect(w.kube.resourceWrites()).To(BeEmpty())

	t.Log("After a restart, those of a fleet are not looked at all at once.")
	w.restartOperator()
	w.advance(16 * time.Minute)
	w.Eventually(func() []emulator.Call { return w.calls() }).ShouldNot(BeEmpty())
}

func TestAReceiverThatRefusesTheSecretOfARotationIsNamedUntilItAcceptsIt(t *testing.T) {
	w := newWorld(t)
	receiver := w.newSite(http.StatusUnauthorized)
	for _, other := range w.bystanders {
		w.Expect(w.vendor.RemoveEndpoint(other.ID)).To(Succeed()) // it would get the event too
	}
	w.bystanders = nil
	w.createReady(hooks, monitored, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = receiver.URL + "/hook?token=abc" })
	w.until(hooks, have(v1alpha1.ConditionDeliveriesHealthy, isTrue, v1alpha1.ReasonDelivering))
	w.advance(time.Minute)
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.until(hooks, have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonRotated, "no delivery that was signed with it"))

	w.advance(30 * time.Second)
	w.vendor.Fire(w.key, "patient_flow.completed", nil)
	w.Eventually(receiver.delivered).Should(Equal(1))
	w.Eventually(w.vendor.Idle).Should(BeTrue())
	w.advance(11 * time.Minute)
	w.until(hooks, have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonRotated, "the receiver "+receiver.URL+"/hook refuses"))
	w.untilEvent("Warning ReceiverRefusesSecret")

	t.Log("It reads the Secret, and the next attempt is accepted.")
	receiver.answer(http.StatusOK)
	w.advance(time.Hour)
	w.until(hooks, have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonPublished, "accepts"))
	w.Expect(w.get(hooks).Status.SigningSecret.Deliveries).To(Equal(v1alpha1.DeliveriesAccepted))
}
