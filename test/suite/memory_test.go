// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// TestTheManifestThatWasAppliedStaysInTheStoredObjects although the operator's cache has it not: kubectl apply needs it to know what to
// remove.
func TestTheManifestThatWasAppliedStaysInTheStoredObjects(t *testing.T) {
	const applied, manifest = corev1.LastAppliedConfigAnnotation, `{"kind":"as kubectl left it"}`
	w := newWorld(t)
	w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		metav1.SetMetaDataAnnotation(&res.ObjectMeta, applied, manifest)
	})
	w.Expect(w.get(hooks).Annotations).To(HaveKeyWithValue(applied, manifest), "after a registration")

	w.changeSecret(signing, func(secret *corev1.Secret) { metav1.SetMetaDataAnnotation(&secret.ObjectMeta, applied, manifest) })
	w.settle()
	value := w.value(signing)
	w.edit(hooks, func(e *emulator.Endpoint) { e.URL = "https://drifted.example.com/" })
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.Eventually(func() string { return w.get(hooks).Status.LastHandledRotateSecretAt }).Should(Equal("now"))
	w.untilReady(hooks)
	w.Expect(w.value(signing)).NotTo(Equal(value), "the Secret was written")
	w.Expect(w.secret(signing).Annotations).To(HaveKeyWithValue(applied, manifest))
	w.Expect(w.get(hooks).Annotations).To(HaveKeyWithValue(applied, manifest))
}

func TestOfTheSecretsOnlyThoseWithTheOperatorsLabelAreInTheCache(t *testing.T) {
	w := newWorld(t)
	w.createSecret("unrelated", map[string]string{"a": "b"})
	w.createReady(hooks)
	w.settle()
	w.Expect(w.cachedSecrets()).To(ConsistOf(signing), "neither the API key's Secret nor anybody else's")

	w.changeSecret(signing, func(secret *corev1.Secret) { delete(secret.Labels, v1alpha1.LabelManagedBy) })
	w.Eventually(func() any { return w.secret(signing).Labels[v1alpha1.LabelManagedBy] }).Should(Equal(v1alpha1.ManagedBy), "a lost label is put back")
	w.Eventually(w.cachedSecrets).Should(ConsistOf(signing))

	t.Log("The API key's Secret is read live, by name, and nothing else is done with it.")
	calls := w.kube.all(func(c kubeCall) bool { return strings.HasSuffix(c.Path, "/secrets/"+keySecret) })
	w.Expect(calls).NotTo(BeEmpty())
	w.Expect(calls).To(HaveEach(HaveField("Method", "GET")))
}

// cachedSecrets are the names of all Secrets that the operator holds in memory.
func (w *world) cachedSecrets() []string {
	w.t.Helper()
	var list corev1.SecretList
	w.Expect(w.operator.cache.List(w.context(), &list)).To(Succeed())
	var names []string
	for _, secret := range list.Items {
		w.Expect(secret.ManagedFields).To(BeEmpty())
		names = append(names, secret.Name)
	}
	return names
}
