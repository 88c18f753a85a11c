// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

// clone starts a second cluster with the same namespace, API key and resource, as a copy of all manifests makes it, and an
// operator in it that was given the same cluster id.
func (w *world) clone(name string) client.Client {
	w.t.Helper()
	cluster, err := controlplane.Start(w.context(), controlplane.Options{})
	w.Expect(err).NotTo(HaveOccurred())
	w.t.Cleanup(func() { w.Expect(cluster.Stop()).To(Succeed()) })
	admin, err := client.New(cluster.Admin, client.Options{Scheme: controllers.Scheme()})
	w.Expect(err).NotTo(HaveOccurred())
	key := w.secret(keySecret)
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: keySecret}, Data: key.Data},
		w.manifest(name),
	} {
		w.Expect(admin.Create(w.context(), object)).To(Succeed())
	}
	clone := w.runOperator(cluster)
	w.t.Cleanup(func() { w.Expect(clone.stop()).To(Succeed()) })
	return admin
}

func TestOfTwoClustersWithTheSameClusterIDOneStopsInsteadOfFighting(t *testing.T) {
	w := newWorld(t)
	first := w.createReady(hooks)
	w.settle()
	admin := w.clone(hooks)
	second := &v1alpha1.MedblocksWebhookEndpoint{}
	w.Eventually(func() *v1alpha1.MedblocksWebhookEndpoint {
		w.Expect(admin.Get(w.context(), w.object(hooks), second)).To(Succeed())
		return second
	}).Should(beReady(), "a resource without a past takes over what carries its mark")
	w.Expect(second.Status.EndpointID).To(Equal(first.Status.EndpointID))
	w.until(hooks, beStalled(v1alpha1.ReasonConflict, "--cluster-id"))

	w.forget()
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "of the first cluster" })
	w.settle()
	w.until(hooks, beStalled(v1alpha1.ReasonConflict))
	w.Expect(writes(w.calls())).To(BeEmpty(), "neither fights")
	w.Expect(admin.Get(w.context(), w.object(hooks), second)).To(Succeed())
	w.Expect(second).To(beReady())

	t.Log("Deleted in the first cluster, the endpoint stays with the second one.")
	w.delete(hooks)
	w.untilGone(hooks)
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.owned(hooks)).To(HaveLen(1))
	w.Expect(w.reported()).To(BeZero(), "the endpoint of a resource that was deleted in order is nobody's orphan")
}
