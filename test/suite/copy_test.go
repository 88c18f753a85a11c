// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// theirs is the Secret of the user's.
const theirs = "existing"

func adoptWithCopy(id string) func(*v1alpha1.MedblocksWebhookEndpoint) {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: id, ExistingSecretRef: &v1alpha1.SecretKeyReference{Name: theirs, Key: "secret"}}
	}
}

func TestAnAdoptionWithACopyKeepsTheSecretAndNeverTouchesTheUsers(t *testing.T) {
	w := newWorld(t)
	target := w.stranger()
	w.createSecret(theirs, map[string]string{"secret": target.Secret + "\n"})
	was := w.secret(theirs)
	w.createReady(hooks, adoptWithCopy(target.ID))
	w.settle()
	w.Expect(operationsOf(w.calls(emulator.OperationCreateEndpoint, emulator.OperationUpdateEndpoint, emulator.OperationRotateSecret))).
		To(Equal([]string{"UpdateEndpoint"}))
	w.Expect(w.value(signing)).To(Equal(target.Secret))
	w.Expect(w.remote(hooks).Secret).To(Equal(target.Secret))
	w.Expect(w.secret(signing).Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationCopiedFrom, theirs+"/secret"))
	w.untilEvent("Normal SecretCopied")

	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
	w.Expect(w.secret(signing)).To(BeNil())
	w.Expect(w.secret(theirs)).To(Equal(was))
}

func TestAnAdoptionWaitsForTheUsersSecret(t *testing.T) {
	w := newWorld(t)
	target := w.stranger()
	w.create(hooks, adoptWithCopy(target.ID))
	w.until(hooks, beWorking(v1alpha1.ReasonWaitingForSecret, theirs),
		have(v1alpha1.ConditionSigningSecretReady, isFalse, v1alpha1.ReasonWaitingForSecret, theirs))
	w.advance(6 * time.Minute)
	w.until(hooks, beStalled(v1alpha1.ReasonWaitingForSecret, theirs))
	is, err := w.vendor.Endpoint(target.ID)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(is).To(Equal(target))
	w.Expect(w.secret(signing)).To(BeNil())
	w.createSecret(theirs, map[string]string{"secret": target.Secret})
	w.advance(time.Minute)
	w.untilReady(hooks)
	w.Expect(w.rotations()).To(BeEmpty())
}

func TestAnAdoptionWithACopyThatBrokeOffIsFinishedWithoutARotation(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"the answer to the marks is lost": {Operation: emulator.OperationUpdateEndpoint, Kind: emulator.FaultLostAnswer},
		"the marks are not set":           {Operation: emulator.OperationUpdateEndpoint, Kind: emulator.FaultStatus, Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.apiTimeout = 1500 * time.Millisecond })
			target := w.stranger()
			w.createSecret(theirs, map[string]string{"secret": target.Secret})
			w.vendor.InjectFault(fault)
			w.createReady(hooks, adoptWithCopy(target.ID))
			w.settle()
			w.untilSecretHolds(hooks, signing)
			w.Expect(w.rotations()).To(BeEmpty())
			w.Expect(w.secret(signing).Data).NotTo(HaveKey(v1alpha1.SecretKeyPrevious))
		})
	}
}

func TestACopyThatIsLostOrTamperedWithIsCopiedAgainWithoutACallThatWrites(t *testing.T) {
	w := newWorld(t)
	target := w.stranger()
	w.createSecret(theirs, map[string]string{"secret": target.Secret})
	w.createReady(hooks, adoptWithCopy(target.ID))
	w.settle()
	w.forget()
	w.deleteSecret(signing)
	w.untilSecretHolds(hooks, signing)
	w.changeSecret(signing, func(secret *corev1.Secret) { secret.Data[v1alpha1.SecretKeyValue] = []byte("forged") })
	w.untilSecretHolds(hooks, signing)
	w.untilReady(hooks)
	w.settle()
	w.Expect(w.calls(emulator.OperationUpdateEndpoint, emulator.OperationRotateSecret)).To(BeEmpty())
}

func TestAValueThatTheUserChangesIsCopiedOnUntilTheOperatorRotates(t *testing.T) {
	w := newWorld(t)
	target := w.stranger()
	w.createSecret(theirs, map[string]string{"secret": "whsec_old"})
	w.expects.rotatedOutside = true // until the user's Secret is right
	w.createReady(hooks, adoptWithCopy(target.ID))
	w.forget()
	w.changeSecret(theirs, func(secret *corev1.Secret) { secret.Data["secret"] = []byte(target.Secret) })
	w.Eventually(func() string { w.advance(time.Minute); return w.value(signing) }).Should(Equal(target.Secret))
	w.Expect(string(w.secret(signing).Data[v1alpha1.SecretKeyPrevious])).To(Equal("whsec_old"))
	w.Expect(w.calls(emulator.OperationUpdateEndpoint, emulator.OperationRotateSecret)).To(BeEmpty())
	w.expects.rotatedOutside = false

	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.Eventually(w.rotations).Should(HaveLen(1))
	w.untilSecretHolds(hooks, signing)
	w.Expect(w.secret(signing).Annotations).NotTo(HaveKey(v1alpha1.AnnotationCopiedFrom))
	w.Expect(string(w.secret(signing).Data[v1alpha1.SecretKeyPrevious])).To(Equal(target.Secret))
	w.advance(time.Minute)
	w.settle()
	w.untilSecretHolds(hooks, signing)
}

func TestAReadOnlyOperatorCopiesNothing(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.operator.readOnly = true })
	target := w.stranger()
	w.createSecret(theirs, map[string]string{"secret": target.Secret})
	w.create(hooks, adoptWithCopy(target.ID))
	w.until(hooks, beStalled(v1alpha1.ReasonDrifted, "CopySecret "+signing, "AdoptEndpoint "+target.ID))
	w.settle()
	w.Expect(w.secret(signing)).To(BeNil())
}
