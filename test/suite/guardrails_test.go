// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// elder is a resource that was created before others.
const elder = "elder"

func limitTo(n int32) func(*v1alpha1.MedblocksAccountSpec) {
	return func(spec *v1alpha1.MedblocksAccountSpec) { spec.MaxEndpointsPerNamespace = ptr.To(n) }
}

func onlyTenants(spec *v1alpha1.MedblocksAccountSpec) {
	spec.NamespaceSelector = &v1alpha1.NamespaceSelector{MatchLabels: map[string]v1alpha1.LabelValue{"tenant": "yes"}}
}

func allowHosts(hosts ...v1alpha1.URLHost) func(*v1alpha1.MedblocksAccountSpec) {
	return func(spec *v1alpha1.MedblocksAccountSpec) { spec.AllowedURLHosts = hosts }
}

// violations are guardrails that the resource hooks violates, and ways to heal that.
var violations = map[string]struct {
	rule string
	set  func(*v1alpha1.MedblocksAccountSpec)
	heal func(*world)
}{
	"the namespace, healed by its labels": {"spec.namespaceSelector", onlyTenants, func(w *world) { w.labelNamespace("tenant", "yes") }},
	"the namespace, healed by the account": {"spec.namespaceSelector", onlyTenants, func(w *world) {
		w.changeAccount(func(spec *v1alpha1.MedblocksAccountSpec) { spec.NamespaceSelector = &v1alpha1.NamespaceSelector{} })
	}},
	"the host, healed by the account": {"spec.allowedURLHosts", allowHosts("other.example.com"), func(w *world) {
		w.changeAccount(allowHosts("other.example.com", "*.example.com"))
	}},
	"the host, healed by the resource": {"spec.allowedURLHosts", allowHosts("other.example.com"), func(w *world) {
		w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = "https://OTHER.example.com:8443/" })
	}},
	"the limit, healed by the account":                         {"spec.maxEndpointsPerNamespace", limitTo(1), func(w *world) { w.changeAccount(limitTo(2)) }},
	"the limit, healed by a deletion":                          {"spec.maxEndpointsPerNamespace", limitTo(1), func(w *world) { w.delete(elder) }},
	"the limit, healed by another one that leaves the account": {"spec.maxEndpointsPerNamespace", limitTo(1), leaveAccount},
}

// leaveAccount has the older resource use a key of its own.
func leaveAccount(w *world) {
	w.createSecret(keySecret, map[string]string{v1alpha1.DefaultAPIKeySecretKey: w.key})
	w.change(elder, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.AccountRef, res.Spec.APIKeySecretRef.Name = nil, keySecret
	})
}

// createOlder stores a resource a second before the others: creation times are whole seconds.
func (w *world) createOlder() {
	w.t.Helper()
	created := w.create(elder, w.byAccount).CreationTimestamp.Time
	w.Eventually(time.Now).Should(BeTemporally(">=", created.Add(time.Second)))
}

func TestAResourceThatViolatesAGuardrailIsNotRegisteredUntilItIsAllowed(t *testing.T) {
	for name, test := range violations {
		t.Run(name, func(t *testing.T) {
			w := newAccountWorld(t)
			w.createAccount(func(acct *v1alpha1.MedblocksAccount) { test.set(&acct.Spec) })
			w.untilAccountReady()
			w.createOlder()
			w.forget()
			w.create(hooks, w.byAccount)
			w.until(hooks, beStalled(v1alpha1.ReasonNotAllowed, test.rule, w.namespace), have(v1alpha1.ConditionSynced, isFalse, v1alpha1.ReasonNotAllowed))
			w.untilEvent("Warning " + v1alpha1.ReasonNotAllowed)
			w.settle()
			w.Expect(w.owned(hooks)).To(BeEmpty())
			w.Expect(w.get(hooks).Finalizers).To(BeEmpty())
			test.heal(w)
			w.untilReady(hooks)
		})
	}
}

func TestAnEndpointThatIsNotAllowedAnyMoreStaysAsItIsAndItsDeletionWorks(t *testing.T) {
	for name, test := range violations {
		t.Run(name, func(t *testing.T) {
			w := newAccountWorld(t)
			w.createAccount()
			w.createOlder()
			w.createReady(hooks, w.byAccount)
			w.untilReady(elder)
			before := w.remote(hooks)
			w.settle()
			w.changeAccount(test.set)
			w.until(hooks, beStalled(v1alpha1.ReasonNotAllowed, test.rule), have(v1alpha1.ConditionSigningSecretReady, isTrue, v1alpha1.ReasonPublished))
			w.forget()
			w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
			w.until(hooks, beStalled(v1alpha1.ReasonNotAllowed))
			w.settle()
			w.Expect(w.calls()).To(BeEmpty())
			w.Expect(w.remote(hooks)).To(Equal(before))
			w.delete(hooks)
			w.untilGone(hooks)
			w.Expect(w.owned(hooks)).To(BeEmpty())
		})
	}
}

// TestAnOlderResourceThatComesToAnAccountLaterTakesNobodysPlace: the endpoint of whoever lost its place would live on, so that one
// after the other could be registered.
func TestAnOlderResourceThatComesToAnAccountLaterTakesNobodysPlace(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(func(acct *v1alpha1.MedblocksAccount) { limitTo(1)(&acct.Spec) })
	created := w.create(elder, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		metav1.SetMetaDataLabel(&res.ObjectMeta, worldLabel, w.namespace)
		res.Spec.APIKeySecretRef.Name = "nowhere"
	}).CreationTimestamp.Time
	w.Eventually(time.Now).Should(BeTemporally(">=", created.Add(time.Second)))
	w.createReady(hooks, w.byAccount)
	w.change(elder, w.byAccount)
	w.until(elder, beStalled(v1alpha1.ReasonNotAllowed, "spec.maxEndpointsPerNamespace"))
	w.settle()
	w.untilReady(hooks)
	w.forget()
	w.annotate(elder, v1alpha1.AnnotationReconcileRequestedAt, "now")
	w.until(elder, beStalled(v1alpha1.ReasonNotAllowed))
	w.settle()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.owned(elder)).To(BeEmpty())
	w.delete(hooks)
	w.untilReady(elder)
}

func TestSeveralPlacesThatBecomeFreeAtOnceAreAllTaken(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(func(acct *v1alpha1.MedblocksAccount) { limitTo(3)(&acct.Spec) })
	names := []string{"a", "b", "c", "d", "e", "f"}
	for _, name := range names {
		w.create(name, w.byAccount)
	}
	ready := func() int {
		n := 0
		for _, res := range w.resources() {
			if match, err := beReady().Match(&res); err == nil && match {
				n++
			}
		}
		return n
	}
	refused := func() (refused []string) {
		for _, res := range w.resources() {
			if match, err := beStalled(v1alpha1.ReasonNotAllowed).Match(&res); err == nil && match {
				refused = append(refused, res.Name)
			}
		}
		return refused
	}
	w.Eventually(ready).Should(Equal(3))
	w.Eventually(refused).Should(HaveLen(3))
	waiting := refused()
	for _, res := range w.resources() {
		if match, err := beReady().Match(&res); err == nil && match {
			w.delete(res.Name)
		}
	}
	for _, name := range waiting {
		w.untilReady(name)
	}
}

func TestAKeyOfTheWrongEnvironmentIsUsedForNoCall(t *testing.T) {
	production := []v1alpha1.Environment{v1alpha1.EnvironmentProduction}
	for name, test := range map[string]struct {
		account v1alpha1.Environment
		allowed []v1alpha1.Environment
		says    string
	}{
		"the account's":                      {v1alpha1.EnvironmentProduction, nil, "spec.environment"},
		"the operator's":                     {"", production, "--allowed-environments"},
		"the operator's, not the account's":  {v1alpha1.EnvironmentSandbox, production, "--allowed-environments"},
		"neither the operator's nor its own": {v1alpha1.EnvironmentProduction, production, "spec.environment"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newAccountWorld(t, func(s *setup) { s.operator.environments = test.allowed })
			w.createAccount(func(acct *v1alpha1.MedblocksAccount) { acct.Spec.Environment = test.account })
			w.create(hooks, w.byAccount)
			w.until(hooks, beStalled(v1alpha1.ReasonWrongEnvironment, test.says, "Sandbox"))
			w.untilAccount(accountHas(v1alpha1.ConditionReady, isFalse, v1alpha1.ReasonWrongEnvironment, test.says), accountHas(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonWrongEnvironment))
			w.advance(time.Hour)
			w.settleWithout()
			w.Expect(w.vendor.Calls()).To(BeEmpty())

			t.Log("A key of the right environment is picked up.")
			live := "mb_sk_live_" + w.key[len("mb_sk_sbx_"):]
			w.Expect(w.vendor.SetKey(emulator.Key{APIKey: live, Workspace: workspace})).To(Succeed())
			w.setAccountKey(live)
			if test.account == v1alpha1.EnvironmentSandbox {
				w.changeAccount(func(spec *v1alpha1.MedblocksAccountSpec) { spec.Environment = "" })
			}
			w.advance(time.Hour)
			w.pokeAccount()
			w.untilReady(hooks)
			w.untilAccountReady()
		})
	}
}

func TestAKeyOfATenantIsBoundToTheAllowedEnvironmentsToo(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.operator.environments = []v1alpha1.Environment{v1alpha1.EnvironmentProduction} })
	w.create(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonWrongEnvironment, "--allowed-environments", keySecret))
	w.settleWithout()
	w.Expect(w.vendor.Calls()).To(BeEmpty())
	w.delete(hooks)
	w.untilGone(hooks)
}

func TestAKeyThatIsExchangedForOneOfTheWrongEnvironmentIsNotUsed(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(func(acct *v1alpha1.MedblocksAccount) { acct.Spec.Environment = v1alpha1.EnvironmentSandbox })
	w.createReady(hooks, w.byAccount)
	live := "mb_sk_live_" + w.key[len("mb_sk_sbx_"):]
	w.setAccountKey(live)
	w.until(hooks, beStalled(v1alpha1.ReasonWrongEnvironment, "spec.environment", w.namespace))
	w.untilAccount(accountHas(v1alpha1.ConditionReady, isFalse, v1alpha1.ReasonWrongEnvironment))
	for _, call := range w.vendor.Calls() {
		w.Expect(call.APIKey).To(Equal(w.key))
	}
	w.setAccountKey(w.key)
	w.advance(time.Minute)
	w.untilReady(hooks)
}

func TestAKeyThatIsNotAllowedAnyMoreIsNotPolledWithAndServesNoDeletion(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount()
	w.createReady(hooks, w.byAccount)
	w.settle()
	w.changeAccount(func(spec *v1alpha1.MedblocksAccountSpec) { spec.Environment = v1alpha1.EnvironmentProduction })
	w.until(hooks, beStalled(v1alpha1.ReasonWrongEnvironment, "spec.environment"))
	w.untilAccount(accountHas(v1alpha1.ConditionReady, isFalse, v1alpha1.ReasonWrongEnvironment))
	w.settleWithout()
	w.forget()
	w.advance(time.Hour)
	w.delete(hooks)
	w.until(hooks, have(v1alpha1.ConditionSynced, isFalse, v1alpha1.ReasonWrongEnvironment))
	w.settleWithout()
	w.Expect(w.calls()).To(BeEmpty())
	w.Expect(w.owned(hooks)).To(HaveLen(1))

	w.changeAccount(func(spec *v1alpha1.MedblocksAccountSpec) { spec.Environment = v1alpha1.EnvironmentSandbox })
	w.untilGone(hooks)
	w.Expect(w.owned(hooks)).To(BeEmpty())
}

func TestALabelThatSelectsNothingChangesNothing(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(func(acct *v1alpha1.MedblocksAccount) { onlyTenants(&acct.Spec) })
	w.create(hooks, w.byAccount)
	w.until(hooks, beStalled(v1alpha1.ReasonNotAllowed))
	w.settle()
	w.forget()
	w.labelNamespace("unrelated", "yes")
	w.settle()
	w.Expect(w.kube.resourceWrites()).To(BeEmpty())
	w.Expect(w.calls()).To(BeEmpty())
}

func TestATenantCannotAdoptAnotherTenantsEndpointThroughASharedAccount(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount()
	foreign := w.addMarked(clusterID + "/another-tenant/" + hooks)
	before, err := w.vendor.Endpoint(foreign)
	w.Expect(err).NotTo(HaveOccurred())
	w.create(hooks, w.byAccount, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: foreign, RotateSecret: true}
	})
	w.until(hooks, beStalled(v1alpha1.ReasonNotAllowed, foreign, "shared"))
	w.settle()
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.vendor.Endpoint(foreign)).To(Equal(before))

	t.Log("The account's owner lets it go.")
	w.Expect(w.vendor.SetEndpoint(foreign, func(e *emulator.Endpoint) { delete(e.Metadata, v1alpha1.MarkOwner) })).To(Succeed())
	w.Expect(w.untilReady(hooks).Status.EndpointID).To(Equal(foreign))
}
