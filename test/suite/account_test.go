// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestATenantWithoutAnyKeyRegistersThroughAnAccount(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(func(acct *v1alpha1.MedblocksAccount) { acct.Spec.Environment = v1alpha1.EnvironmentSandbox })
	w.untilAccountReady()
	w.createReady(hooks, w.byAccount)
	w.advance(time.Minute)
	// The world's bystanders are one without a mark and one of another cluster.
	acct := w.untilAccount(accountCounts(1, v1alpha1.AccountEndpoints{Managed: 2, Unmanaged: 1}))
	w.Expect(acct.Status.Orphans).To(BeEmpty())
	w.Expect(w.secret(keySecret)).To(BeNil(), "the tenant has no key")
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
}

func TestAnAccountThatArrivesLateIsNoticedAtOnceAndAMissingOneIsAskedFor(t *testing.T) {
	w := newAccountWorld(t)
	w.create(hooks, w.byAccount)
	missing := `MedblocksAccount "` + w.namespace + `" does not exist: create it, or correct spec.accountRef.name`
	w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable, missing))
	w.advance(5 * time.Minute)
	w.until(hooks, beStalled(v1alpha1.ReasonCredentialsUnavailable, missing))
	w.Expect(w.vendor.Calls()).To(BeEmpty())
	w.createAccount()
	w.untilReady(hooks)
}

func TestAnAccountWithoutItsSecretIsToldOnBothSides(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(func(acct *v1alpha1.MedblocksAccount) { acct.Spec.APIKeySecretRef.Name = "other" })
	w.create(hooks, w.byAccount)
	secret := `Secret "` + w.options.operatorNamespace + `/other" with the API key does not exist`
	w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable, secret, "spec.apiKeySecretRef.name of MedblocksAccount"))
	w.untilAccount(accountHas(v1alpha1.ConditionReady, isFalse, v1alpha1.ReasonCredentialsUnavailable, secret), accountHas(v1alpha1.ConditionReconciling, isTrue, v1alpha1.ReasonCredentialsUnavailable))
	w.advance(5 * time.Minute)
	w.pokeAccount()
	w.untilAccount(accountHas(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonCredentialsUnavailable))
	w.changeAccount(func(spec *v1alpha1.MedblocksAccountSpec) { spec.APIKeySecretRef.Name = keySecret })
	w.untilAccountReady()
	w.untilReady(hooks)
}

func TestAResourceMayMoveFromItsOwnKeyToAnAccount(t *testing.T) {
	w := newAccountWorld(t)
	w.createSecret(keySecret, map[string]string{v1alpha1.DefaultAPIKeySecretKey: w.key})
	w.createAccount()
	before := w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		metav1.SetMetaDataLabel(&res.ObjectMeta, worldLabel, w.namespace)
	})
	w.settle()
	w.forget()
	w.change(hooks, w.byAccount)
	w.deleteSecret(keySecret)
	w.settle()
	after := w.untilReady(hooks)
	w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestAKeyRotatedInTheSecretOfAnAccountCostsNoWriteAtMedblocks(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount()
	before := w.createReady(hooks, w.byAccount)
	w.settle()
	w.forget()
	second := w.key + "second"
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: second, Workspace: workspace})).To(Succeed())
	w.setAccountKey(second)
	w.Eventually(func() string { return w.get(hooks).Status.KeyHash }).ShouldNot(Equal(before.Status.KeyHash))
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, State: emulator.KeyRevoked})).To(Succeed())
	w.settle()
	w.untilReady(hooks)
	w.untilAccountReady()
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestARefusedKeyStallsTheAccountUntilItWorks(t *testing.T) {
	w := newAccountWorld(t)
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, State: emulator.KeyRevoked})).To(Succeed())
	w.createAccount()
	w.untilAccount(accountHas(v1alpha1.ConditionReady, isFalse, v1alpha1.ReasonInvalidAPIKey, "401"), accountHas(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonInvalidAPIKey))
	w.Eventually(w.accountEvents).Should(ContainElement(HavePrefix("Warning InvalidAPIKey")))
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, State: emulator.KeyActive})).To(Succeed())
	w.untilAccountReady()
}

func TestAnOutageLeavesAReadyAccountReady(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount()
	w.untilAccountReady()
	w.fail(emulator.OperationListEndpoints, emulator.Fault{Kind: emulator.FaultUnavailable})
	w.untilAccount(accountHas(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonAccepted), accountHas(v1alpha1.ConditionReconciling, isTrue, v1alpha1.ReasonAPIUnavailable))
	w.vendor.ClearFaults()
	w.advance(time.Hour)
	w.untilAccount(accountHas(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonAccepted), accountMatches("no Reconciling", func(acct *v1alpha1.MedblocksAccount) bool { return len(acct.Status.Conditions) == 1 }))
}

func TestANamespaceThatIsGoingTakesItsEndpointAlongBecauseTheKeyIsElsewhere(t *testing.T) {
	w := newAccountWorld(t)
	w.expects.refusedWrites = true // it takes no events
	w.createAccount()
	w.createReady(hooks, w.byAccount)
	w.stopOperator() // so that no key is in memory
	w.Expect(shared.admin.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})).To(Succeed())
	w.delete(hooks) // as the namespace controller does
	released := w.releases()
	w.startOperator()
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
	w.Expect(w.releases()).To(Equal(released))
}

func TestTheLastWorkingKeyOfAnAccountThatIsGoneServesADeletion(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount()
	w.createReady(hooks, w.byAccount)
	w.Expect(shared.admin.Delete(t.Context(), w.accountManifest())).To(Succeed())
	w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable, "does not exist"))
	w.delete(hooks)
	w.untilGone(hooks)
	w.Expect(w.left()).To(BeZero())
}

func TestAnOperatorOfSomeNamespacesRefusesAccounts(t *testing.T) {
	w := newWorld(t)
	w.create(hooks, w.byAccount)
	w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable, "--watch-namespaces", "spec.apiKeySecretRef"))
	w.Expect(w.vendor.Calls()).To(BeEmpty())
}

func TestAnOperatorThatDoesNotKnowItsNamespaceNamesTheFlag(t *testing.T) {
	w := newAccountWorld(t)
	w.stopOperator()
	w.options.operatorNamespace = ""
	w.startOperator()
	w.createAccount()
	w.create(hooks, w.byAccount)
	w.until(hooks, beWorking(v1alpha1.ReasonCredentialsUnavailable, "--operator-namespace"))
	w.untilAccount(accountHas(v1alpha1.ConditionReady, isFalse, v1alpha1.ReasonCredentialsUnavailable, "--operator-namespace"))
	w.Expect(w.vendor.Calls()).To(BeEmpty())
}

func TestAnotherShardsAccountIsUsedAndNotReportedOn(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount(func(acct *v1alpha1.MedblocksAccount) {
		acct.Labels = nil
		acct.Spec.MaxEndpointsPerNamespace = ptr.To[int32](1)
	})
	w.createReady(hooks, w.byAccount)
	w.create("second", w.byAccount)
	w.until("second", beStalled(v1alpha1.ReasonNotAllowed))
	w.settle()
	w.Expect(w.account().Status).To(Equal(v1alpha1.MedblocksAccountStatus{ObservedGeneration: -1}))
	w.Expect(w.accountWrites()).To(BeEmpty())
}

func TestTheNumbersOfAnAccountAreWrittenOnceAMinuteAndNotAtRest(t *testing.T) {
	w := newAccountWorld(t)
	w.createAccount()
	w.untilAccount(accountCounts(0, v1alpha1.AccountEndpoints{Managed: 1, Unmanaged: 1}))
	w.settle()
	w.Expect(w.accountEvents()).To(BeEmpty())

	t.Log("At rest nothing is written.")
	w.forget()
	w.advance(time.Hour)
	w.settle()
	w.Expect(w.accountWrites()).To(BeEmpty())

	t.Log("The first change is written at once, and the next ones a minute later.")
	begun := w.clock.Now()
	for range 3 {
		_, err := w.vendor.AddEndpoint(w.key, emulator.Endpoint{Metadata: map[string]any{}, Status: "disabled"})
		w.Expect(err).NotTo(HaveOccurred())
		w.settle()
	}
	minutes := int(w.clock.Now().Sub(begun)/time.Minute) + 1 // the clock of the suite runs too
	w.Expect(len(w.accountWrites())).To(And(BeNumerically(">=", 1), BeNumerically("<=", minutes)))
	w.advance(time.Minute)
	w.pokeAccount()
	w.untilAccount(accountCounts(0, v1alpha1.AccountEndpoints{Managed: 1, Unmanaged: 4, Disabled: 3}))
}
