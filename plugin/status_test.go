// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// plain is an output without line breaks, and the edges of a tree.
func plain(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", "", "├──", "", "└──", "").Replace(text)), " ")
}

// reenabling has Medblocks' disables answered by a policy.
func reenabling(mode v1alpha1.ReenableMode, initial time.Duration) tweak {
	return func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: mode, Backoff: &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: initial}}}
	}
}

func TestStatusOfAHealthyEndpointIsDelivering(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	receiver := startHook(t, http.StatusOK)
	n.create(t, "labs", at(receiver.URL), func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: 720 * time.Hour}}}
	})
	n.awaitReady(t, "labs")
	n.fire(t)

	g.Eventually(func(g Gomega) { // the event has to arrive
		is := n.invoke(t, "status", "labs")
		g.Expect(is.code).To(Equal(ExitOK), is.out+is.err)
		g.Expect(is.out).To(HavePrefix("labs is delivering.\nNext: the operator rotates the signing secret on "))
		g.Expect(plain(is.out)).To(And(
			ContainSubstring("MedblocksWebhookEndpoint/labs in namespace "+n.namespace),
			ContainSubstring("Ready: True, Registered"),
			ContainSubstring("Operator: the operator works: "),
			ContainSubstring("API key: key MEDBLOCKS_API_KEY of Secret medblocks-api-key Endpoint:"),
			ContainSubstring("Endpoint: "+n.endpoints(t)[0].ID+", active, delivers to "+receiver.URL),
			ContainSubstring("Signing Secret: labs-signing-secret, holds the secret of this endpoint, issued "),
			ContainSubstring("rotation due in 29d"),
			ContainSubstring("Failed deliveries: none in the last seven days"),
			ContainSubstring("RegisterEndpoint, because of Spec"),
		))
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())

	is := n.invoke(t, "status")
	g.Expect(is.code).To(Equal(ExitOK))
	g.Expect(strings.Split(is.out, "\n")).To(HaveLen(3), "a head and a line: nothing is to be explained\n%s", is.out)
	g.Expect(plain(is.out)).To(MatchRegexp(`NAME READY REASON ENDPOINT FAILED NEXT STEP labs True Registered active 0 rotates in 29d`))
}

func TestStatusExplainsADisableThatNobodyUndoes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs", at(startHook(t, http.StatusBadGateway).URL))
	n.autoDisable(t, "labs")

	for _, args := range [][]string{{"status"}, {"status", "labs"}} {
		is := n.invoke(t, args...)
		g.Expect(is.code).To(Equal(ExitUnhealthy))
		g.Expect(is.err).To(BeEmpty())
		g.Expect(plain(is.out)).To(And(
			MatchRegexp(`labs is not delivering: Medblocks disabled the endpoint \S+ ago, after 9 failed attempts to deliver an event \(the receiver's last answer was 502\)\.`),
			ContainSubstring("Next: nothing happens by itself, because reenablePolicy.mode is Never: repair the receiver, then enable the endpoint."),
			ContainSubstring("kubectl medblocks reenable labs -n "+n.namespace),
		))
	}
	g.Expect(plain(n.invoke(t, "status").out)).To(ContainSubstring("labs False AutoDisabled disabled 1 you: repair the receiver, reenable"))
	g.Expect(plain(n.invoke(t, "status", "labs").out)).To(And(
		ContainSubstring("Enabled: False, AutoDisabled"),
		MatchRegexp(`Endpoint: wh_\w+, disabled for \S+ \(AutoDisabled\), delivers to`),
		MatchRegexp(`evt_\w+ patient_flow.completed, \S+ ago: 9 attempts, status 502, given up`),
	))
}

func TestStatusSaysWhenThePolicyEnablesTheEndpoint(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	receiver := startHook(t, http.StatusServiceUnavailable)
	n.create(t, "labs", at(receiver.URL), reenabling(v1alpha1.ReenableWhenHealthy, time.Hour))
	n.autoDisable(t, "labs")

	is := n.invoke(t, "status", "labs")
	g.Expect(is.code).To(Equal(ExitUnhealthy))
	g.Expect(plain(is.out)).To(MatchRegexp(
		`Next: the operator enables the endpoint in (59|60|61|62|63|64|65|66)m\S*, attempt 1 of 5, once the receiver answers as it should \(http://127.0.0.1:\d+\)\.`))

	report := statusReport(t, n, "status", "labs")
	next := report.Resources[0].NextStep
	g.Expect(next.Who).To(Equal(nextOperator))
	g.Expect(next.At).NotTo(BeNil())
	g.Expect(next.At.Time).To(BeTemporally("==", n.get(t, "labs").Status.Reenable.NextAttempt.Time))
}

// statusReport is the structured result.
func statusReport(t *testing.T, n *tenant, args ...string) StatusReport {
	t.Helper()
	g := NewWithT(t)
	var fromJSON, fromYAML StatusReport
	g.Expect(json.Unmarshal([]byte(n.invoke(t, append(args, "-o", "json")...).out), &fromJSON)).To(Succeed())
	g.Expect(yaml.UnmarshalStrict([]byte(n.invoke(t, append(args, "-o", "yaml")...).out), &fromYAML)).To(Succeed())
	g.Expect(fromYAML.Resources).To(HaveLen(len(fromJSON.Resources)))
	g.Expect(fromJSON.APIVersion).To(Equal(resultVersion))
	g.Expect(fromJSON.Kind).To(Equal("StatusReport"))
	return fromJSON
}

func TestStatusTellsAPersonsDisableFromMedblocksOwn(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs", reenabling(v1alpha1.ReenableAlways, time.Second))
	n.awaitReady(t, "labs")
	g.Expect(suite.emulator.Disable(t.Context(), n.endpoints(t)[0].ID)).To(Succeed())
	n.awaitCondition(t, "labs", v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonDisabledManually)

	is := n.invoke(t, "status")
	g.Expect(is.code).To(Equal(ExitUnhealthy))
	g.Expect(plain(is.out)).To(And(
		ContainSubstring("labs False DisabledManually disabled 0 you: ask who disabled it"),
		ContainSubstring("labs is not delivering: a person disabled the endpoint at Medblocks"),
		ContainSubstring("no policy undoes that"),
	))

	n.change(t, "labs", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.State = v1alpha1.StateDisabled })
	n.awaitReady(t, "labs")
	is = n.invoke(t, "status", "labs")
	g.Expect(is.code).To(Equal(ExitOK), "it is as the spec wants it: %s", is.out)
	g.Expect(is.out).To(HavePrefix("labs is not delivering: spec.state is Disabled, and so is the endpoint.\nNext: nothing is due"))
}

func TestStatusOfARefusedKeySaysWhatStillWorks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs")
	n.awaitReady(t, "labs")
	g.Expect(suite.emulator.SetKeyState(t.Context(), n.apiKey, "revoked")).To(Succeed())
	n.awaitCondition(t, "labs", v1alpha1.ConditionSynced, metav1.ConditionFalse, v1alpha1.ReasonInvalidAPIKey)

	is := n.invoke(t, "status", "labs")
	g.Expect(is.code).To(Equal(ExitUnhealthy))
	g.Expect(plain(is.out)).To(And(
		ContainSubstring("labs is delivering, but not as the resource wants: Medblocks refuses the API key (401)"),
		ContainSubstring("Next: put a valid API key into the Secret"),
		ContainSubstring("active, as the operator last saw it"),
		ContainSubstring("Failed deliveries: not known: "),
		ContainSubstring("Medblocks does not accept the API key"),
	))
}

func TestStatusNamesTheSecretThatIsMissing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.APIKeySecretRef.Name = "forgotten" })
	n.awaitCondition(t, "labs", v1alpha1.ConditionSynced, metav1.ConditionFalse, v1alpha1.ReasonCredentialsUnavailable)

	is := n.invoke(t, "status", "labs")
	g.Expect(is.code).To(Equal(ExitUnhealthy))
	g.Expect(plain(is.out)).To(And(
		ContainSubstring(`labs is not delivering: Secret "forgotten" with the API key does not exist`),
		ContainSubstring("Next: the operator picks the API key up by itself once it is there"),
		ContainSubstring("API key: key MEDBLOCKS_API_KEY of Secret forgotten; not to be used from here: the Secret "+n.namespace+"/forgotten with the API key does not exist"),
		ContainSubstring("Endpoint: none yet"),
		ContainSubstring("History: the operator has done nothing at Medblocks yet"),
	))
	g.Expect(plain(n.invoke(t, "status").out)).To(ContainSubstring("labs False CredentialsUnavailable - ? goes on by itself"))
}

func TestStatusOfAnAccountReadsItsKeyInTheOperatorsNamespace(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	const operators = DefaultOperatorNamespace
	secret := n.keySecret()
	secret.Namespace, secret.Name = operators, n.namespace
	g.Expect(suite.api.Create(t.Context(), secret)).To(Succeed())
	account := &v1alpha1.MedblocksAccount{
		ObjectMeta: metav1.ObjectMeta{Name: n.namespace},
		Spec:       v1alpha1.MedblocksAccountSpec{APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: n.namespace}},
	}
	g.Expect(suite.api.Create(t.Context(), account)).To(Succeed())
	n.create(t, "labs", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.APIKeySecretRef, e.Spec.AccountRef = v1alpha1.APIKeySecretReference{}, &v1alpha1.AccountReference{Name: n.namespace}
	})
	n.awaitReady(t, "labs")

	is := n.invoke(t, "status", "labs")
	g.Expect(is.code).To(Equal(ExitOK), is.out+is.err)
	g.Expect(plain(is.out)).To(ContainSubstring("API key: MedblocksAccount " + n.namespace + ": key MEDBLOCKS_API_KEY of Secret " + operators + "/" + n.namespace + " Endpoint:"))
	is = n.invoke(t, "status", "labs", "--operator-namespace=elsewhere")
	g.Expect(plain(is.out)).To(And(
		ContainSubstring("Secret elsewhere/"+n.namespace+" with the API key does not exist"),
		ContainSubstring("--operator-namespace"),
		ContainSubstring("there is no operator in namespace elsewhere"),
		ContainSubstring("active, as the operator last saw it"),
	))
}

func TestSomebodyWhoMayOnlyLookIsToldWhatIsHidden(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs", at(startHook(t, http.StatusBadGateway).URL))
	n.autoDisable(t, "labs")
	viewer := n.user(t, "viewer", "medblocks-webhook-operator-viewer")
	look := func(args ...string) outcome {
		return invokeWith(t, viewer, "", append(args, "--namespace="+n.namespace)...)
	}

	is := look("status", "labs")
	g.Expect(is.code).To(Equal(ExitUnhealthy), is.err)
	g.Expect(plain(is.out)).To(And(
		MatchRegexp(`labs is not delivering: Medblocks disabled the endpoint \S+ ago, after 9 failed attempts`),
		ContainSubstring("kubectl medblocks reenable labs"),
		ContainSubstring("kubectl auth can-i get secrets/medblocks-api-key -n "+n.namespace),
		ContainSubstring("kubectl auth can-i get secrets/labs-signing-secret -n "+n.namespace),
		ContainSubstring("kubectl auth can-i get leases.coordination.k8s.io/"+operatorLease),
		ContainSubstring("RegisterEndpoint, because of Spec"),
	))
	g.Expect(look("status").code).To(Equal(ExitUnhealthy))

	with := invokeWith(t, viewer, n.apiKey+"\n", "status", "labs", "--api-key-file=-", "--namespace="+n.namespace)
	g.Expect(plain(with.out)).To(And(ContainSubstring("API key: from --api-key-file"), ContainSubstring("9 attempts, status 502, given up")))

	nobody := n.user(t, "nobody", "")
	is = invokeWith(t, nobody, "", "status", "--namespace="+n.namespace)
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.out).To(BeEmpty())
	g.Expect(is.err).To(ContainSubstring("kubectl auth can-i list medblockswebhookendpoints.connect.medblocks.com -n " + n.namespace))
}

func TestStatusOfAllNamespacesSaysWhichIsWhose(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n, other := newTenant(t), newTenant(t)
	n.create(t, "labs")
	other.create(t, "labs")
	n.awaitReady(t, "labs")
	other.awaitReady(t, "labs")
	is := invoke(t, "status", "-A")
	g.Expect(plain(is.out)).To(And(
		HavePrefix("NAMESPACE NAME READY"), ContainSubstring(n.namespace+" labs True"), ContainSubstring(other.namespace+" labs True"),
	))
	g.Expect(invoke(t, "status", "-A", "labs").code).To(Equal(ExitUsage))
}

func TestStatusWithoutResourcesSaysWhereToLook(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	is := n.invoke(t, "status")
	g.Expect(is.code).To(Equal(ExitOK))
	g.Expect(is.err).To(And(ContainSubstring(n.namespace), ContainSubstring("-A")))
	g.Expect(statusReport(t, n, "status").Resources).To(BeEmpty())

	is = n.invoke(t, "status", "nothing")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(And(ContainSubstring(`"nothing"`), ContainSubstring("status -A")))
}

func TestWithoutAnOperatorStatusSaysSo(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "before")
	n.awaitReady(t, "before")
	g.Expect(suite.stack.EndProcess(suite.manager.Process)).To(Succeed())
	t.Cleanup(func() {
		manager, err := suite.stack.StartManager(context.Background(), "manager-again", suite.emulator.URL, managerFlags...)
		g.Expect(err).NotTo(HaveOccurred())
		suite.manager = manager
	})
	n.create(t, "after")

	is := n.invoke(t, "status")
	g.Expect(is.code).To(Equal(ExitUnhealthy))
	g.Expect(plain(is.out)).To(And(
		ContainSubstring("before True Registered active 0 you: start the operator"),
		ContainSubstring("after Unknown - - - you: start the operator"),
		ContainSubstring("before is delivering; and no operator works: the last one has ended"),
		ContainSubstring("after is not delivering: no operator has looked at this resource yet: no operator works"),
	))
}

func TestWhenMedblocksDoesNotAnswerTheRestIsShown(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs")
	n.awaitReady(t, "labs")
	is := n.invoke(t, "status", "labs", "--api-base-url=http://127.0.0.1:1")
	g.Expect(is.code).To(Equal(ExitOK), "it is not known to be otherwise")
	g.Expect(plain(is.out)).To(And(
		HavePrefix("labs is delivering."), ContainSubstring("Medblocks cannot be reached from here"), ContainSubstring("RegisterEndpoint"),
	))
}

func TestStatusSeesAtMedblocksWhatTheOperatorHasNotNoticedYet(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs")
	n.awaitReady(t, "labs")
	n.change(t, "labs", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.Suspend = true }) // it will not notice
	n.awaitCondition(t, "labs", v1alpha1.ConditionSynced, metav1.ConditionUnknown, v1alpha1.ReasonSuspended)
	is := n.invoke(t, "status", "labs")
	g.Expect(plain(is.out)).To(And(HavePrefix("labs is delivering, and not looked after at the moment: spec.suspend is true"),
		ContainSubstring(`kubectl patch mwe labs -n `+n.namespace+` --type=merge -p '{"spec":{"suspend":false}}'`)))

	id := n.endpoints(t)[0].ID
	g.Expect(suite.emulator.Disable(t.Context(), id)).To(Succeed())
	g.Expect(n.endpoints(t)[0].Status).To(Equal(emulator.StatusDisabled))
	is = n.invoke(t, "status", "labs")
	g.Expect(is.code).To(Equal(ExitUnhealthy))
	g.Expect(plain(is.out)).To(HavePrefix("labs is not delivering: Medblocks has disabled the endpoint, or a person there, and the operator has not noticed yet"))
}
