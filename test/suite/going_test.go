// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// holdDeletion deletes a resource while Medblocks is out of order, so that the deletion has begun and cannot end.
func (w *world) holdDeletion(name string) {
	w.t.Helper()
	w.fail(emulator.OperationDeleteEndpoint, emulator.Fault{Kind: emulator.FaultUnavailable})
	w.delete(name)
	w.Eventually(func() []emulator.Call { return w.calls(emulator.OperationDeleteEndpoint) }).ShouldNot(BeEmpty())
}

func TestTheSecretOfAResourceThatIsGoingIsNotPutBack(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.holdDeletion(hooks)
	w.deleteSecret(signing)
	for range 3 {
		w.advance(time.Hour)
		w.settle()
	}
	w.Expect(w.secret(signing)).To(BeNil())
	w.Expect(w.rotations()).To(BeEmpty())
	w.vendor.ClearFaults()
	w.advance(time.Hour)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
	w.Expect(w.secret(signing)).To(BeNil())
}

func TestTheSecretInANamespaceThatIsGoingIsNotPutBack(t *testing.T) {
	w := newWorld(t)
	w.expects.refusedWrites = true // it takes no events either
	w.createReady(hooks)
	w.settle()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	w.Expect(shared.admin.Delete(t.Context(), namespace)).To(Succeed()) // without a controller manager it stays Terminating
	w.forget()
	w.deleteSecret(signing)
	w.until(hooks, beStalled(v1alpha1.ReasonWaitingForSecret, signing, "being terminated"))
	w.restartOperator()
	for range 3 {
		w.advance(time.Hour)
		w.settle()
	}
	w.Expect(writes(w.calls())).To(BeEmpty(), "a new secret could not be stored")
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
}

func TestADeletionGoesOnWhereTheOperatorWasRestarted(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.holdDeletion(hooks)
	w.stopOperator()
	w.vendor.ClearFaults()
	w.Expect(w.get(hooks).Finalizers).To(ContainElement(v1alpha1.Finalizer))
	w.startOperator()
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
	w.Expect(w.secret(signing)).To(BeNil())
}

func TestAResourceAndItsKeyThatAreDeletedTogetherLeaveNothingBehind(t *testing.T) {
	for name, remove := range map[string]func(*world){
		"the resource first": func(w *world) { w.delete(hooks); w.deleteSecret(keySecret) },
		"the key first":      func(w *world) { w.deleteSecret(keySecret); w.delete(hooks) },
		"while Medblocks is out of order": func(w *world) {
			w.holdDeletion(hooks)
			w.deleteSecret(keySecret)
			w.settleWithout()
			w.vendor.ClearFaults()
			w.advance(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks)
			remove(w)
			w.untilGone(hooks)
			w.Expect(w.left()).To(BeZero(), "the key was still in memory")
			w.Expect(w.secret(signing)).To(BeNil())
		})
	}
}

func TestASecretThatCannotBeStoredAfterARotationIsNoReasonToRotateAgainAndAgain(t *testing.T) {
	w := newWorld(t)
	w.expects.refusedWrites = true
	w.createReady(hooks)
	w.settle()
	w.after(emulator.OperationRotateSecret, func() {
		w.changeSecret(signing, func(secret *corev1.Secret) { secret.Immutable = ptr.To(true) })
	})
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.until(hooks, beStalled(v1alpha1.ReasonWaitingForSecret, signing, "immutable"))
	for range 3 {
		w.restartOperator() // the secret in the answer is lost with the process
		w.advance(2 * time.Hour)
		w.settle()
	}
	w.Expect(w.rotations()).To(HaveLen(1))
	w.until(hooks, beStalled(v1alpha1.ReasonWaitingForSecret, signing, "immutable"))

	t.Log("Somebody removes the immutable Secret.")
	w.deleteSecret(signing)
	w.advance(time.Minute)
	w.untilSecretHolds(hooks, signing)
	w.untilReady(hooks)
	w.settle()
	w.Expect(w.rotations()).To(HaveLen(2))
}

func TestASecretWhoseNewNameHasNoRoomStaysGoodUnderItsOldOne(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	value := w.value(signing)
	quota := w.quota(2) // the API key's and the signing Secret
	w.expects.refusedWrites = true
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "renamed"}
	})
	w.until(hooks, have(v1alpha1.ConditionSigningSecretReady, isFalse, v1alpha1.ReasonWaitingForSecret, "renamed", "exceeded quota"))
	w.restartOperator()
	w.advance(time.Hour)
	w.settle()
	w.Expect(w.value(signing)).To(Equal(value))
	w.Expect(w.rotations()).To(BeEmpty())

	w.Expect(shared.admin.Delete(w.context(), quota)).To(Succeed())
	w.Eventually(func() *v1alpha1.MedblocksWebhookEndpoint { w.advance(time.Minute); return w.get(hooks) }).Should(beReady())
	w.Eventually(func() *corev1.Secret { return w.secret(signing) }).Should(BeNil())
	w.Expect(w.value("renamed")).To(Equal(value))
	w.Expect(w.rotations()).To(BeEmpty())
}
