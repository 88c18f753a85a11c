// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func orphan(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
}

// left are the endpoints in the workspace beside those of others.
func (w *world) left() int { return len(w.vendor.Endpoints(w.key)) - len(w.bystanders) }

func TestADeletedResourceTakesItsEndpointAndItsSecretWithIt(t *testing.T) {
	w := newWorld(t)
	id := w.createReady(hooks).Status.EndpointID
	w.settle()
	w.forget()
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
	w.Expect(w.secret(signing)).To(BeNil())
	w.untilEvent("Normal Deleted: Deleted endpoint " + id)
	w.Expect(operationsOf(w.calls())).To(Equal([]string{"GetEndpoint", "DeleteEndpoint"}))
	w.untilQuiet() // an account without resources is not polled
}

func TestAnOrphanedEndpointStaysWithItsSecretAndWithoutMarks(t *testing.T) {
	w := newWorld(t)
	id := w.createReady(hooks, full, orphan).Status.EndpointID
	before := w.remote(hooks)
	w.delete(hooks)
	w.untilGone(hooks)
	after, err := w.vendor.Endpoint(id)
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(after.Metadata).To(Equal(map[string]any{"team": "intake"}))
	w.Expect(after.Status).To(Equal(emulator.StatusActive))
	w.Expect(after.URL).To(Equal(before.URL))
	w.Expect(w.value(signing)).To(Equal(after.Secret))
	w.untilEvent("Normal Orphaned: Left endpoint " + id)
}

func TestAnEndpointThatIsGoneAlreadyDoesNotHoldUpADeletion(t *testing.T) {
	for name, tweak := range map[string]func(*v1alpha1.MedblocksWebhookEndpoint){
		"Delete": func(*v1alpha1.MedblocksWebhookEndpoint) {},
		"Orphan": orphan,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.pollInterval = time.Hour })
			id := w.createReady(hooks, tweak).Status.EndpointID
			w.Expect(w.vendor.RemoveEndpoint(id)).To(Succeed())
			w.forget()
			w.delete(hooks)
			w.untilGone(hooks)
			w.Expect(writes(w.calls())).To(BeEmpty())
		})
	}
}

func TestAResourceThatNeverHadAKeyIsDeletedAtOnce(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.keyless = true })
	w.create(hooks)
	w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable))
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.vendor.Calls()).To(BeEmpty())
}

func TestADeletionUsesTheLastWorkingKeyWhenTheKeySecretIsGone(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.deleteSecret(keySecret)
	w.until(hooks, have(v1alpha1.ConditionSynced, isFalse, v1alpha1.ReasonCredentialsUnavailable))
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
}

func TestADeletionWithoutAnyKeyIsKeptAndEndsWhenTheKeyIsBack(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.stopOperator()
	w.deleteSecret(keySecret)
	w.delete(hooks)
	w.forget()
	w.startOperator()
	w.until(hooks, have(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonCredentialsUnavailable, keySecret, v1alpha1.AnnotationRelease))
	w.advance(time.Hour)
	w.until(hooks, have(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonCredentialsUnavailable))
	w.Expect(w.left()).To(Equal(1))
	w.Expect(w.secret(signing)).NotTo(BeNil(), "the Secret goes last")

	w.createSecret(keySecret, map[string]string{v1alpha1.DefaultAPIKeySecretKey: w.key})
	w.advance(time.Minute)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
}

func TestADeletionWithARefusedKeyIsKeptAndEndsWithAValidOne(t *testing.T) {
	for name, test := range map[string]struct {
		state  emulator.KeyState
		reason string
	}{
		"401": {emulator.KeyRevoked, v1alpha1.ReasonInvalidAPIKey},
		"403": {emulator.KeyForbidden, v1alpha1.ReasonForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks)
			w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, State: test.state})).To(Succeed())
			w.delete(hooks)
			w.until(hooks, have(v1alpha1.ConditionStalled, isTrue, test.reason, v1alpha1.AnnotationRelease))
			w.settleWithout()
			w.Expect(w.get(hooks)).NotTo(BeNil())

			w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key + "b", Workspace: workspace})).To(Succeed())
			w.setKey(w.key + "b")
			w.untilGone(hooks)
			w.Expect(w.left()).To(BeZero())
		})
	}
}

func TestADeletionUnderAnotherWorkspacesKeyIsKeptUntilTheFirstKeyIsBack(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.stopOperator()
	w.setKey("mb_sk_sbx_elsewhere")
	w.delete(hooks)
	w.startOperator()
	w.until(hooks, have(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonWorkspaceChanged, "may live on", v1alpha1.AnnotationRelease))
	w.Expect(w.left()).To(Equal(1))
	w.setKey(w.key)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
}

func TestTheReleaseAnnotationLetsADeletionEndWithoutMedblocks(t *testing.T) {
	w := newWorld(t)
	id := w.createReady(hooks).Status.EndpointID
	w.stopOperator()
	w.deleteSecret(keySecret)
	w.delete(hooks)
	w.startOperator()
	w.until(hooks, have(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonCredentialsUnavailable))
	w.forget()
	w.annotate(hooks, v1alpha1.AnnotationRelease, "true")
	w.untilGone(hooks)
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.left()).To(Equal(1), "it may live on")
	w.Expect(w.secret(signing)).To(BeNil())
	w.untilEvent("Warning Released: MedblocksWebhookEndpoint " + w.namespace + "/hooks is deleted and its endpoint " + id)
}

func TestAnOrphanWithoutAKeyIsReleasedWithAWarning(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, orphan)
	w.stopOperator()
	w.deleteSecret(keySecret)
	w.delete(hooks)
	w.startOperator()
	w.untilGone(hooks)
	w.untilEvent("Warning Released")
	w.Expect(w.left()).To(Equal(1))
	w.Expect(w.secret(signing)).NotTo(BeNil())
}

func TestADeletionDuringAnOutageIsKeptAndEndsWithIt(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"500":                              {Kind: emulator.FaultStatus, Status: 500},
		"a proxy's 404":                    {Kind: emulator.FaultHTML, Status: 404},
		"a reset connection":               {Kind: emulator.FaultReset},
		"too many requests":                {Kind: emulator.FaultStatus, Status: 429, RetryAfter: "1"},
		"an answer about another endpoint": {Kind: emulator.FaultWrongID},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.createReady(hooks)
			w.fail(emulator.OperationGetEndpoint, fault)
			w.delete(hooks)
			w.until(hooks, have(v1alpha1.ConditionReconciling, isTrue, reasonOf(fault)))
			w.Expect(w.left()).To(Equal(1))
			w.vendor.ClearFaults()
			w.untilGone(hooks)
			w.Expect(w.left()).To(BeZero())
		})
	}
}

func reasonOf(fault emulator.Fault) string {
	if fault.Status == 429 {
		return v1alpha1.ReasonRateLimited
	}
	return v1alpha1.ReasonAPIUnavailable
}

func TestADeleteWhoseAnswerWasLostIsFoundDone(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationDeleteEndpoint, Kind: emulator.FaultLostAnswer})
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
	w.Expect(w.secret(signing)).To(BeNil())
}

func TestADeletionDuringARegistrationLeavesNoEndpointBehind(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"the POST is answered late":             {Kind: emulator.FaultDelay, Delay: time.Second},
		"the answer is lost":                    {Kind: emulator.FaultLostAnswer, Delay: 500 * time.Millisecond},
		"the effect comes after the cut":        {Kind: emulator.FaultLateEffect, Delay: time.Second},
		"the POST fails in the vendor's hands":  {Kind: emulator.FaultStatus, Status: 500, Delay: 500 * time.Millisecond},
		"the POST is refused by the vendor":     {Kind: emulator.FaultStatus, Status: 400, Delay: 500 * time.Millisecond},
		"the effect comes after the time is up": {Kind: emulator.FaultDelay, Delay: 2500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.apiTimeout = 2 * time.Second })
			fault.Operation = emulator.OperationCreateEndpoint
			w.vendor.InjectFault(fault)
			w.create(hooks)
			w.Eventually(func() map[string]string { return w.get(hooks).Annotations }).Should(HaveKey(v1alpha1.AnnotationRegistration))
			w.delete(hooks)
			w.untilGone(hooks)
			w.Expect(w.owned(hooks)).To(BeEmpty())
			w.Expect(w.left()).To(BeZero())
			w.Expect(w.secret(signing)).To(BeNil())
		})
	}
}

func TestAllEndpointsWithTheMarkGoWithTheResource(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.stopOperator()
	w.copyOf(hooks, func(*emulator.Endpoint) {})
	w.delete(hooks)
	w.startOperator()
	w.untilGone(hooks)
	w.Expect(w.owned(hooks)).To(BeEmpty())
}

func TestASuspendedResourceCanBeDeleted(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Suspend = true })
	w.until(hooks, have(v1alpha1.ConditionSynced, isUnknown, v1alpha1.ReasonSuspended))
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
}

func TestAnotherControllersFinalizerIsNotTakenAway(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Finalizers = append(res.Finalizers, "example.com/other")
	})
	w.delete(hooks)
	w.Eventually(func() []string { return w.get(hooks).Finalizers }).Should(ConsistOf("example.com/other"))
	w.Eventually(w.left).Should(BeZero())
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Finalizers = nil })
	w.untilGone(hooks)
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
}

func TestADeletionUsesTheLastKeyThatWorkedWhenTheNewOneIsRefused(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	const bad = "mb_sk_sbx_revoked_0123456789abcdef"
	w.secrets.Keep(bad)
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: bad, State: emulator.KeyRevoked})).To(Succeed())
	w.setKey(bad)
	w.until(hooks, beStalled(v1alpha1.ReasonInvalidAPIKey))
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
}

func TestMarksThatMedblocksDoesNotRemoveFromAnOrphanAreBlanked(t *testing.T) {
	w := newWorld(t)
	w.vendor.SetQuirks(emulator.Quirks{MetadataMerge: true})
	id := w.createReady(hooks, orphan).Status.EndpointID
	w.delete(hooks)
	w.untilGone(hooks)
	is, err := w.vendor.Endpoint(id)
	w.Expect(err).NotTo(HaveOccurred())
	for _, mark := range []string{v1alpha1.MarkOwner, v1alpha1.MarkIncarnation, v1alpha1.MarkSecretGeneration} {
		w.Expect(is.Metadata[mark]).To(Or(BeNil(), BeEmpty()))
	}

	t.Log("Another resource of this name does not take it over, and its deletion leaves it alone.")
	w.Expect(w.createReady(hooks, signingSecretName("another")).Status.EndpointID).NotTo(Equal(id))
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(Equal(1))
}
