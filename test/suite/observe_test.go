// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func observing(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.Spec.ManagementPolicy = v1alpha1.ManagementObserve
}

func TestAManagedEndpointIsObservedAndThenManagedAgain(t *testing.T) {
	w := newWorld(t)
	id := w.createReady(hooks).Status.EndpointID
	w.settle()
	w.forget()
	w.change(hooks, observing)
	w.Eventually(func() []string { return w.get(hooks).Finalizers }).Should(BeEmpty())
	w.untilReady(hooks)
	w.settle()
	w.Expect(w.kube.all(func(c kubeCall) bool { return c.Method == http.MethodPatch && !c.about("events") })).To(HaveLen(2), "the finalizer, and the status")

	w.edit(hooks, func(e *emulator.Endpoint) { e.URL = "https://drifted.example.com/" })
	w.until(hooks, beStalled(v1alpha1.ReasonDrifted, id, "url", "Observe"))
	w.deleteSecret(signing)
	w.until(hooks, have(v1alpha1.ConditionSigningSecretReady, isFalse, v1alpha1.ReasonWaitingForSecret, signing))
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "during Observe")
	w.Eventually(func() string { return w.get(hooks).Status.LastHandledRotateSecretAt }).Should(Equal("during Observe"))
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.kube.secretWrites()).To(BeEmpty())

	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.ManagementPolicy = v1alpha1.ManagementManage })
	w.untilReady(hooks)
	w.untilSecretHolds(hooks, signing)
	w.Expect(w.get(hooks).Finalizers).To(ContainElement(v1alpha1.Finalizer))
	w.Expect(w.remote(hooks).URL).To(Equal("https://receiver.example.com/hooks"))
	w.settle()
	w.Expect(w.rotations()).To(HaveLen(1), "for the lost secret only")
}

func TestAnEndpointOfOthersIsObservedWithoutATrace(t *testing.T) {
	w := newWorld(t)
	added, err := w.vendor.AddEndpoint(w.key, emulator.Endpoint{URL: "https://receiver.example.com/hooks", Events: []string{"*"}})
	w.Expect(err).NotTo(HaveOccurred())
	w.create(hooks, observing, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.Events = []v1alpha1.EventType{v1alpha1.EventAll}
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: added.ID, RotateSecret: true}
	})
	res := w.untilReady(hooks)
	w.Expect(meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionSigningSecretReady)).To(BeNil())
	w.Expect(res.Status.Endpoint.URL).To(Equal(added.URL))

	w.Expect(w.vendor.SetEndpoint(added.ID, func(e *emulator.Endpoint) { e.Status = "disabled" })).To(Succeed())
	w.until(hooks, have(v1alpha1.ConditionEnabled, isFalse, v1alpha1.ReasonDisabledManually), beStalled(v1alpha1.ReasonDisabledManually))
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.kube.secretWrites()).To(BeEmpty())
	w.Expect(w.get(hooks).Finalizers).To(BeEmpty())
	w.forget()
	w.delete(hooks)
	w.untilGone(hooks)
	w.Consistently(func() []emulator.Call { return w.calls(emulator.OperationGetEndpoint) }, "200ms").Should(BeEmpty())
	w.Expect(writes(w.calls())).To(BeEmpty())
}

// TestWhoObservesAnEndpointIsToldWhatAnotherResourceDoesToIt: the operator's own writes are in the snapshot at once, so that no
// sweep finds anything new in them.
func TestWhoObservesAnEndpointIsToldWhatAnotherResourceDoesToIt(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.operator.pollInterval, s.operator.disabledPollInterval = time.Hour, time.Hour })
	id := w.createReady(hooks).Status.EndpointID
	w.create("mirror", observing, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.URL = "https://receiver.example.com/hooks"
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: id, RotateSecret: true}
	})
	w.untilReady("mirror")
	w.forget()
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = "https://elsewhere.example.com/hooks" })
	w.until("mirror", beStalled(v1alpha1.ReasonDrifted, id, "url"))
	w.Expect(w.get("mirror").Status.Endpoint.URL).To(Equal("https://elsewhere.example.com/hooks"))

	w.delete(hooks)
	w.until("mirror", beStalled(v1alpha1.ReasonAdoptionTargetNotFound, id))
	w.Expect(w.fullLists()).To(BeZero(), "no sweep is needed for that")
	w.untilGone(hooks)
}

func TestDeletingAnObservedResourceLeavesEndpointAndSecret(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.change(hooks, observing)
	w.Eventually(func() []string { return w.get(hooks).Finalizers }).Should(BeEmpty())
	w.forget()
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.owned(hooks)).To(HaveLen(1))
	w.Expect(w.secret(signing)).NotTo(BeNil())
}

func TestWhatCannotBeObservedIsSaid(t *testing.T) {
	w := newWorld(t)
	w.create("nothing", observing)
	w.until("nothing", beStalled(v1alpha1.ReasonInvalidRequest, "spec.adopt.endpointID"))
	w.create(hooks, observing, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: "wh_01J9YR9N3X4VZ6P2K5RH7M3LMP", RotateSecret: true}
	})
	w.until(hooks, beStalled(v1alpha1.ReasonAdoptionTargetNotFound, "wh_01J9YR9N3X4VZ6P2K5RH7M3LMP"))
	w.Expect(writes(w.calls())).To(BeEmpty())
}
