// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"fmt"
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

// Resource is short for the kind under test.
type Resource = v1alpha1.MedblocksWebhookEndpoint

func (w *World) object(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: w.Namespace, Name: name}
}

// Manifest is a valid resource, whose deliveries reach the world's receiver, with the changes that the test is about.
func (w *World) Manifest(name string, tweaks ...func(*Resource)) *Resource {
	res := &Resource{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: name},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL:             w.Receiver.URL + "/" + name,
			Events:          []v1alpha1.EventType{v1alpha1.EventPatientFlowCompleted, v1alpha1.EventRecordsSyncFailed},
			APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: KeySecret},
		},
	}
	for _, tweak := range tweaks {
		tweak(res)
	}
	return res
}

// Create stores a resource.
func (w *World) Create(res *Resource) {
	w.T.Helper()
	w.Expect(w.Client.Create(w.Context(), res)).To(Succeed())
}

// Get reads a resource; nil where there is none.
func (w *World) Get(name string) *Resource {
	w.T.Helper()
	res := &Resource{}
	err := w.Client.Get(w.Context(), w.object(name), res)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.Expect(err).NotTo(HaveOccurred())
	return res
}

// Resources are all of the namespace.
func (w *World) Resources() []Resource {
	w.T.Helper()
	list := &v1alpha1.MedblocksWebhookEndpointList{}
	w.Expect(w.Client.List(w.Context(), list, client.InNamespace(w.Namespace))).To(Succeed())
	return list.Items
}

// Change edits a resource as kubectl edit does, but for its status.
func (w *World) Change(name string, edit func(*Resource)) {
	w.T.Helper()
	w.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		res := w.Get(name)
		if res == nil {
			return fmt.Errorf("there is no resource %s", name)
		}
		edit(res)
		return w.Client.Update(w.Context(), res)
	})).To(Succeed())
}

// ChangeStatus edits a status as only somebody with the right to write status can.
func (w *World) ChangeStatus(name string, edit func(*v1alpha1.MedblocksWebhookEndpointStatus)) {
	w.T.Helper()
	w.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		res := w.Get(name)
		edit(&res.Status)
		return w.Client.Status().Update(w.Context(), res)
	})).To(Succeed())
}

// Annotate sets an annotation of a resource.
func (w *World) Annotate(name, annotation, value string) {
	w.T.Helper()
	w.Change(name, func(res *Resource) { metav1.SetMetaDataAnnotation(&res.ObjectMeta, annotation, value) })
}

// Delete asks for the deletion of a resource.
func (w *World) Delete(name string) {
	w.T.Helper()
	w.Expect(client.IgnoreNotFound(w.Client.Delete(w.Context(), w.Manifest(name)))).To(Succeed())
}

// CreateSecret stores a Secret.
func (w *World) CreateSecret(name string, data map[string]string) {
	w.T.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: name}, StringData: data}
	w.Expect(w.Client.Create(w.Context(), secret)).To(Succeed())
}

// Secret reads a Secret; nil where there is none.
func (w *World) Secret(name string) *corev1.Secret {
	w.T.Helper()
	secret := &corev1.Secret{}
	err := w.Client.Get(w.Context(), w.object(name), secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	w.Expect(err).NotTo(HaveOccurred())
	return secret
}

// ChangeSecret edits a Secret.
func (w *World) ChangeSecret(name string, edit func(*corev1.Secret)) {
	w.T.Helper()
	w.Expect(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		secret := w.Secret(name)
		edit(secret)
		return w.Client.Update(w.Context(), secret)
	})).To(Succeed())
}

// DeleteSecret removes a Secret.
func (w *World) DeleteSecret(name string) {
	w.T.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: name}}
	w.Expect(w.Client.Delete(w.Context(), secret)).To(Succeed())
}

// SetKey puts another API key into the Secret.
func (w *World) SetKey(value string) {
	w.T.Helper()
	w.ChangeSecret(KeySecret, func(s *corev1.Secret) { s.Data[v1alpha1.DefaultAPIKeySecretKey] = []byte(value) })
}

// OwnerMark is the identity of a resource at Medblocks.
func (w *World) OwnerMark(name string) string { return ClusterID + "/" + w.Namespace + "/" + name }

// Owned are the endpoints with the owner mark of a resource, in all workspaces, oldest first.
func (w *World) Owned(name string) []emulator.EndpointWithSecret {
	var owned []emulator.EndpointWithSecret
	for _, endpoint := range w.Vendor.Endpoints("") {
		if endpoint.Metadata[v1alpha1.MarkOwner] == w.OwnerMark(name) {
			owned = append(owned, endpoint)
		}
	}
	return owned
}

// Remote is the endpoint that a resource manages, as Medblocks has it.
func (w *World) Remote(name string) emulator.EndpointWithSecret {
	w.T.Helper()
	endpoint, err := w.Vendor.Endpoint(w.Get(name).Status.EndpointID)
	w.Expect(err).NotTo(HaveOccurred())
	return endpoint
}

// Events are the Kubernetes events of the namespace, as "type reason: note".
func (w *World) Events() []string {
	w.T.Helper()
	list := &eventsv1.EventList{}
	w.Expect(w.Client.List(w.Context(), list, client.InNamespace(w.Namespace))).To(Succeed())
	var lines []string
	for _, event := range list.Items {
		lines = append(lines, event.Type+" "+event.Reason+": "+event.Note)
	}
	return lines
}

// Show prints what matters of all resources.
func (w *World) Show() string {
	var b strings.Builder
	for _, res := range w.Resources() {
		fmt.Fprintf(&b, "%s generation %d, observed %d, endpoint %s\n", res.Name, res.Generation, res.Status.ObservedGeneration, res.Status.EndpointID)
		for _, c := range res.Status.Conditions {
			fmt.Fprintf(&b, "  %s=%s %s (generation %d): %s\n", c.Type, c.Status, c.Reason, c.ObservedGeneration, c.Message)
		}
	}
	return b.String()
}
