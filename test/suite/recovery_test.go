// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestEveryAttemptToRegisterHasAnIntentOfItsOwnThatIsWrittenBefore(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.operator.apiTimeout = time.Second })
	type intent struct {
		Attempt int
		Nonce   string
	}
	intents := make(chan intent, 10)
	w.vendor.SetHook(func(call emulator.HookCall) error {
		if call.Operation == emulator.OperationCreateEndpoint && call.Phase == emulator.PhaseBefore {
			var stored intent
			if err := json.Unmarshal([]byte(w.get(hooks).Annotations[v1alpha1.AnnotationRegistration]), &stored); err != nil {
				return err
			}
			intents <- stored
		}
		return nil
	})
	for range 2 {
		w.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationCreateEndpoint, Kind: emulator.FaultReset})
	}
	w.create(hooks)
	w.untilReady(hooks)
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(3))
	var nonces []string
	for attempt := range 3 {
		is := <-intents
		w.Expect(is.Attempt).To(Equal(attempt + 1))
		w.Expect(nonces).NotTo(ContainElement(is.Nonce), "an attempt that took effect late must be told from the next one")
		nonces = append(nonces, is.Nonce)
	}
	w.Expect(w.remote(hooks).Metadata).To(HaveKeyWithValue(v1alpha1.MarkSecretGeneration, nonces[2]))
}

func TestTheSecretIsStoredBeforeTheStatusNamesTheEndpoint(t *testing.T) {
	w := newWorld(t)
	id := w.createReady(hooks).Status.EndpointID
	stored := w.kube.all(kubeCall.writes)
	w.Expect(slices.IndexFunc(stored, func(c kubeCall) bool { return c.about("secrets") })).To(Equal(1), "the intent, then the Secret")
	w.Expect(stored[2].Path).To(HaveSuffix("/status"))
	w.Expect(stored[2].Body).To(ContainSubstring(id))
}

func TestOfTwoEndpointsWhoseSecretsAreBothLostTheOlderOneIsKept(t *testing.T) {
	w := newWorld(t)
	newer := w.createReady(hooks).Status.EndpointID
	w.stopOperator()
	older := w.copyOf(hooks, func(e *emulator.Endpoint) {
		e.Metadata[v1alpha1.MarkSecretGeneration] = "lost"
		e.CreatedAt = e.CreatedAt.Add(-time.Hour)
	})
	w.deleteSecret(signing)
	w.recreate(hooks)
	w.forget()
	w.startOperator()
	res := w.untilReady(hooks)
	w.Expect(res.Status.EndpointID).To(And(Equal(older.ID), Not(Equal(newer))))
	w.Expect(w.owned(hooks)).To(HaveLen(1))
	w.Expect(w.rotations()).To(HaveLen(1))
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())
}

func TestAnOldSecretRestoredBesideItsResourceIsNoticedByItsNonce(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	backup := w.secret(signing)
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "after the backup")
	w.Eventually(w.rotations).Should(HaveLen(1))
	w.untilSecretHolds(hooks, signing)
	w.untilReady(hooks)
	w.stopOperator()

	t.Log("The cluster is lost, and restored from the backup.")
	w.deleteSecret(signing)
	restored := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: signing, Labels: backup.Labels, Annotations: backup.Annotations},
		Data:       backup.Data, Type: backup.Type,
	}
	w.Expect(shared.admin.Create(w.context(), restored)).To(Succeed())
	w.recreate(hooks)
	w.forget()
	w.startOperator()
	after := w.until(hooks, beReady(), have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonRecovered))
	w.settle()
	w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(w.rotations()).To(HaveLen(1))
	w.Expect(w.value(signing)).To(And(Equal(w.remote(hooks).Secret), Not(BeEquivalentTo(backup.Data[v1alpha1.SecretKeyValue]))))
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())
}
