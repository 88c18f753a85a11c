// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// stranger adds an endpoint that somebody has registered by hand.
func (w *world) stranger() emulator.EndpointWithSecret {
	w.t.Helper()
	added, err := w.vendor.AddEndpoint(w.key, emulator.Endpoint{Description: ptr.To("by hand"), Metadata: map[string]any{"team": "billing"}})
	w.Expect(err).NotTo(HaveOccurred())
	return added
}

func adopt(id string) func(*v1alpha1.MedblocksWebhookEndpoint) {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: id, RotateSecret: true}
	}
}

func TestAnAdoptionTakesOverTheEndpointWithOnePatchAndOneRotation(t *testing.T) {
	w := newWorld(t)
	target := w.stranger()
	res := w.createReady(hooks, adopt(target.ID))
	w.settle()
	w.Expect(res.Status.EndpointID).To(Equal(target.ID))
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())
	w.Expect(w.calls(emulator.OperationUpdateEndpoint)).To(HaveLen(1))
	w.Expect(w.rotations()).To(HaveLen(1))
	w.untilSecretHolds(hooks, signing)
	is := w.remote(hooks)
	w.Expect(is.URL).To(Equal(res.Spec.URL))
	w.Expect(ptr.Deref(is.Description, "")).To(BeEmpty())
	w.Expect(is.Metadata).NotTo(HaveKey("team"), "spec.metadata is the whole map")
	w.Expect(is.Metadata).To(HaveKeyWithValue(v1alpha1.MarkOwner, w.ownerMark(hooks)))
	w.untilEvent("Normal Adopted: Took over endpoint " + target.ID)
	history := w.get(hooks).Status.History
	w.Expect(history).To(HaveLen(2))
	w.Expect(history[0].Action + " " + history[0].Trigger).To(Equal("AdoptEndpoint Adoption"))
	w.Expect(history[1].Action + " " + history[1].Trigger).To(Equal("RotateSecret Adoption"))

	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero(), "it is deleted like any other")
}

func TestAnAdoptionThatBrokeOffIsFinished(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"the answer to the marks is lost":    {Operation: emulator.OperationUpdateEndpoint, Kind: emulator.FaultLostAnswer},
		"the marks are not set":              {Operation: emulator.OperationUpdateEndpoint, Kind: emulator.FaultStatus, Status: 500},
		"the answer to the rotation is lost": {Operation: emulator.OperationRotateSecret, Kind: emulator.FaultLostAnswer},
		"the secret is not rotated":          {Operation: emulator.OperationRotateSecret, Kind: emulator.FaultStatus, Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.apiTimeout = 1500 * time.Millisecond })
			target := w.stranger()
			w.vendor.InjectFault(fault)
			res := w.createReady(hooks, adopt(target.ID))
			w.settle()
			w.Expect(res.Status.EndpointID).To(Equal(target.ID))
			w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())
			w.untilSecretHolds(hooks, signing)
			w.Expect(len(w.rotations())).To(BeNumerically("<=", 2))
		})
	}
}

func TestAnEndpointToAdoptThatIsNotThereIsNotRegisteredAndAdoptedOnceItAppears(t *testing.T) {
	w := newWorld(t)
	target := w.stranger()
	w.Expect(w.vendor.RemoveEndpoint(target.ID)).To(Succeed())
	w.create(hooks, adopt(target.ID))
	w.until(hooks, beStalled(v1alpha1.ReasonAdoptionTargetNotFound, target.ID))
	w.settle()
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())
	w.Expect(w.get(hooks).Finalizers).To(BeEmpty())
	_, err := w.vendor.AddEndpoint(w.key, target.Endpoint)
	w.Expect(err).NotTo(HaveOccurred())
	w.untilReady(hooks)
	w.Expect(w.get(hooks).Status.EndpointID).To(Equal(target.ID))
}

func TestAnAdoptionTakesAnEndpointFromAnotherResourceWhichThenStops(t *testing.T) {
	w := newWorld(t)
	w.expects.leftBehind = true
	const heir = "heir"
	former := w.createReady(hooks)
	w.settle()
	w.createReady(heir, adopt(former.Status.EndpointID))
	w.until(hooks, beStalled(v1alpha1.ReasonOwnershipLost, w.ownerMark(heir)))
	w.forget()
	w.delete(hooks)
	w.untilGone(hooks)
	w.settle()
	w.Expect(w.calls(emulator.OperationDeleteEndpoint, emulator.OperationUpdateEndpoint, emulator.OperationRotateSecret)).To(BeEmpty())
	w.untilReady(heir)
	w.untilSecretHolds(heir, heir+"-signing-secret")
}

func TestAReadOnlyOperatorReportsAnAdoptionAndWritesNothing(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.operator.readOnly = true })
	target := w.stranger()
	w.create(hooks, adopt(target.ID))
	w.until(hooks, beStalled(v1alpha1.ReasonDrifted, "AdoptEndpoint "+target.ID))
	w.settle()
	is, err := w.vendor.Endpoint(target.ID)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(is).To(Equal(target))
	w.Expect(w.secret(signing)).To(BeNil())
}

func TestAResourceThatIsToAdoptItsOwnEndpointHasDoneSo(t *testing.T) {
	w := newWorld(t)
	id := w.createReady(hooks).Status.EndpointID
	w.createSecret(theirs, map[string]string{"secret": "whsec_other"})
	w.settle()
	w.forget()
	for _, tweak := range []func(*v1alpha1.MedblocksWebhookEndpoint){adopt(id), adoptWithCopy(id)} {
		generation := w.change(hooks, tweak).Generation
		w.Eventually(func() int64 { return w.get(hooks).Status.ObservedGeneration }).Should(Equal(generation))
		w.untilReady(hooks)
	}
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.untilSecretHolds(hooks, signing)
}
