// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"strings"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func (w *world) object(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: w.namespace, Name: name}
}

// get reads a resource live; nil where there is none.
func (w *world) get(name string) *v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	res := &v1alpha1.MedblocksWebhookEndpoint{}
	err := shared.admin.Get(w.context(), w.object(name), res)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.Expect(err).NotTo(HaveOccurred())
	return res
}

func (w *world) resources() []v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	list := &v1alpha1.MedblocksWebhookEndpointList{}
	w.Expect(shared.admin.List(w.context(), list, client.InNamespace(w.namespace))).To(Succeed())
	return list.Items
}

// change edits a resource as kubectl edit does, but for its status.
func (w *world) change(name string, edit func(*v1alpha1.MedblocksWebhookEndpoint)) *v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	var res *v1alpha1.MedblocksWebhookEndpoint
	w.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		res = w.get(name)
		edit(res)
		return shared.admin.Update(w.context(), res)
	})).To(Succeed())
	return res
}

// changeStatus edits the status as only somebody with the right to write status can.
func (w *world) changeStatus(name string, edit func(*v1alpha1.MedblocksWebhookEndpointStatus)) {
	w.t.Helper()
	w.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		res := w.get(name)
		edit(&res.Status)
		return shared.admin.Status().Update(w.context(), res)
	})).To(Succeed())
}

func (w *world) annotate(name, annotation, value string) {
	w.t.Helper()
	w.change(name, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		metav1.SetMetaDataAnnotation(&res.ObjectMeta, annotation, value)
	})
}

// requestReconcile asks for a reconcile as a person does, and returns the token.
func (w *world) requestReconcile(name string) string {
	w.t.Helper()
	token := w.clock.Now().String()
	w.annotate(name, v1alpha1.AnnotationReconcileRequestedAt, token)
	return token
}

func (w *world) delete(name string) {
	w.t.Helper()
	w.Expect(shared.admin.Delete(w.context(), w.manifest(name))).To(Succeed())
}

func (w *world) untilGone(name string) {
	w.t.Helper()
	w.Eventually(func() any { return w.get(name) }).Should(BeNil())
}

func (w *world) createSecret(name string, data map[string]string) {
	w.t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, StringData: data}
	w.Expect(shared.admin.Create(w.context(), secret)).To(Succeed())
}

// secret reads a Secret live; nil where there is none.
func (w *world) secret(name string) *corev1.Secret {
	w.t.Helper()
	secret := &corev1.Secret{}
	err := shared.admin.Get(w.context(), w.object(name), secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.Expect(err).NotTo(HaveOccurred())
	return secret
}

func (w *world) changeSecret(name string, edit func(*corev1.Secret)) {
	w.t.Helper()
	w.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		secret := w.secret(name)
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		edit(secret)
		return shared.admin.Update(w.context(), secret)
	})).To(Succeed())
}

func (w *world) deleteSecret(name string) {
	w.t.Helper()
	w.Expect(shared.admin.Delete(w.context(), w.secret(name))).To(Succeed())
}

// setKey puts another API key into the Secret.
func (w *world) setKey(value string) {
	w.t.Helper()
	w.changeSecret(keySecret, func(secret *corev1.Secret) { secret.Data[v1alpha1.DefaultAPIKeySecretKey] = []byte(value) })
}

// value is the signing secret in a Secret.
func (w *world) value(name string) string {
	w.t.Helper()
	secret := w.secret(name)
	if secret == nil {
		return ""
	}
	return string(secret.Data[v1alpha1.SecretKeyValue])
}

// remote is the endpoint that a resource manages, as Medblocks has it.
func (w *world) remote(name string) emulator.EndpointWithSecret {
	w.t.Helper()
	endpoint, err := w.vendor.Endpoint(w.get(name).Status.EndpointID)
	w.Expect(err).NotTo(HaveOccurred())
	return endpoint
}

func (w *world) ownerMark(name string) string { return clusterID + "/" + w.namespace + "/" + name }

// owned are the endpoints with the owner mark of a resource, in all workspaces.
func (w *world) owned(name string) []emulator.EndpointWithSecret {
	var owned []emulator.EndpointWithSecret
	for _, endpoint := range w.vendor.Endpoints("") {
		if endpoint.Metadata[v1alpha1.MarkOwner] == w.ownerMark(name) {
			owned = append(owned, endpoint)
		}
	}
	return owned
}

// edit changes an endpoint behind the operator's back.
func (w *world) edit(name string, edit func(*emulator.Endpoint)) {
	w.t.Helper()
	w.Expect(w.vendor.SetEndpoint(w.get(name).Status.EndpointID, edit)).To(Succeed())
}

// events are the Kubernetes events of the namespace, as "type reason: note".
func (w *world) events() []string {
	w.t.Helper()
	list := &eventsv1.EventList{}
	w.Expect(shared.admin.List(w.context(), list, client.InNamespace(w.namespace))).To(Succeed())
	var lines []string
	for _, event := range list.Items {
		lines = append(lines, event.Type+" "+event.Reason+": "+event.Note)
	}
	return lines
}

// untilEvent waits for an event whose line begins so.
func (w *world) untilEvent(start string) {
	w.t.Helper()
	w.Eventually(w.events).Should(ContainElement(WithTransform(func(line string) bool { return strings.HasPrefix(line, start) }, BeTrue())), start)
}
