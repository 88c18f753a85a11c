// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// TestAKeySecretThatArrivesLateIsNoticedWithoutBeingTold waits out the operator's own interval on the real clock.
func TestAKeySecretThatArrivesLateIsNoticedWithoutBeingTold(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.keyless = true })
	w.create(hooks)
	w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable))
	w.createSecret(keySecret, map[string]string{v1alpha1.DefaultAPIKeySecretKey: w.key})
	w.untilReady(hooks)
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
}

func TestAMissingKeyIsExpectedForFiveMinutesAndThenAskedFor(t *testing.T) {
	for name, test := range map[string]struct {
		data  map[string]string // nil: no Secret at all
		ref   string
		texts []string
	}{
		"no Secret":           {nil, "", []string{`Secret "medblocks"`, "does not exist", "create it", "spec.apiKeySecretRef.name"}},
		"the wrong key":       {map[string]string{"token": "x"}, "", []string{`Secret "medblocks" has no key "MEDBLOCKS_API_KEY"`, "spec.apiKeySecretRef.key"}},
		"the wrong named key": {map[string]string{"token": "x"}, "api-key", []string{`has no key "api-key"`, "spec.apiKeySecretRef.key"}},
		"an empty value":      {map[string]string{v1alpha1.DefaultAPIKeySecretKey: ""}, "", []string{`key "MEDBLOCKS_API_KEY" in Secret "medblocks" is empty`}},
		"white space only":    {map[string]string{v1alpha1.DefaultAPIKeySecretKey: " \n"}, "", []string{"is empty"}},
		"several lines":       {map[string]string{v1alpha1.DefaultAPIKeySecretKey: "one\ntwo"}, "", []string{"white space"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.keyless = true })
			if test.data != nil {
				w.createSecret(keySecret, test.data)
			}
			w.create(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.APIKeySecretRef.Key = test.ref })
			w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable, test.texts...), have(v1alpha1.ConditionSynced, isFalse, v1alpha1.ReasonCredentialsUnavailable))
			w.advance(4 * time.Minute)
			w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable))
			w.advance(time.Minute)
			w.until(hooks, beStalled(v1alpha1.ReasonCredentialsUnavailable, test.texts...))
			w.Expect(w.vendor.Calls()).To(BeEmpty())

			key := v1alpha1.DefaultAPIKeySecretKey
			if test.ref != "" {
				key = test.ref
			}
			if test.data == nil {
				w.createSecret(keySecret, map[string]string{key: w.key})
			} else {
				w.changeSecret(keySecret, func(secret *corev1.Secret) { secret.Data[key] = []byte(w.key) })
			}
			w.advance(time.Minute)
			w.untilReady(hooks)
		})
	}
}

func TestWhiteSpaceAroundAKeyDoesNoHarm(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.keyless = true })
	w.createSecret(keySecret, map[string]string{v1alpha1.DefaultAPIKeySecretKey: " " + w.key + "\r\n"})
	w.createReady(hooks)
	for _, call := range w.vendor.Calls() {
		w.Expect(call.APIKey).To(Equal(w.key))
	}
}

func TestAKeyThatGoesMissingIsToldAndNothingIsLost(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.deleteSecret(keySecret)
	w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable, keySecret))
	w.advance(6 * time.Minute)
	w.until(hooks, beStalled(v1alpha1.ReasonCredentialsUnavailable, keySecret))
	w.Expect(w.value(signing)).To(Equal(w.remote(hooks).Secret))

	w.createSecret(keySecret, map[string]string{v1alpha1.DefaultAPIKeySecretKey: w.key})
	w.advance(time.Minute)
	after := w.untilReady(hooks)
	w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(writes(w.calls())).To(Equal([]string{"CreateEndpoint"}))
}

func TestARefusedKeyIsToldBeforeARegistrationAndAValidOneIsPickedUp(t *testing.T) {
	for name, test := range map[string]struct {
		state  emulator.KeyState
		reason string
		texts  []string
	}{
		"revoked":   {emulator.KeyRevoked, v1alpha1.ReasonInvalidAPIKey, []string{"401", "spec.apiKeySecretRef"}},
		"expired":   {emulator.KeyExpired, v1alpha1.ReasonInvalidAPIKey, []string{"401", "spec.apiKeySecretRef"}},
		"forbidden": {emulator.KeyForbidden, v1alpha1.ReasonForbidden, []string{"403", "access"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, State: test.state})).To(Succeed())
			w.create(hooks)
			w.until(hooks, beStalled(test.reason, test.texts...), have(v1alpha1.ConditionSynced, isFalse, test.reason))
			w.untilEvent("Warning " + test.reason)
			w.settleWithout()
			w.Expect(writes(w.calls())).To(BeEmpty())
			w.Expect(len(w.vendor.Calls())).To(BeNumerically("<=", 10), "a refused key is not used for every poll")

			w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key + "b", Workspace: workspace})).To(Succeed())
			w.setKey(w.key + "b")
			w.untilReady(hooks)
		})
	}
}

func TestAKeyThatIsRefusedLaterStallsTheResourceAndItsReturnIsNoticed(t *testing.T) {
	for name, test := range map[string]struct {
		state  emulator.KeyState
		reason string
	}{
		"401": {emulator.KeyRevoked, v1alpha1.ReasonInvalidAPIKey},
		"403": {emulator.KeyForbidden, v1alpha1.ReasonForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before := w.createReady(hooks)
			w.settle()
			w.forget()
			w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, State: test.state})).To(Succeed())
			w.until(hooks, beStalled(test.reason), have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonPublished))
			w.Expect(w.value(signing)).To(Equal(w.remote(hooks).Secret))

			t.Log("The vendor accepts the same key again.")
			w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, State: emulator.KeyActive})).To(Succeed())
			after := w.untilReady(hooks)
			w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
			w.settle()
			w.Expect(writes(w.calls())).To(BeEmpty())
		})
	}
}

func TestAKeyRotatedInsideItsWorkspaceCostsNoWriteAtMedblocks(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.settle()
	w.forget()
	second := w.key + "second"
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: second, Workspace: workspace})).To(Succeed())
	w.setKey(second)
	w.Eventually(func() string { return w.get(hooks).Status.KeyHash }).ShouldNot(Equal(before.Status.KeyHash))
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, State: emulator.KeyRevoked})).To(Succeed())
	w.settle()
	after := w.untilReady(hooks)
	w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.kube.secretWrites()).To(BeEmpty())

	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "with the new key" })
	w.Eventually(func() *string { return w.remote(hooks).Description }).Should(HaveValue(Equal("with the new key")))
}

func TestAKeyOfAnotherWorkspaceStopsEverythingUntilAPersonAnswers(t *testing.T) {
	w := newWorld(t)
	w.expects.leftBehind = true // the first workspace's endpoint cannot be reached with the new key
	before := w.createReady(hooks)
	w.settle()
	w.forget()
	other := w.key + "other"
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: other, Workspace: "another"})).To(Succeed())
	w.setKey(other)
	w.until(hooks, beStalled(v1alpha1.ReasonWorkspaceChanged, before.Status.EndpointID, v1alpha1.AnnotationReregisterRequestedAt))
	w.untilEvent("Warning WorkspaceChanged")
	w.annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now")
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
	w.restartOperator()
	w.settle()
	w.until(hooks, beStalled(v1alpha1.ReasonWorkspaceChanged))
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.get(hooks).Status.EndpointID).To(Equal(before.Status.EndpointID))

	w.annotate(hooks, v1alpha1.AnnotationReregisterRequestedAt, "yes")
	after := w.untilReady(hooks)
	w.settle()
	w.Expect(after.Status.LastHandledReregisterAt).To(Equal("yes"))
	w.Expect(w.vendor.Endpoints(other)).To(HaveLen(1))
	w.Expect(w.vendor.Endpoints(other)[0].ID).To(Equal(after.Status.EndpointID))
	w.Expect(w.left()).To(Equal(1), "the former endpoint is out of reach")
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
}

func TestTheFirstWorkspacesKeyPutBackEndsTheStandstill(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	w.settle()
	w.forget()
	w.setKey(w.key + "other")
	w.until(hooks, beStalled(v1alpha1.ReasonWorkspaceChanged))
	w.setKey(w.key)
	after := w.untilReady(hooks)
	w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestTwoSecretsWithTheSameKeyShareOneAccount(t *testing.T) {
	w := newWorld(t)
	w.createSecret("second", map[string]string{"key": w.key})
	w.createReady("one")
	w.createReady("two", func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.APIKeySecretRef = v1alpha1.APIKeySecretReference{Name: "second", Key: "key"}
	})
	w.settle()
	w.forget()
	begun := w.clock.Now()
	w.sweep(5)
	passed := w.clock.Now().Sub(begun)
	w.Expect(w.fullLists()).To(BeNumerically("<=", int(passed/w.options.pollInterval)*13/10+1), "one poller")
}

func TestChangingTheReferenceMovesTheResourceToTheOtherKey(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	second := w.key + "second"
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: second, Workspace: workspace})).To(Succeed())
	w.createSecret("second", map[string]string{"key": second})
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.APIKeySecretRef = v1alpha1.APIKeySecretReference{Name: "second", Key: "key"}
	})
	w.until(hooks, beReady(), describe("another key", func(res *v1alpha1.MedblocksWebhookEndpoint) bool {
		return res.Status.KeyHash != before.Status.KeyHash
	}))
	w.forget()
	w.settle()
	for _, call := range w.vendor.Calls() {
		w.Expect(call.APIKey).To(Equal(second))
	}
}
