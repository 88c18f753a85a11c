// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestARegistrationWhoseAnswerWasLostEndsInOneEndpointAndAValidSecret(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"the answer is lost":             {Kind: emulator.FaultLostAnswer},
		"the answer breaks off":          {Kind: emulator.FaultTruncatedJSON},
		"the answer is a proxy's page":   {Kind: emulator.FaultHTML, AfterEffect: true},
		"the answer has no secret":       {Kind: emulator.FaultNoSecret},
		"the answer has no id":           {Kind: emulator.FaultNoID},
		"the answer comes too late":      {Kind: emulator.FaultDelay, Delay: 3 * time.Second, AfterEffect: true},
		"the answer is a fault (500)":    {Kind: emulator.FaultStatus, Status: 500, AfterEffect: true},
		"the answer is a fault (503)":    {Kind: emulator.FaultUnavailable, AfterEffect: true},
		"the effect comes after the cut": {Kind: emulator.FaultLateEffect, Delay: 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.apiTimeout = 1500 * time.Millisecond })
			fault.Operation = emulator.OperationCreateEndpoint
			w.vendor.InjectFault(fault)
			w.create(hooks)
			// No clock is put forward: the operator has to come back to it by itself.
			w.untilReady(hooks)
			w.settle()
			w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
			w.Expect(w.owned(hooks)).To(HaveLen(1))
			w.Expect(w.calls(emulator.OperationRotateSecret)).To(HaveLen(1), "the secret in the lost answer cannot be had again")
		})
	}
}

func TestARegistrationThatFailedWithoutAnEffectIsRepeatedOnceThatIsCertain(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"500":                        {Kind: emulator.FaultStatus, Status: 500},
		"502 from a proxy":           {Kind: emulator.FaultHTML},
		"503":                        {Kind: emulator.FaultUnavailable},
		"a connection that is reset": {Kind: emulator.FaultReset},
		"no answer in time":          {Kind: emulator.FaultHang},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.apiTimeout = time.Second })
			fault.Operation = emulator.OperationCreateEndpoint
			w.vendor.InjectFault(fault)
			w.create(hooks)
			w.untilReady(hooks)
			w.settle()
			posts := w.calls(emulator.OperationCreateEndpoint)
			w.Expect(posts).To(HaveLen(2))
			w.Expect(posts[1].At.Sub(posts[0].At)).To(BeNumerically(">=", time.Second), "a POST may be in flight as long as the API timeout")
			w.Expect(w.calls(emulator.OperationRotateSecret)).To(BeEmpty())
			w.Expect(w.owned(hooks)).To(HaveLen(1))
		})
	}
}

// copyOf adds a second endpoint with the marks of the first, as a POST would whose answer was lost.
func (w *world) copyOf(name string, edit func(*emulator.Endpoint)) emulator.EndpointWithSecret {
	w.t.Helper()
	like := w.remote(name).Endpoint
	like.ID = ""
	edit(&like)
	added, err := w.vendor.AddEndpoint(w.key, like)
	w.Expect(err).NotTo(HaveOccurred())
	return added
}

func TestADuplicateIsRemovedWhileTheKnownEndpointStays(t *testing.T) {
	w := newWorld(t)
	res := w.createReady(hooks)
	w.settle()
	duplicate := w.copyOf(hooks, func(e *emulator.Endpoint) { e.Metadata[v1alpha1.MarkSecretGeneration] = "lost" })
	w.Eventually(func() []emulator.EndpointWithSecret { return w.owned(hooks) }).Should(HaveLen(1))
	w.Expect(w.owned(hooks)[0].ID).To(Equal(res.Status.EndpointID))
	w.settle()
	w.untilEvent("Warning DuplicateRemoved: Deleted endpoint " + duplicate.ID)
	w.Expect(w.calls(emulator.OperationRotateSecret)).To(BeEmpty())
	w.Expect(w.calls(emulator.OperationDeleteEndpoint)).To(HaveLen(1))
	w.untilReady(hooks)
}

func TestOfTwoEndpointsTheOneWhoseSecretIsHeldIsKept(t *testing.T) {
	w := newWorld(t)
	res := w.createReady(hooks)
	w.stopOperator()
	w.copyOf(hooks, func(e *emulator.Endpoint) { // older, so that age alone would choose it
		e.Metadata[v1alpha1.MarkSecretGeneration] = "lost"
		e.CreatedAt = e.CreatedAt.Add(-time.Hour)
	})
	w.changeStatus(hooks, func(status *v1alpha1.MedblocksWebhookEndpointStatus) {
		*status = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}
	})
	w.forget()
	w.startOperator()
	w.clock.Step(w.options.apiTimeout)
	w.Eventually(func() string { w.poke(); return w.get(hooks).Status.EndpointID }).Should(Equal(res.Status.EndpointID))
	w.untilReady(hooks)
	w.Expect(w.owned(hooks)).To(HaveLen(1))
	w.Expect(writes(w.calls())).To(Equal([]string{"DeleteEndpoint"}))
}

func TestAWipedStatusIsRestoredFromWhatMedblocksHas(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks, full)
	w.stopOperator()
	w.changeStatus(hooks, func(status *v1alpha1.MedblocksWebhookEndpointStatus) {
		*status = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}
	})
	w.forget()
	w.startOperator()
	w.Eventually(func() string { w.advance(time.Second); return w.get(hooks).Status.EndpointID }).Should(Equal(before.Status.EndpointID))
	w.untilReady(hooks)
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.kube.secretWrites()).To(BeEmpty())
}

// recreate removes a resource as if the cluster had been lost, and creates it again from its manifest.
func (w *world) recreate(name string, tweaks ...func(*v1alpha1.MedblocksWebhookEndpoint)) *v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	w.change(name, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Finalizers = nil })
	w.delete(name)
	w.untilGone(name)
	return w.create(name, tweaks...)
}

func TestAResourceRestoredWithoutStatusAndAnnotationsResumesItsEndpoint(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.stopOperator()
	restored := w.recreate(hooks)
	w.Expect(restored.UID).NotTo(Equal(before.UID))
	w.forget()
	w.startOperator()
	after := w.untilReady(hooks)
	w.settle()
	w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(w.remote(hooks).Metadata).To(HaveKeyWithValue(v1alpha1.MarkIncarnation, string(restored.UID)), "the fence moves with the resource")
	w.Expect(writes(w.calls())).To(HaveEach("UpdateEndpoint"))
	w.Expect(w.kube.secretWrites()).To(BeEmpty(), "the Secret that survived is still good")
	w.Expect(after.Finalizers).To(ContainElement(v1alpha1.Finalizer))
}

func TestAResourceRestoredWithoutItsSecretResumesItsEndpointWithANewSecret(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.stopOperator()
	w.recreate(hooks)
	w.deleteSecret(signing)
	w.forget()
	w.startOperator()
	after := w.untilReady(hooks)
	w.settle()
	w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(w.calls(emulator.OperationRotateSecret)).To(HaveLen(1))
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())
}

func TestAnAnnotationCopiedFromAnotherResourceIsIgnored(t *testing.T) {
	w := newWorld(t)
	source := w.createReady("source")
	w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Annotations = source.Annotations })
	w.settle()
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(2))
	w.Expect(w.remote("source").ID).To(Equal(source.Status.EndpointID))
}

func TestADamagedEndpointIDIsFoundAgainByTheOwnerMark(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.stopOperator()
	w.changeStatus(hooks, func(status *v1alpha1.MedblocksWebhookEndpointStatus) { status.EndpointID = "wh_/../events" })
	w.forget()
	w.startOperator()
	w.Eventually(func() string { return w.get(hooks).Status.EndpointID }).Should(Equal(before.Status.EndpointID))
	w.untilReady(hooks)
	w.Expect(writes(w.calls())).To(BeEmpty())
}
