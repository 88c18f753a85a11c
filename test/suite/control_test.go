// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func suspend(yes bool) func(*v1alpha1.MedblocksWebhookEndpoint) {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Suspend = yes }
}

func TestAResourceThatIsBornSuspendedIsLeftAloneUntilItIsNot(t *testing.T) {
	w := newWorld(t)
	w.create(hooks, suspend(true))
	res := w.until(hooks, have(v1alpha1.ConditionSynced, isUnknown, v1alpha1.ReasonSuspended, "spec.suspend"),
		have(v1alpha1.ConditionReady, isFalse, v1alpha1.ReasonSuspended), lack(v1alpha1.ConditionReconciling), lack(v1alpha1.ConditionStalled))
	w.settleWithout()
	w.Expect(w.vendor.Calls()).To(BeEmpty())
	w.Expect(res.Finalizers).To(BeEmpty(), "it holds nothing at Medblocks")
	w.change(hooks, suspend(false))
	w.untilReady(hooks)
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
}

func TestASuspendedResourceKeepsItsReadyAndIsCaughtUpWithLater(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.change(hooks, suspend(true))
	suspended := And(have(v1alpha1.ConditionSynced, isUnknown, v1alpha1.ReasonSuspended), have(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonRegistered))
	w.until(hooks, suspended)
	w.untilQuiet()
	w.edit(hooks, func(e *emulator.Endpoint) { e.URL = "https://drifted.example.com/" })
	w.deleteSecret(signing)
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "later" })
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.until(hooks, suspended)
	w.settleWithout()
	w.Expect(w.vendor.Calls()).To(BeEmpty(), "not even a poll")
	w.Expect(w.secret(signing)).To(BeNil())

	w.change(hooks, suspend(false))
	w.untilReady(hooks)
	w.untilSecretHolds(hooks, signing)
	w.Expect(w.remote(hooks).URL).To(Equal("https://receiver.example.com/hooks"))
	w.Expect(w.remote(hooks).Description).To(HaveValue(Equal("later")))
	w.Expect(w.rotations()).To(HaveLen(1))
}

func TestARequestedReconcileReadsTheEndpointAndIsAcknowledged(t *testing.T) {
	for name, annotation := range map[string]string{
		"our own": v1alpha1.AnnotationReconcileRequestedAt,
		"of Flux": v1alpha1.AnnotationFluxReconcileRequestedAt,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.pollInterval = time.Hour })
			w.createReady(hooks)
			w.edit(hooks, func(e *emulator.Endpoint) { e.URL = "https://drifted.example.com/" })
			w.forget()
			w.annotate(hooks, annotation, "token-1")
			w.Eventually(func() string { return w.get(hooks).Status.LastHandledReconcileAt }).Should(Equal("token-1"))
			w.Expect(w.remote(hooks).URL).To(Equal("https://receiver.example.com/hooks"), "found without waiting for a poll")
			w.Expect(operationsOf(w.calls())).To(Equal([]string{"GetEndpoint", "UpdateEndpoint"}))

			w.forget()
			w.annotate(hooks, annotation, "token-2")
			w.Eventually(func() string { return w.get(hooks).Status.LastHandledReconcileAt }).Should(Equal("token-2"))
			w.Expect(operationsOf(w.calls())).To(Equal([]string{"GetEndpoint"}))
			w.poke()
			w.Expect(w.kube.resourceWrites()).To(HaveLen(1))
			w.untilReady(hooks)
		})
	}
}

func TestARequestThatAnOutagePreventedStaysPending(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.fail(emulator.OperationGetEndpoint, emulator.Fault{Kind: emulator.FaultStatus, Status: 500})
	token := w.requestReconcile(hooks)
	w.until(hooks, beDelayed(v1alpha1.ReasonAPIUnavailable))
	w.Expect(w.get(hooks).Status.LastHandledReconcileRequestedAt).NotTo(Equal(token))
	w.vendor.ClearFaults()
	w.Eventually(func() string { return w.get(hooks).Status.LastHandledReconcileRequestedAt }).Should(Equal(token))
	w.untilReady(hooks)
}

func TestAReadOnlyOperatorReportsWhatItWouldDoAndWritesNothingToMedblocks(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.operator.readOnly = true })
	w.create(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDrifted, "--read-only", "RegisterEndpoint"))
	w.settle()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.kube.secretWrites()).To(BeEmpty())

	w.options.readOnly = false
	w.restartOperator()
	w.untilReady(hooks)
	w.options.readOnly = true
	w.restartOperator()
	w.forget()
	w.settle()
	w.untilReady(hooks)
	w.Expect(w.calls()).To(BeEmpty())

	w.edit(hooks, func(e *emulator.Endpoint) { e.URL = "https://drifted.example.com/" })
	id := w.get(hooks).Status.EndpointID
	w.until(hooks, beStalled(v1alpha1.ReasonDrifted, "UpdateEndpoint "+id))
	w.deleteSecret(signing)
	w.until(hooks, beStalled(v1alpha1.ReasonDrifted, "RotateSecret "+id))
	w.delete(hooks)
	w.until(hooks, have(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonDrifted, "DeleteEndpoint "+id))
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.kube.secretWrites()).To(BeEmpty())
	w.Expect(w.left()).To(Equal(1))
	w.Expect(w.get(hooks).Finalizers).To(ContainElement(v1alpha1.Finalizer))
	for _, call := range w.kube.resourceWrites() {
		w.Expect(call.Path).To(HaveSuffix("/status"))
	}
}

func TestAReadOnlyOperatorWritesNoSecretLabelEither(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.options.readOnly = true
	w.restartOperator()
	w.forget()
	w.changeSecret(signing, func(secret *corev1.Secret) { delete(secret.Data, v1alpha1.SecretKeyEndpointID) })
	w.until(hooks, beStalled(v1alpha1.ReasonDrifted, "--read-only", "DressSecret "+signing))
	w.Expect(w.kube.secretWrites()).To(BeEmpty())
	w.options.readOnly = false
	w.restartOperator()
	w.untilReady(hooks)
}

func TestAResourceThatTheSelectorDoesNotMatchIsNeverTouched(t *testing.T) {
	const shard = "example.com/shard"
	w := newWorld(t, func(s *setup) { s.idle = true })
	w.options.namespaces = nil // all of them, as by default
	w.options.selector = labels.SelectorFromSet(labels.Set{shard: w.namespace})
	w.startOperator()
	labelled := func(value string) func(*v1alpha1.MedblocksWebhookEndpoint) {
		return func(res *v1alpha1.MedblocksWebhookEndpoint) { metav1.SetMetaDataLabel(&res.ObjectMeta, shard, value) }
	}
	unmatched := w.create("unmatched", labelled("another"))
	w.createReady(hooks, labelled(w.namespace))
	w.settle()
	w.Expect(w.owned("unmatched")).To(BeEmpty())
	w.Expect(w.get("unmatched").ResourceVersion).To(Equal(unmatched.ResourceVersion))
	w.Expect(w.get("unmatched").Status.ObservedGeneration).To(BeEquivalentTo(-1))

	t.Log("A resource that leaves the shard is left as it is, and nothing of it is removed.")
	w.change(hooks, labelled("another"))
	w.settleWithout()
	w.deleteSecret(signing)
	left := w.remote(hooks)
	w.settleWithout()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.remote(hooks)).To(Equal(left))

	w.change(hooks, labelled(w.namespace))
	w.untilSecretHolds(hooks, signing)
	w.untilReady(hooks)
}

func TestAResourceInANamespaceThatIsNotWatchedIsNeverTouched(t *testing.T) {
	watched := newWorld(t)
	t.Run("elsewhere", func(t *testing.T) {
		w := newWorld(t, func(s *setup) { s.idle = true })
		res := w.create(hooks)
		watched.createReady(hooks)
		watched.settle()
		w.Expect(w.get(hooks).ResourceVersion).To(Equal(res.ResourceVersion))
		w.Expect(watched.left()).To(Equal(1))
	})
}

func TestResourcesOfTheSameNameInOneNamespaceAfterEachOtherDoNotShareAnything(t *testing.T) {
	w := newWorld(t)
	first := w.createReady(hooks)
	value := w.value(signing)
	w.delete(hooks)
	w.untilGone(hooks)
	second := w.createReady(hooks)
	w.settle()
	w.Expect(second.Status.EndpointID).NotTo(Equal(first.Status.EndpointID))
	w.Expect(w.value(signing)).NotTo(Equal(value))
	w.Expect(w.secret(signing).Data).NotTo(HaveKey(v1alpha1.SecretKeyPrevious))
	w.Expect(writes(w.calls())).To(Equal([]string{"CreateEndpoint", "DeleteEndpoint", "CreateEndpoint"}))
}
