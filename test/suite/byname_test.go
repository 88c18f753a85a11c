// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// byName has the operator neither list nor watch Secrets.
func byName(s *setup) { s.operator.secretsByName = true }

func TestASecretThatIsNotWatchedIsHealedAtTheNextSweep(t *testing.T) {
	for name, is := range map[string]struct {
		happens   func(*world)
		rotations int
	}{
		"deleted": {func(w *world) { w.deleteSecret(signing) }, 1},
		"tampered with": {func(w *world) {
			w.changeSecret(signing, func(secret *corev1.Secret) { secret.Data[v1alpha1.SecretKeyValue] = []byte("forged") })
		}, 1},
		"without its labels": {func(w *world) {
			w.changeSecret(signing, func(secret *corev1.Secret) { secret.Labels = nil })
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, byName)
			w.createReady(hooks)
			w.settle()
			w.forget()
			before := w.secret(signing)
			is.happens(w)
			w.Eventually(func() *corev1.Secret { return w.secret(signing) }).Should(HaveValue(And(
				HaveField("Labels", before.Labels), HaveField("Data", HaveKeyWithValue(v1alpha1.SecretKeyValue, Not(BeEquivalentTo("forged")))))))
			w.untilReady(hooks)
			w.untilSecretHolds(hooks, signing)
			w.settle()
			w.Expect(w.rotations()).To(HaveLen(is.rotations))
		})
	}
}

func TestASecretThatIsNotWatchedIsOnlyReadAtRest(t *testing.T) {
	w := newWorld(t, byName)
	w.createReady(hooks)
	w.createReady("named", signingSecretName("another"))
	w.settle()
	w.forget()
	secrets := func() []kubeCall { return w.kube.all(func(c kubeCall) bool { return c.about("secrets") }) }
	w.Eventually(secrets).Should(And(ContainElement(HaveField("Path", HaveSuffix("/secrets/"+signing))), ContainElement(HaveField("Path", HaveSuffix("/secrets/another")))))
	w.settle()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.kube.all(kubeCall.writes)).To(BeEmpty())
	w.Expect(secrets()).To(HaveEach(HaveField("Path", ContainSubstring("/secrets/"))), "by name, and none is listed")
}

func TestASecretThatCannotBeListedIsMovedAndDeleted(t *testing.T) {
	w := newWorld(t, byName)
	w.createReady(hooks)
	value := w.value(signing)
	for _, name := range []string{"renamed", "again"} {
		w.change(hooks, signingSecretName(name))
		w.Eventually(func() string { return w.value(name) }).Should(Equal(value))
		w.untilReady(hooks)
	}
	w.Expect(w.secret(signing)).To(BeNil())
	w.Expect(w.secret("renamed")).To(BeNil())
	w.Expect(w.rotations()).To(BeEmpty())
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.secret("again")).To(BeNil())
}

// TestASecretThatCannotBeListedIsFoundByItsNotedName: the operator ended after it had written a Secret and before the status said so, and the
// Secret was renamed meanwhile.
func TestASecretThatCannotBeListedIsFoundByItsNotedName(t *testing.T) {
	w := newWorld(t, byName)
	w.createReady(hooks, signingSecretName("middle"))
	w.settle()
	value := w.value("middle")
	w.stopOperator()
	w.changeStatus(hooks, func(status *v1alpha1.MedblocksWebhookEndpointStatus) { status.SigningSecret = nil })
	w.change(hooks, signingSecretName("last"))
	w.forget()
	w.startOperator()
	w.Eventually(func() string { return w.value("last") }).Should(Equal(value))
	w.Eventually(func() any { return w.secret("middle") }).Should(BeNil())
	w.untilReady(hooks)
	w.settle()
	w.Expect(w.rotations()).To(BeEmpty())
}
