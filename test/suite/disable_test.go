// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// exhaust adds an event whose ninth attempt failed, and disables the endpoint for it as the vendor does.
func (w *world) exhaust(name string, code *int) emulator.EventRecord {
	w.t.Helper()
	id := w.get(name).Status.EndpointID
	event, err := w.vendor.AddEvent(w.key, emulator.EventRecord{WebhookEndpointID: id, Attempts: 9, LastStatusCode: code})
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.vendor.DisableEndpoint(id)).To(Succeed())
	return event
}

func (w *world) disableByHand(name string) {
	w.t.Helper()
	w.Expect(w.vendor.DisableEndpoint(w.get(name).Status.EndpointID)).To(Succeed())
}

// enables counts the calls that made an endpoint active.
func (w *world) enables() int { return w.statusPatches(emulator.StatusActive) }

func (w *world) statusPatches(status string) int {
	n := 0
	for _, call := range w.calls(emulator.OperationUpdateEndpoint) {
		if strings.Contains(call.Body, `"status":"`+status+`"`) {
			n++
		}
	}
	return n
}

func TestASpecThatWantsTheEndpointDisabledGetsItAndTheWayBack(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.forget()
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.State = v1alpha1.StateDisabled })
	res := w.until(hooks, have(v1alpha1.ConditionEnabled, isFalse, v1alpha1.ReasonDisabledBySpec),
		have(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonRegistered, "disabled"), lack(v1alpha1.ConditionReconciling), lack(v1alpha1.ConditionStalled))
	w.Expect(res.Status.Disabled).To(HaveValue(HaveField("Cause", v1alpha1.ReasonDisabledBySpec)))
	w.Expect(w.remote(hooks).Status).To(Equal(emulator.StatusDisabled))
	w.Expect(operationsOf(w.calls())).To(Equal([]string{"GetEndpoint", "UpdateEndpoint"}))
	w.settle()
	w.Expect(w.calls()).To(HaveLen(2))

	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.State = v1alpha1.StateActive })
	res = w.until(hooks, beReady(), have(v1alpha1.ConditionEnabled, isTrue, v1alpha1.ReasonActive))
	w.Expect(res.Status.Disabled).To(BeNil())
	w.Expect(w.remote(hooks).Status).To(Equal(emulator.StatusActive))
	w.settle()
	w.Expect(w.enables()).To(Equal(1))
}

func TestAnEndpointThatIsBornDisabledIsRegisteredAndThenDisabled(t *testing.T) {
	w := newWorld(t)
	w.create(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.State = v1alpha1.StateDisabled })
	w.until(hooks, have(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonRegistered), have(v1alpha1.ConditionEnabled, isFalse, v1alpha1.ReasonDisabledBySpec))
	w.Expect(w.remote(hooks).Status).To(Equal(emulator.StatusDisabled))
	w.settle()
	w.Expect(writes(w.calls())).To(Equal([]string{"CreateEndpoint", "UpdateEndpoint"}))
}

func TestAnEndpointThatAPersonEnablesAgainstTheSpecIsDisabledAgain(t *testing.T) {
	w := newWorld(t)
	w.create(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.State = v1alpha1.StateDisabled })
	disabled := have(v1alpha1.ConditionEnabled, isFalse, v1alpha1.ReasonDisabledBySpec)
	w.until(hooks, disabled)
	w.settle()
	w.forget()
	w.Expect(w.vendor.EnableEndpoint(w.get(hooks).Status.EndpointID)).To(Succeed())
	w.Eventually(func() string { return w.remote(hooks).Status }).Should(Equal(emulator.StatusDisabled))
	w.settle()
	w.until(hooks, disabled, have(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonRegistered))
	w.Expect(w.statusPatches(emulator.StatusDisabled)).To(Equal(1))
}

func TestADisableByTheVendorIsReportedWithItsCauseAndLeftAloneUnderNever(t *testing.T) {
	for name, test := range map[string]struct {
		code *int
		text string
	}{
		"the receiver answered 503":   {ptr.To(503), "the receiver's last answer was 503"},
		"the receiver did not answer": {nil, "the receiver did not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks)
			w.settle()
			w.forget()
			w.exhaust(hooks, test.code)
			res := w.until(hooks, beStalled(v1alpha1.ReasonAutoDisabled, test.text, v1alpha1.AnnotationReenableRequestedAt),
				have(v1alpha1.ConditionEnabled, isFalse, v1alpha1.ReasonAutoDisabled), have(v1alpha1.ConditionSynced, isTrue, v1alpha1.ReasonRegistered))
			w.Expect(res.Status.Disabled.Cause).To(Equal(v1alpha1.ReasonAutoDisabled))
			if test.code == nil {
				w.Expect(res.Status.Disabled.LastStatusCode).To(BeNil())
			} else {
				w.Expect(res.Status.Disabled.LastStatusCode).To(HaveValue(BeEquivalentTo(*test.code)))
			}
			w.Expect(res.Status.Endpoint.Status).To(Equal("disabled"))
			w.untilEvent("Warning AutoDisabled")
			w.advance(24 * time.Hour)
			w.settle()
			w.Expect(writes(w.calls())).To(BeEmpty())
			w.Expect(w.calls(emulator.OperationListEvents)).To(HaveLen(1), "the verdict is kept")
		})
	}
}

func TestADisableAfterNineRealAttemptsIsSeenWithoutAnyNotice(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(receiver.Close)
	w := newWorld(t, func(s *setup) {
		s.vendor.TimeScale = 1e7
		s.operator.pollInterval = time.Hour // it is the poll of the disabled endpoints that sees it
	})
	w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = receiver.URL + "/hook" })
	for _, other := range w.bystanders {
		w.Expect(w.vendor.RemoveEndpoint(other.ID)).To(Succeed()) // it would get the event too
	}
	w.bystanders = nil
	w.vendor.Fire(w.key, "patient_flow.completed", nil)
	res := w.until(hooks, beStalled(v1alpha1.ReasonAutoDisabled, "418"))
	w.Expect(res.Status.Disabled.LastStatusCode).To(HaveValue(BeEquivalentTo(http.StatusTeapot)))
	w.Expect(w.vendor.Deliveries()).To(HaveLen(9))
}

func TestAPersonsDisableIsNeverUndoneByPolicy(t *testing.T) {
	for _, mode := range []v1alpha1.ReenableMode{v1alpha1.ReenableNever, v1alpha1.ReenableAlways} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
				res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: mode}
			})
			w.settle()
			w.forget()
			w.disableByHand(hooks)
			res := w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually, "a person disabled", v1alpha1.AnnotationReenableRequestedAt))
			w.Expect(res.Status.Disabled).To(gstruct.PointTo(gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{"Cause": Equal(v1alpha1.ReasonDisabledManually), "LastStatusCode": BeNil()})))
			w.advance(400 * time.Hour)
			w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
			w.restartOperator()
			w.settle()
			w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
			w.Expect(w.enables()).To(BeZero())
			w.Expect(w.remote(hooks).Description).To(HaveValue(Equal("changed")), "the rest of the spec still counts")

			t.Log("The person enables it again.")
			w.Expect(w.vendor.EnableEndpoint(w.get(hooks).Status.EndpointID)).To(Succeed())
			w.Expect(w.until(hooks, beReady()).Status.Disabled).To(BeNil())
		})
	}
}

func TestTheAnnotationReenablesWhateverTheCauseAndOnlyOnce(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.forget()
	w.annotate(hooks, v1alpha1.AnnotationReenableRequestedAt, "please")
	res := w.until(hooks, beReady(), have(v1alpha1.ConditionEnabled, isTrue, v1alpha1.ReasonActive))
	w.Expect(res.Status.LastHandledReenableAt).To(Equal("please"))
	w.Expect(res.Status.Disabled).To(BeNil())
	w.Expect(w.enables()).To(Equal(1))

	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.settle()
	w.Expect(w.enables()).To(Equal(1), "a request is handled once")
}

func TestADisableWhoseEventsCannotBeReadIsNotUndoneUntilTheyCan(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
	})
	w.fail(emulator.OperationListEvents, emulator.Fault{Kind: emulator.FaultStatus, Status: 500})
	w.exhaust(hooks, ptr.To(500))
	res := w.until(hooks, beStalled(v1alpha1.ReasonUnknown, "do not tell why", v1alpha1.AnnotationReenableRequestedAt))
	w.Expect(res.Status.Disabled.Cause).To(Equal(v1alpha1.ReasonUnknown))
	w.advance(time.Hour)
	w.settle()
	w.Expect(w.enables()).To(BeZero())

	w.vendor.ClearFaults()
	w.advance(time.Minute)
	res = w.until(hooks, beReady())
	w.Expect(res.Status.Reenable.Attempts).To(HaveLen(1), "the vendor's doing, as it turned out")
}

// TestEventsThatCouldNotBeReadWhenAPersonEnabledExplainNoLaterDisable: what is exhausted by then is the past.
func TestEventsThatCouldNotBeReadWhenAPersonEnabledExplainNoLaterDisable(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
	})
	w.fail(emulator.OperationListEvents, emulator.Fault{Kind: emulator.FaultStatus, Status: 500})
	w.exhaust(hooks, ptr.To(500))
	w.until(hooks, beStalled(v1alpha1.ReasonUnknown))
	w.annotate(hooks, v1alpha1.AnnotationReenableRequestedAt, "please")
	w.untilReady(hooks)
	w.Expect(w.enables()).To(Equal(1))

	w.vendor.ClearFaults()
	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.advance(24 * time.Hour)
	w.settle()
	w.Expect(w.enables()).To(Equal(1), "a person's disable is never undone")
}

func TestWhatIsExhaustedDuringASuspensionExplainsNoLaterDisable(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
	})
	suspend := func(suspended bool) {
		w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Suspend = suspended })
	}
	suspend(true)
	w.until(hooks, have(v1alpha1.ConditionSynced, isUnknown, v1alpha1.ReasonSuspended))
	w.exhaust(hooks, ptr.To(500))
	w.Expect(w.vendor.EnableEndpoint(w.get(hooks).Status.EndpointID)).To(Succeed())
	suspend(false)
	w.until(hooks, beReady())
	w.settle()

	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.Expect(w.enables()).To(BeZero())
}
