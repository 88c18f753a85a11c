// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/receiver"
	"github.com/medblocks/webhook-operator/test/stack"
)

const storyManifest = `
apiVersion: v1
kind: Secret
metadata: {name: %[1]s, namespace: %[2]s}
stringData: {MEDBLOCKS_API_KEY: "%[3]s\n"}
---
apiVersion: connect.medblocks.com/v1alpha1
kind: MedblocksWebhookEndpoint
metadata: {name: story, namespace: %[2]s}
spec:
  url: %[4]s
  events: [patient_flow.completed, records.sync.failed]
  description: The whole story
  metadata: {team: records}
  apiKeySecretRef: {name: %[1]s}
  reenablePolicy: {mode: Always, backoff: {initial: 8s}}
`

// TestTheWholeStory is the main path, from a manifest to a deletion, with an operator that is killed on the way.
func TestTheWholeStory(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	hook := startReceiver(t, n, "story", 0)

	kubectl(t, fmt.Sprintf(storyManifest, keySecretName, n.namespace, n.apiKey, hook.WebhookURL), "apply", "-f", "-")
	kubectl(t, "", "wait", "--for=condition=Ready", "mwe/story", "-n", n.namespace, "--timeout="+patience.String())
	endpoint := n.expectStoryEndpoint(t, hook)
	n.expectDelivered(t, hook)

	// Nine failures, and Medblocks disables the endpoint without a word.
	g.Expect(hook.Fail(t.Context())).To(Succeed())
	failing := n.fire(t)
	g.Eventually(func() string { return n.endpoint(t).Status }).WithTimeout(patience).WithPolling(often).Should(Equal(emulator.StatusDisabled))
	attempts, err := suite.emulator.Deliveries(t.Context(), failing)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(attempts).To(HaveLen(9))

	n.awaitCondition(t, "story", v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled)
	g.Expect(eventOf(t, n.namespace, "MedblocksWebhookEndpoint", "story", v1alpha1.ReasonAutoDisabled).Type).To(Equal(corev1.EventTypeWarning))
	// It is killed while it waits for the end of the backoff; another one finds everything in the cluster.
	g.Expect(suite.stack.KillProcess(suite.manager.Process)).To(Succeed())
	n.expectDisabled(t)
	g.Expect(hook.Recover(t.Context())).To(Succeed())
	suite.manager, err = startManager(t.Context(), "manager-after-a-crash")
	g.Expect(err).NotTo(HaveOccurred())

	n.awaitReady(t, "story")
	n.awaitCondition(t, "story", v1alpha1.ConditionEnabled, metav1.ConditionTrue, v1alpha1.ReasonActive)
	g.Expect(n.endpoint(t).ID).To(Equal(endpoint.ID))
	g.Expect(n.get(t, "story").Status.Reenable.Attempts).To(HaveLen(1))
	g.Expect(eventOf(t, n.namespace, "MedblocksWebhookEndpoint", "story", "Reenabled").Type).To(Equal(corev1.EventTypeNormal))
	n.expectDelivered(t, hook)

	kubectl(t, "", "delete", "mwe", "story", "-n", n.namespace, "--timeout="+patience.String())
	g.Expect(n.endpoints(t)).To(BeEmpty())
	err = suite.api.Get(t.Context(), n.key("story-signing-secret"), &corev1.Secret{})
	g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "the signing Secret is gone: %v", err)
	g.Expect(writes(n.calls(t))).To(Equal([]string{
		"POST /webhooks", "PATCH /webhooks/" + endpoint.ID, "DELETE /webhooks/" + endpoint.ID,
	}), "this is all that the operator changed at Medblocks")
}

// startReceiver starts a receiver whose secrets are a resource's, as a mounted volume would hold them so much later.
func startReceiver(t *testing.T, n *tenant, resource string, delay time.Duration) *stack.Receiver {
	t.Helper()
	g := NewWithT(t)
	volume, err := suite.stack.NewVolume("volume-" + n.namespace)
	g.Expect(err).NotTo(HaveOccurred())
	volume.Delay = delay
	stop := volume.Follow(t.Context(), suite.api, n.key(resource+"-signing-secret"))
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	hook, err := suite.stack.StartReceiver(t.Context(), volume.Dir)
	g.Expect(err).NotTo(HaveOccurred())
	suite.secrets.watchLog(suite.stack.LogPath("receiver"))
	t.Cleanup(func() {
		if err := suite.stack.EndProcess(hook.Process); err != nil {
			t.Error(err)
		}
	})
	return hook
}

// expectStoryEndpoint checks that Medblocks has what the manifest says, and that the Secret belongs to it.
func (n *tenant) expectStoryEndpoint(t *testing.T, hook *stack.Receiver) stack.Endpoint {
	t.Helper()
	g := NewWithT(t)
	endpoint, resource := n.endpoint(t), n.get(t, "story")
	g.Expect(endpoint.URL).To(Equal(hook.WebhookURL))
	g.Expect(endpoint.Status).To(Equal(emulator.StatusActive))
	g.Expect(endpoint.Events).To(ConsistOf("patient_flow.completed", "records.sync.failed"))
	g.Expect(endpoint.Metadata).To(And(
		HaveLen(4),
		HaveKeyWithValue("team", "records"),
		HaveKeyWithValue(v1alpha1.MarkOwner, HaveSuffix("/"+n.namespace+"/story")),
		HaveKeyWithValue(v1alpha1.MarkIncarnation, string(resource.UID)),
		HaveKey(v1alpha1.MarkSecretGeneration),
	))
	secret := n.secret(t, "story")
	g.Expect(secret.Data).To(HaveLen(2))
	g.Expect(string(secret.Data[v1alpha1.SecretKeyValue])).To(Equal(endpoint.Secret))
	g.Expect(string(secret.Data[v1alpha1.SecretKeyEndpointID])).To(Equal(endpoint.ID))
	g.Expect(resource.Status.EndpointID).To(Equal(endpoint.ID))
	return endpoint
}

// expectDisabled checks everything by which a person can see that the vendor disabled the endpoint.
func (n *tenant) expectDisabled(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	resource := n.get(t, "story")
	n.awaitCondition(t, "story", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled)
	n.awaitCondition(t, "story", v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonAutoDisabled)
	g.Expect(resource.Status.Disabled).NotTo(BeNil())
	g.Expect(resource.Status.Disabled.Cause).To(Equal(v1alpha1.ReasonAutoDisabled))
	g.Expect(resource.Status.Disabled.LastStatusCode).To(HaveValue(BeEquivalentTo(receiver.DefaultFailStatus)))
	g.Expect(resource.Status.Endpoint.Status).To(Equal(emulator.StatusDisabled))
	g.Expect(resource.Status.Reenable.NextAttempt).NotTo(BeNil())
	g.Expect(resource.Status.Reenable.Attempts).To(BeEmpty())
}

// fire makes one event and returns its id.
func (n *tenant) fire(t *testing.T) string {
	t.Helper()
	g := NewWithT(t)
	fired, err := suite.emulator.Fire(t.Context(), n.apiKey, "patient_flow.completed")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(fired).To(HaveLen(1))
	return fired[0].ID
}

// expectDelivered fires an event and waits until the receiver has verified it and Medblocks knows.
func (n *tenant) expectDelivered(t *testing.T, hook *stack.Receiver) {
	t.Helper()
	g := NewWithT(t)
	id := n.fire(t)
	g.Eventually(func(g Gomega) {
		report, err := hook.Report(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(report.Events).To(ContainElement(And(HaveField("ID", id), HaveField("Secret", "current"))))
		deliveries, err := suite.emulator.Deliveries(t.Context(), id)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(deliveries).NotTo(BeEmpty())
		last := deliveries[len(deliveries)-1]
		g.Expect(last.StatusCode).To(Equal(http.StatusOK))
		g.Expect(json.Valid([]byte(last.Body))).To(BeTrue())
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
}
