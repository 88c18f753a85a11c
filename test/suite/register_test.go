// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestARegistrationCostsOnePostTwoWritesToTheResourceAndOneToTheSecret(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()

	w.Expect(operationsOf(w.calls())).To(Equal([]string{"CreateEndpoint"}))
	w.Expect(w.kube.resourceWrites()).To(HaveLen(2))
	w.Expect(w.kube.secretWrites()).To(HaveLen(1))
	w.Expect(w.owned(hooks)).To(HaveLen(1))
}

func TestTheFinalizerAndTheIntentAreStoredInOneWriteBeforeThePost(t *testing.T) {
	w := newWorld(t)
	type moment struct {
		res    *v1alpha1.MedblocksWebhookEndpoint
		writes int
	}
	seen := make(chan moment, 1)
	w.vendor.SetHook(func(call emulator.HookCall) error {
		if call.Operation == emulator.OperationCreateEndpoint && call.Phase == emulator.PhaseBefore {
			seen <- moment{w.get(hooks), len(w.kube.resourceWrites())}
		}
		return nil
	})
	created := w.create(hooks)
	var atPost moment
	w.Eventually(seen).Should(Receive(&atPost))
	w.Expect(atPost.writes).To(Equal(1))
	w.Expect(atPost.res.Finalizers).To(ConsistOf(v1alpha1.Finalizer))
	var intent map[string]any
	w.Expect(json.Unmarshal([]byte(atPost.res.Annotations[v1alpha1.AnnotationRegistration]), &intent)).To(Succeed())
	w.Expect(intent).To(HaveKeyWithValue("uid", string(created.UID)))
	w.Expect(intent).To(HaveKeyWithValue("attempt", 1.0))
	w.untilReady(hooks)
	w.Expect(w.remote(hooks).Metadata).To(HaveKeyWithValue(v1alpha1.MarkSecretGeneration, intent["nonce"]))
}

func TestARegistrationCarriesTheSpecAndAllThreeMarks(t *testing.T) {
	w := newWorld(t)
	res := w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.Description = "Production"
		res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": "intake"}
	})
	posts := w.calls(emulator.OperationCreateEndpoint)
	w.Expect(posts).To(HaveLen(1))
	var body map[string]any
	w.Expect(json.Unmarshal([]byte(posts[0].Body), &body)).To(Succeed())
	w.Expect(body).To(gstruct.MatchAllKeys(gstruct.Keys{
		"url":         Equal("https://receiver.example.com/hooks"),
		"events":      ConsistOf("patient_flow.completed", "records.sync.failed"),
		"description": Equal("Production"),
		"metadata": gstruct.MatchAllKeys(gstruct.Keys{
			"team":                        Equal("intake"),
			v1alpha1.MarkOwner:            Equal(w.ownerMark(hooks)),
			v1alpha1.MarkIncarnation:      Equal(string(res.UID)),
			v1alpha1.MarkSecretGeneration: Not(BeEmpty()),
		}),
	}))
}

func TestTheSpecsAPIVersionIsSentWithTheRegistrationAndNothingElse(t *testing.T) {
	const older = "2025-11-01"
	w := newWorld(t, func(s *setup) { s.vendor.APIVersions = []string{older} })
	w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.MedblocksAPIVersion = older })
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
	w.Eventually(func() *string { return w.remote(hooks).Description }).Should(HaveValue(Equal("changed")))

	for _, call := range w.vendor.Calls() {
		if call.Operation == emulator.OperationCreateEndpoint {
			w.Expect(call.Version).To(Equal(older))
		} else {
			w.Expect(call.Version).To(Equal(emulator.DefaultAPIVersion), call.Path)
		}
	}
	w.Expect(w.untilReady(hooks).Status.Endpoint.APIVersion).To(Equal(older))
}

func TestTheSigningSecretIsMadeForEnvFromAndNamesItsOwner(t *testing.T) {
	w := newWorld(t)
	res := w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{
			Name:        "published",
			Labels:      map[string]v1alpha1.LabelValue{"app": "receiver"},
			Annotations: map[string]v1alpha1.AnnotationValue{"example.com/reload": "true"},
		}
	})
	endpoint, secret := w.remote(hooks), w.secret("published")
	w.Expect(secret.Type).To(Equal(corev1.SecretTypeOpaque))
	w.Expect(secret.Data).To(Equal(map[string][]byte{
		"MEDBLOCKS_WEBHOOK_SECRET": []byte(endpoint.Secret),
		"MEDBLOCKS_WEBHOOK_ID":     []byte(endpoint.ID),
	}))
	w.Expect(secret.Labels).To(Equal(map[string]string{"app": "receiver", "app.kubernetes.io/managed-by": "medblocks-webhook-operator"}))
	w.Expect(secret.Annotations).To(gstruct.MatchKeys(gstruct.IgnoreExtras, gstruct.Keys{
		"example.com/reload":                Equal("true"),
		v1alpha1.AnnotationOwner:            Equal(w.namespace + "/" + hooks),
		v1alpha1.AnnotationSecretGeneration: Equal(endpoint.Metadata[v1alpha1.MarkSecretGeneration]),
		v1alpha1.AnnotationSecretHash:       HaveLen(64),
	}))
	w.Expect(secret.OwnerReferences).To(BeEmpty(), "a restored Secret would be garbage-collected")
	w.Expect(res.Status.SigningSecret.Name).To(Equal("published"))
}

func TestARegisteredResourceSaysSoInItsStatusAndInAnEvent(t *testing.T) {
	w := newWorld(t)
	res := w.createReady(hooks)
	endpoint := w.remote(hooks)
	w.Expect(res).To(And(
		have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonPublished, signing),
		have(v1alpha1.ConditionEnabled, isTrue, v1alpha1.ReasonActive),
	))
	w.Expect(res.Status.Endpoint).To(HaveValue(gstruct.MatchAllFields(gstruct.Fields{
		"Status": Equal("active"), "URL": Equal(res.Spec.URL), "APIVersion": Equal(emulator.DefaultAPIVersion),
		"Events": Equal([]string{"patient_flow.completed", "records.sync.failed"}), "CreatedAt": Not(BeNil()),
	})))
	w.Expect(res.Status.Disabled).To(BeNil())
	w.Expect(res.Status.History).To(ConsistOf(gstruct.MatchFields(gstruct.IgnoreExtras, gstruct.Fields{"Action": Equal("RegisterEndpoint"), "Trigger": Equal("Spec")})))
	w.untilEvent("Normal Registered: Registered endpoint " + endpoint.ID)
	w.Expect(w.events()).To(HaveLen(1))
}

func TestRequestsThatAResourceIsBornWithCountAsHandled(t *testing.T) {
	w := newWorld(t)
	res := w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Annotations = map[string]string{
			v1alpha1.AnnotationReconcileRequestedAt: "old", v1alpha1.AnnotationRotateSecretRequestedAt: "old",
			v1alpha1.AnnotationReenableRequestedAt: "old", v1alpha1.AnnotationReregisterRequestedAt: "old",
		}
	})
	w.settle()
	w.Expect(writes(w.calls())).To(Equal([]string{"CreateEndpoint"}))
	w.Expect(res.Status.LastHandledRotateSecretAt).To(Equal("old"))
	w.Expect(res.Status.LastHandledReenableAt).To(Equal("old"))
	w.Expect(res.Status.LastHandledReregisterAt).To(Equal("old"))
}

func TestASettledResourceCostsNothingButThePolls(t *testing.T) {
	w := newWorld(t)
	before := w.createReady(hooks)
	secret := w.secret(signing)
	w.settle()
	w.forget()
	w.settle()
	w.restartOperator()
	w.settle()

	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.calls(emulator.OperationListEndpoints)).NotTo(BeEmpty())
	w.Expect(w.kube.resourceWrites()).To(BeEmpty())
	w.Expect(w.kube.secretWrites()).To(BeEmpty())
	w.Expect(w.get(hooks).ResourceVersion).To(Equal(before.ResourceVersion))
	w.Expect(w.secret(signing).ResourceVersion).To(Equal(secret.ResourceVersion))
}

func TestAChangeOfTheSpecPatchesOnlyTheFieldsThatDiffer(t *testing.T) {
	for name, test := range map[string]struct {
		edit  func(*v1alpha1.MedblocksWebhookEndpointSpec)
		patch any
	}{
		"url":         {func(s *v1alpha1.MedblocksWebhookEndpointSpec) { s.URL = "https://new.example.com/" }, gstruct.Keys{"url": Equal("https://new.example.com/")}},
		"events":      {func(s *v1alpha1.MedblocksWebhookEndpointSpec) { s.Events = []v1alpha1.EventType{"*"} }, gstruct.Keys{"events": ConsistOf("*")}},
		"description": {func(s *v1alpha1.MedblocksWebhookEndpointSpec) { s.Description = "after" }, gstruct.Keys{"description": Equal("after")}},
		"no-more":     {func(s *v1alpha1.MedblocksWebhookEndpointSpec) { s.Description = "" }, gstruct.Keys{"description": BeNil()}},
		"metadata": {func(s *v1alpha1.MedblocksWebhookEndpointSpec) {
			s.Metadata = map[string]v1alpha1.MetadataValue{"new": "1"}
		}, gstruct.Keys{"metadata": gstruct.MatchAllKeys(gstruct.Keys{
			"new": Equal("1"), v1alpha1.MarkOwner: Not(BeNil()), v1alpha1.MarkIncarnation: Not(BeNil()), v1alpha1.MarkSecretGeneration: Not(BeEmpty()),
		})}},
		"all": {func(s *v1alpha1.MedblocksWebhookEndpointSpec) {
			s.URL, s.Events = "https://new.example.com/", []v1alpha1.EventType{"*"}
		}, gstruct.Keys{"url": Not(BeNil()), "events": ConsistOf("*")}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before := w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
				res.Spec.Description = "before"
				res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"old": "1"}
			})
			w.settle()
			w.forget()
			w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { test.edit(&res.Spec) })
			after := w.untilReady(hooks)
			w.settle()

			calls := w.calls()
			w.Expect(operationsOf(calls)).To(Equal([]string{"GetEndpoint", "UpdateEndpoint"}))
			var body map[string]any
			w.Expect(json.Unmarshal([]byte(calls[1].Body), &body)).To(Succeed())
			w.Expect(body).To(gstruct.MatchAllKeys(test.patch.(gstruct.Keys)))
			w.Expect(w.kube.resourceWrites()).To(HaveLen(1))
			w.Expect(w.kube.secretWrites()).To(BeEmpty())
			w.Expect(after.Status.AppliedHash).NotTo(Equal(before.Status.AppliedHash))
			w.Expect(after.Status.History).To(HaveLen(2))
		})
	}
}

func TestChangesThatAreNothingToMedblocksAreNotSent(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.forget()
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.Events = []v1alpha1.EventType{res.Spec.Events[1], res.Spec.Events[0]}
		res.Spec.State = v1alpha1.StateActive
		metav1.SetMetaDataLabel(&res.ObjectMeta, "team", "intake")
	})
	w.untilReady(hooks)
	w.settle()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.kube.resourceWrites()).To(HaveLen(1), "the generation is observed")
}

func TestAFinalizerThatWasTakenAwayIsAddedAgain(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.forget()
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Finalizers = []string{"example.com/other"} })
	w.Eventually(func() []string { return w.get(hooks).Finalizers }).Should(ConsistOf("example.com/other", v1alpha1.Finalizer))
	w.settle()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.kube.resourceWrites()).To(HaveLen(1))
}
