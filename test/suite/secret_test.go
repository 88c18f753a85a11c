// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// rotations are the calls that issued a new signing secret.
func (w *world) rotations() []emulator.Call { return w.calls(emulator.OperationRotateSecret) }

// untilSecretHolds waits until the Secret holds the secret that Medblocks signs with.
func (w *world) untilSecretHolds(resource, secret string) {
	w.t.Helper()
	w.Eventually(func() string { return w.value(secret) }).Should(And(Not(BeEmpty()), WithTransform(func(value string) bool {
		return value == w.remote(resource).Secret
	}, BeTrue())))
}

func TestASigningSecretThatWasDeletedIsHealedByOneRotation(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.forget()
	w.deleteSecret(signing)
	w.Eventually(func() []emulator.Call { return w.rotations() }).Should(HaveLen(1))
	w.untilSecretHolds(hooks, signing)
	w.until(hooks, beReady(), have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonRecovered, signing))
	w.settle()
	w.Expect(operationsOf(w.calls())).To(Equal([]string{"GetEndpoint", "UpdateEndpoint", "RotateSecret"}), "marked before it is rotated")
	w.untilEvent("Warning SecretRecovered")
}

func TestASigningSecretThatWasTamperedWithIsHealedByOneRotation(t *testing.T) {
	for name, tamper := range map[string]func(*corev1.Secret){
		"another value": func(secret *corev1.Secret) { secret.Data[v1alpha1.SecretKeyValue] = []byte("forged") },
		"no value":      func(secret *corev1.Secret) { delete(secret.Data, v1alpha1.SecretKeyValue) },
		"another nonce": func(secret *corev1.Secret) { secret.Annotations[v1alpha1.AnnotationSecretGeneration] = "other" },
		"no hash":       func(secret *corev1.Secret) { delete(secret.Annotations, v1alpha1.AnnotationSecretHash) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks)
			w.settle()
			w.forget()
			w.changeSecret(signing, tamper)
			w.Eventually(func() []emulator.Call { return w.rotations() }).Should(HaveLen(1))
			w.untilSecretHolds(hooks, signing)
			w.until(hooks, beReady(), have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonRecovered))
			w.settle()
			w.Expect(w.rotations()).To(HaveLen(1))
			w.Expect(string(w.secret(signing).Data[v1alpha1.SecretKeyPrevious])).NotTo(Equal("forged"), "only what was published once")
		})
	}
}

func TestASigningSecretLostTwiceWithinAnHourIsContestedUntilTheHourIsOver(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.deleteSecret(signing)
	w.Eventually(w.rotations).Should(HaveLen(1))
	w.untilSecretHolds(hooks, signing)
	w.until(hooks, beReady())

	w.advance(50 * time.Minute)
	w.deleteSecret(signing)
	w.until(hooks, beStalled(v1alpha1.ReasonContested, signing, v1alpha1.AnnotationRotateSecretRequestedAt),
		have(v1alpha1.ConditionSigningSecretReady, isFalse, v1alpha1.ReasonContested))
	w.untilEvent("Warning Contested")
	w.settle()
	w.Expect(w.rotations()).To(HaveLen(1))

	w.advance(11 * time.Minute)
	w.Eventually(w.rotations).Should(HaveLen(2))
	w.until(hooks, beReady())
}

func TestAPersonsRequestHealsAContestedSecretAtOnce(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.deleteSecret(signing)
	w.Eventually(w.rotations).Should(HaveLen(1))
	w.untilSecretHolds(hooks, signing)
	w.deleteSecret(signing)
	w.until(hooks, beStalled(v1alpha1.ReasonContested))
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.Eventually(w.rotations).Should(HaveLen(2))
	res := w.until(hooks, beReady())
	w.Expect(res.Status.LastHandledRotateSecretAt).To(Equal("now"))
	w.settle()
	w.Expect(w.rotations()).To(HaveLen(2))
}

func TestLabelsAndAnnotationsOfTheSecretArePutBackWithoutARotation(t *testing.T) {
	for name, edit := range map[string]func(*corev1.Secret){
		"the operator's label":      func(secret *corev1.Secret) { delete(secret.Labels, v1alpha1.LabelManagedBy) },
		"all labels":                func(secret *corev1.Secret) { secret.Labels = nil },
		"a label of the spec":       func(secret *corev1.Secret) { secret.Labels["app"] = "other" },
		"an annotation of the spec": func(secret *corev1.Secret) { delete(secret.Annotations, "example.com/reload") },
		"the endpoint's id":         func(secret *corev1.Secret) { delete(secret.Data, v1alpha1.SecretKeyEndpointID) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
				res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{
					Labels:      map[string]v1alpha1.LabelValue{"app": "receiver"},
					Annotations: map[string]v1alpha1.AnnotationValue{"example.com/reload": "true"},
				}
			})
			before := w.secret(signing)
			w.settle()
			w.forget()
			w.changeSecret(signing, edit)
			w.Eventually(func() *corev1.Secret { return w.secret(signing) }).Should(And(
				HaveField("Labels", before.Labels), HaveField("Annotations", before.Annotations), HaveField("Data", before.Data)))
			w.settle()
			w.Expect(writes(w.calls())).To(BeEmpty())
			w.untilReady(hooks)
		})
	}
}

func TestLabelsThatOthersSetOnTheSecretAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.changeSecret(signing, func(secret *corev1.Secret) {
		metav1.SetMetaDataLabel(&secret.ObjectMeta, "backup", "yes")
		secret.Data["MORE"] = []byte("1")
	})
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Labels: map[string]v1alpha1.LabelValue{"app": "receiver"}}
	})
	w.Eventually(func() map[string]string { return w.secret(signing).Labels }).Should(HaveKeyWithValue("app", "receiver"))
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.Eventually(w.rotations).Should(HaveLen(1))
	w.untilSecretHolds(hooks, signing)
	w.Expect(w.secret(signing).Labels).To(HaveKeyWithValue("backup", "yes"))
	w.Expect(w.secret(signing).Data).To(HaveKeyWithValue("MORE", []byte("1")))
}

func TestASecretOfSomebodyElseIsRefusedAndNothingIsPosted(t *testing.T) {
	w := newWorld(t)
	w.createSecret(signing, map[string]string{"password": "theirs"})
	theirs := w.secret(signing)
	w.create(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonNotOwned, signing, "spec.signingSecret.name"))
	w.untilEvent("Warning NotOwned")
	w.settle()
	w.requestReconcile(hooks)
	w.settle()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.secret(signing)).To(Equal(theirs))

	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "free"}
	})
	w.untilReady(hooks)
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.secret("free")).To(BeNil())
	w.Expect(w.secret(signing)).To(Equal(theirs))
}

func TestASecretThatBecameSomebodyElsesIsNotRotatedOver(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.forget()
	w.changeSecret(signing, func(secret *corev1.Secret) {
		secret.Annotations[v1alpha1.AnnotationOwner] = w.namespace + "/other"
		secret.Data = map[string][]byte{"theirs": []byte("1")}
	})
	w.until(hooks, beStalled(v1alpha1.ReasonNotOwned, signing))
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.secret(signing).Data).To(HaveLen(1))

	w.deleteSecret(signing)
	w.advance(time.Minute)
	w.until(hooks, beReady())
}
