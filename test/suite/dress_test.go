// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"bytes"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// dressed asks for a label and an annotation on the Secret.
func dressed(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{
		Labels:      map[string]v1alpha1.LabelValue{"app": "receiver", "tier": "front"},
		Annotations: map[string]v1alpha1.AnnotationValue{"example.com/reload": "true", "example.com/note": "ours"},
	}
}

// revert has somebody undo something about the Secret whenever it is seen, until the test ends.
func (w *world) revert(name string, is func(*corev1.Secret) bool, undo func(*corev1.Secret)) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			secret := &corev1.Secret{}
			if shared.admin.Get(w.context(), w.object(name), secret) != nil || !is(secret) {
				continue
			}
			undo(secret)
			_ = shared.admin.Update(w.context(), secret) // a conflict is tried again
		}
	}()
	w.t.Cleanup(func() { close(done); <-ended })
}

func TestSomebodyWhoKeepsUndoingLabelsOfTheSecretIsNotFought(t *testing.T) {
	for name, undo := range map[string]func(*corev1.Secret){
		"a label of the spec":       func(secret *corev1.Secret) { secret.Labels["app"] = "theirs" },
		"an annotation of the spec": func(secret *corev1.Secret) { delete(secret.Annotations, "example.com/reload") },
		"the operator's label":      func(secret *corev1.Secret) { delete(secret.Labels, v1alpha1.LabelManagedBy) },
		"the endpoint's id":         func(secret *corev1.Secret) { secret.Data[v1alpha1.SecretKeyEndpointID] = []byte("theirs") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks, dressed)
			w.settle()
			w.forget()
			complete := w.secret(signing)
			w.expects.contestedSecret = true
			w.revert(signing, func(secret *corev1.Secret) bool {
				wanted := complete.DeepCopy()
				undo(wanted)
				return !sameDress(secret, wanted)
			}, undo)
			w.untilEvent("Warning SecretMetadataContested: somebody else keeps changing")
			w.Expect(w.kube.secretWrites()).To(HaveLen(3))
			w.until(hooks, beReady(), have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonPublished, "somebody else keeps changing"))
			w.settle()
			w.kube.reset()
			w.settle()
			w.Expect(w.kube.secretWrites()).To(BeEmpty())
			w.Expect(w.kube.resourceWrites()).To(BeEmpty())
			w.Expect(writes(w.calls())).To(BeEmpty(), "no reason to rotate")

			t.Log("An hour later it is tried again.")
			w.advance(time.Hour + time.Second)
			w.Eventually(w.kube.secretWrites).Should(HaveLen(3))
			w.settle()
			w.Expect(w.kube.secretWrites()).To(HaveLen(3))
		})
	}
}

// sameDress compares what somebody undoes in this test.
func sameDress(a, b *corev1.Secret) bool {
	return a.Labels["app"] == b.Labels["app"] && a.Labels[v1alpha1.LabelManagedBy] == b.Labels[v1alpha1.LabelManagedBy] &&
		a.Annotations["example.com/reload"] == b.Annotations["example.com/reload"] &&
		bytes.Equal(a.Data[v1alpha1.SecretKeyEndpointID], b.Data[v1alpha1.SecretKeyEndpointID])
}

func TestWhatIsTakenOutOfTheSpecIsRemovedFromTheSecretUnlessSomebodyHasChangedIt(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, dressed)
	w.settle()
	w.changeSecret(signing, func(secret *corev1.Secret) {
		metav1.SetMetaDataLabel(&secret.ObjectMeta, "backup", "theirs")
		metav1.SetMetaDataAnnotation(&secret.ObjectMeta, "example.com/backup", "theirs")
	})
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		delete(res.Spec.SigningSecret.Labels, "app")
		delete(res.Spec.SigningSecret.Annotations, "example.com/reload")
	})
	w.Eventually(func() *corev1.Secret { return w.secret(signing) }).Should(And(
		HaveField("Labels", Equal(map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, "tier": "front", "backup": "theirs"})),
		HaveField("Annotations", And(Not(HaveKey("example.com/reload")), HaveKeyWithValue("example.com/note", "ours"), HaveKeyWithValue("example.com/backup", "theirs")))))

	t.Log("Somebody takes a label over while the operator is away, and the spec lets go of it.")
	w.settle()
	w.stopOperator()
	w.changeSecret(signing, func(secret *corev1.Secret) { secret.Labels["tier"] = "theirs" })
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.SigningSecret = nil })
	w.startOperator()
	w.Eventually(func() map[string]string { return w.secret(signing).Annotations }).ShouldNot(Or(
		HaveKey("example.com/note"), HaveKey(v1alpha1.AnnotationSecretApplied)))
	w.settle()
	w.Expect(w.secret(signing).Labels).To(HaveKeyWithValue("tier", "theirs"))
	w.Expect(w.secret(signing).Labels).To(HaveKeyWithValue("backup", "theirs"))
	w.Expect(w.rotations()).To(BeEmpty())
	w.untilReady(hooks)
}
