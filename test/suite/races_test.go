// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// after runs an action once, when a call of that operation has taken effect and its answer is still to come.
func (w *world) after(operation emulator.Operation, action func()) {
	done := false
	w.vendor.SetHook(func(call emulator.HookCall) error {
		if call.Operation == operation && call.Phase == emulator.PhaseAfterEffect && !done {
			done = true
			action()
		}
		return nil
	})
}

func TestASecretThatCannotBeStoredAfterThePostIsHeldUntilItCan(t *testing.T) {
	w := newWorld(t)
	w.expects.refusedWrites = true
	var quota *corev1.ResourceQuota
	w.after(emulator.OperationCreateEndpoint, func() { quota = w.quota(1) })
	w.create(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonWaitingForSecret, signing, "exceeded quota"))
	w.Expect(w.get(hooks).Status.EndpointID).To(Equal(w.owned(hooks)[0].ID), "what was registered is not forgotten")

	w.Expect(shared.admin.Delete(t.Context(), quota)).To(Succeed())
	w.Eventually(func() *v1alpha1.MedblocksWebhookEndpoint { w.advance(time.Minute); return w.get(hooks) }).Should(beReady())
	w.Expect(w.rotations()).To(BeEmpty(), "the secret was still known")
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
}

func TestASecretThatWasNeverStoredIsHealedAfterARestart(t *testing.T) {
	w := newWorld(t)
	w.expects.refusedWrites = true
	var quota *corev1.ResourceQuota
	w.after(emulator.OperationCreateEndpoint, func() { quota = w.quota(1) })
	w.create(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonWaitingForSecret))
	w.stopOperator()
	w.Expect(shared.admin.Delete(t.Context(), quota)).To(Succeed())
	w.startOperator()
	w.Eventually(func() *v1alpha1.MedblocksWebhookEndpoint { w.advance(time.Minute); return w.get(hooks) }).Should(beReady())
	w.Expect(w.rotations()).To(HaveLen(1))
	w.Expect(w.owned(hooks)).To(HaveLen(1))
}

func TestASecretOfSomebodyElseThatAppearsDuringThePostIsNotOverwritten(t *testing.T) {
	w := newWorld(t)
	w.after(emulator.OperationCreateEndpoint, func() { w.createSecret(signing, map[string]string{"password": "theirs"}) })
	w.create(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonNotOwned, signing))
	w.Expect(w.secret(signing).Data).To(Equal(map[string][]byte{"password": []byte("theirs")}))
	w.deleteSecret(signing)
	w.advance(time.Minute)
	w.untilReady(hooks)
	w.Expect(w.owned(hooks)).To(HaveLen(1))
	w.Expect(w.rotations()).To(BeEmpty(), "the secret was still known")
}

func TestASecretThatBecomesSomebodyElsesDuringARotationIsNotOverwritten(t *testing.T) {
	w := newWorld(t)
	w.expects.refusedWrites = true
	w.createReady(hooks)
	w.settle()
	w.after(emulator.OperationRotateSecret, func() {
		w.changeSecret(signing, func(secret *corev1.Secret) {
			secret.Annotations[v1alpha1.AnnotationOwner] = w.namespace + "/other"
			secret.Data = map[string][]byte{"theirs": []byte("1")}
		})
	})
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.until(hooks, beStalled(v1alpha1.ReasonNotOwned, signing))
	w.Expect(w.secret(signing).Data).To(HaveLen(1))
	w.deleteSecret(signing)
	w.advance(time.Minute)
	w.until(hooks, beReady())
	w.Expect(w.rotations()).To(HaveLen(1), "the secret was still known")
}

func TestAChangeOfTheSpecDuringThePostIsMadeUpFor(t *testing.T) {
	w := newWorld(t)
	w.after(emulator.OperationCreateEndpoint, func() {
		w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = "https://changed.example.com/" })
	})
	w.create(hooks)
	w.Eventually(func() string { return w.get(hooks).Status.EndpointID }).ShouldNot(BeEmpty())
	w.Eventually(func() string { return w.remote(hooks).URL }).Should(Equal("https://changed.example.com/"))
	w.untilReady(hooks)
	w.settle()
	w.Expect(writes(w.calls())).To(Equal([]string{"CreateEndpoint", "UpdateEndpoint"}))
}

func TestAPersonsChangeDuringAPatchIsPutBackToo(t *testing.T) {
	w := newWorld(t)
	id := w.createReady(hooks).Status.EndpointID
	w.after(emulator.OperationUpdateEndpoint, func() {
		w.Expect(w.vendor.SetEndpoint(id, func(e *emulator.Endpoint) { e.URL = "https://drifted.example.com/" })).To(Succeed())
	})
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
	w.Eventually(func() emulator.EndpointWithSecret { return w.remote(hooks) }).Should(And(
		HaveField("URL", "https://receiver.example.com/hooks"), HaveField("Description", HaveValue(Equal("changed")))))
	w.settle()
	w.untilReady(hooks)
	w.Expect(len(w.calls(emulator.OperationUpdateEndpoint))).To(BeNumerically("<=", 3))
}

func TestARegistrationGoesThroughWhenTheOperatorIsStoppedDuringThePost(t *testing.T) {
	w := newWorld(t)
	posting := make(chan struct{})
	w.after(emulator.OperationCreateEndpoint, func() { close(posting) })
	w.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationCreateEndpoint, Kind: emulator.FaultDelay, AfterEffect: true, Delay: 500 * time.Millisecond})
	w.create(hooks)
	w.Eventually(posting).Should(BeClosed())
	w.restartOperator()
	w.untilReady(hooks)
	w.settle()
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
	w.Expect(w.rotations()).To(BeEmpty(), "a shutdown waits for the answer")
}

func TestAResourceInATerminatingNamespaceIsReleasedWhenItsKeyIsGone(t *testing.T) {
	w := newWorld(t)
	id := w.createReady(hooks).Status.EndpointID
	released := w.releases()
	w.stopOperator()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	w.Expect(shared.admin.Delete(t.Context(), namespace)).To(Succeed())
	w.deleteSecret(keySecret)
	w.delete(hooks)
	w.startOperator()
	w.untilGone(hooks)
	w.Expect(w.left()).To(Equal(1), "nobody can reach it any more")
	w.Eventually(w.releases).Should(BeNumerically(">", released))
	w.Eventually(w.logs.String).Should(ContainSubstring("Released the endpoint without deleting it"))
	w.Eventually(func(g Gomega) {
		list := &eventsv1.EventList{}
		g.Expect(shared.admin.List(w.context(), list, client.InNamespace(metav1.NamespaceDefault))).To(Succeed())
		var notes []string
		for _, event := range list.Items {
			if event.Regarding.Kind == "Namespace" && event.Regarding.Name == w.namespace {
				notes = append(notes, event.Note)
			}
		}
		g.Expect(notes).To(ConsistOf(ContainSubstring(id)), "an event on the Namespace: it takes no others")
	}).Should(Succeed())
}

func TestAReregisterRequestOnAHealthyResourceDoesNothing(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.settle()
	w.forget()
	w.annotate(hooks, v1alpha1.AnnotationReregisterRequestedAt, "why not")
	w.Eventually(func() string { return w.get(hooks).Status.LastHandledReregisterAt }).Should(Equal("why not"))
	w.settle()
	w.Expect(w.get(hooks).Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestManyResourcesOfOneAccountAreAllRegisteredOnce(t *testing.T) {
	w := newWorld(t)
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, name := range names {
		w.create(name)
	}
	for _, name := range names {
		w.untilReady(name)
		w.Expect(w.owned(name)).To(HaveLen(1))
	}
	w.settle()
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(len(names)))
	for _, name := range names {
		w.delete(name)
	}
	for _, name := range names {
		w.untilGone(name)
	}
	w.Expect(w.left()).To(BeZero())
}

func TestADamagedIntentIsTakenForOneWhoseOutcomeIsUnknown(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.stopOperator()
	w.annotate(hooks, v1alpha1.AnnotationRegistration, "not json")
	w.changeStatus(hooks, func(status *v1alpha1.MedblocksWebhookEndpointStatus) {
		*status = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}
	})
	w.forget()
	w.startOperator()
	w.Eventually(func() *v1alpha1.MedblocksWebhookEndpoint { w.advance(time.Second); return w.get(hooks) }).Should(beReady())
	w.Expect(w.get(hooks).Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(meta.FindStatusCondition(w.get(hooks).Status.Conditions, v1alpha1.ConditionStalled)).To(BeNil())
}
