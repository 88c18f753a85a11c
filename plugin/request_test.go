// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// requests reads what reconcile, rotate or reenable have printed with -o json.
func requests(t *testing.T, is outcome) map[string]requestOutcome {
	t.Helper()
	var result requestReport
	NewWithT(t).Expect(json.Unmarshal([]byte(is.out), &result)).To(Succeed(), "%+v", is)
	found := map[string]requestOutcome{}
	for _, item := range result.Items {
		found[item.Name] = item
	}
	return found
}

func (n *tenant) secret(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	var secret corev1.Secret
	NewWithT(t).Expect(suite.api.Get(t.Context(), n.key(name), &secret)).To(Succeed())
	return &secret
}

// untilItIsOver is a timeout that a busy machine with two cores does not reach.
const untilItIsOver = "--timeout=90s"

func TestARotationIsAskedForAndAwaited(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	before := n.secret(t, "patients-signing-secret").Data

	is := n.invoke(t, "rotate", "patients", untilItIsOver)

	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.err).To(ContainSubstring("patients: asked for a new signing secret\n"))
	g.Expect(is.err).To(ContainSubstring("patients: RotateSecret (RotateRequested)\n"))
	g.Expect(is.out).To(Equal(`patients: rotated: Secret "patients-signing-secret" holds a new signing secret; the one before it is kept as ` +
		"MEDBLOCKS_WEBHOOK_SECRET_PREVIOUS, for receivers that have not read the new one yet\n"))
	after := n.secret(t, "patients-signing-secret").Data
	g.Expect(after[v1alpha1.SecretKeyPrevious]).To(Equal(before[v1alpha1.SecretKeyValue]))
	g.Expect(string(after[v1alpha1.SecretKeyValue])).To(Equal(n.endpoints(t)[0].Secret))
}

func TestWhoeverMayNotReadSecretsCanHaveThemRotated(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	user := n.user(t, "editor", "medblocks-webhook-operator-editor")
	n.bind(t, "editor", "medblocks-webhook-operator-viewer")

	is := invokeWith(t, user, "", "rotate", "patients", untilItIsOver, "--namespace="+n.namespace)
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
}

func TestAReconcileOfAllThatIsWellEndsWithZero(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.create(t, "records")
	n.awaitReady(t, "patients")
	n.awaitReady(t, "records")

	is := n.invoke(t, "reconcile", "--all", untilItIsOver)
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("patients: reconciled: the endpoint is registered and active"))
	g.Expect(is.out).To(ContainSubstring("records: reconciled: the endpoint is registered and active"))
}

func TestAReconcileOfAResourceThatIsNotReadyEndsWithThree(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	g.Expect(suite.emulator.Disable(t.Context(), n.endpoints(t)[0].ID)).To(Succeed())

	is := n.invoke(t, "reconcile", "patients", untilItIsOver)
	g.Expect(is.code).To(Equal(ExitUnhealthy), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("reconciled, and not Ready: DisabledManually: a person disabled the endpoint"))
}

func TestAPersonsDisableIsUndoneOnRequest(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	g.Expect(suite.emulator.Disable(t.Context(), n.endpoints(t)[0].ID)).To(Succeed())
	n.awaitCondition(t, "patients", v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonDisabledManually)

	is := n.invoke(t, "reenable", "patients", untilItIsOver)
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.err).To(ContainSubstring("patients: EnableEndpoint (ReenableRequested)\n"))
	g.Expect(is.out).To(Equal("patients: enabled: Medblocks delivers events to the endpoint\n"))
	g.Expect(n.endpoints(t)[0].Status).To(Equal("active"))

	again := n.invoke(t, "reenable", "patients", untilItIsOver)
	g.Expect(again.code).To(Equal(ExitOK), "%+v", again)
	g.Expect(again.out).To(ContainSubstring("it was enabled already"))
}

func TestAnEndpointThatMedblocksDisabledIsEnabledOnRequest(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	receiver := startHook(t, http.StatusServiceUnavailable)
	n.create(t, "patients", at(receiver.URL))
	n.autoDisable(t, "patients")
	receiver.answer(http.StatusNoContent)

	is := n.invoke(t, "reenable", "patients", untilItIsOver, "-o", "json")
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(requests(t, is)).To(HaveKeyWithValue("patients", And(
		HaveField("Outcome", outcomeDone), HaveField("Request", "Reenable"), HaveField("Token", Not(BeEmpty())),
	)))
	g.Expect(is.err).To(BeEmpty(), "progress is for people")
}

// Each has its own outcome, and the highest exit code wins.
func TestWhatWouldBeInVainIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "well")
	n.create(t, "suspended")
	n.create(t, "by-spec", disabledBySpec)
	for _, name := range []string{"well", "suspended", "by-spec"} {
		n.awaitReady(t, name)
	}
	n.change(t, "suspended", suspended)
	n.create(t, "watched", observing, func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: "wh_01M85857P72FZ8WGFNFQ076S8K", RotateSecret: true}
	})

	is := n.invoke(t, "reenable", "well", "suspended", "by-spec", "watched", "nobody", untilItIsOver, "-o", "yaml")
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("kind: RequestReport"))

	is = n.invoke(t, "reenable", "well", "suspended", "by-spec", "watched", "nobody", untilItIsOver, "-o", "json")
	refused := func(why string) any {
		return And(HaveField("Outcome", outcomeRefused), HaveField("Token", ""), HaveField("Message", ContainSubstring(why)))
	}
	g.Expect(requests(t, is)).To(And(
		HaveKeyWithValue("well", HaveField("Outcome", outcomeDone)),
		HaveKeyWithValue("suspended", refused("spec.suspend is true")),
		HaveKeyWithValue("by-spec", refused("spec.state is Disabled")),
		HaveKeyWithValue("watched", refused("managementPolicy is Observe")),
		HaveKeyWithValue("nobody", And(HaveField("Outcome", outcomeFailed), HaveField("Message", ContainSubstring("there is no MedblocksWebhookEndpoint")))),
	))
	g.Expect(n.get(t, "suspended").Annotations).NotTo(HaveKey(v1alpha1.AnnotationReenableRequestedAt), "a refused request is not made")
}

func TestARequestThatTheOperatorCannotServeSaysWhy(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	secret := n.secret(t, keySecretName)
	secret.Data[v1alpha1.DefaultAPIKeySecretKey] = []byte(n.apiKey + "other")
	g.Expect(suite.api.Update(t.Context(), secret)).To(Succeed())
	n.awaitCondition(t, "patients", v1alpha1.ConditionSynced, metav1.ConditionFalse, v1alpha1.ReasonWorkspaceChanged)

	for _, verb := range []string{"rotate", "reenable"} {
		is := n.invoke(t, verb, "patients", untilItIsOver)
		g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
		g.Expect(is.out).To(ContainSubstring("the operator cannot do it: WorkspaceChanged: "))
	}
	g.Expect(n.get(t, "patients").Status.LastHandledRotateSecretAt).To(BeEmpty())
}

// unwatched is a resource that no operator here looks at.
func unwatched(e *v1alpha1.MedblocksWebhookEndpoint) {
	e.Labels = map[string]string{"operator": "none"}
}

func TestWhereNoOperatorAnswersOneIsToldHowToFindOutWhy(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched)

	is := n.invoke(t, "reconcile", "patients", "--timeout=2s")
	g.Expect(is.code).To(Equal(ExitTimeout), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("no operator has answered within 2s. The request stands"))
	g.Expect(is.out).To(And(ContainSubstring("The operator works"), ContainSubstring("--watch-namespaces"), ContainSubstring("--watch-label-selector")))
	g.Expect(n.get(t, "patients").Annotations).To(HaveKey(v1alpha1.AnnotationReconcileRequestedAt))

	is = n.invoke(t, "reconcile", "patients", "--timeout=2s", "--operator-namespace=default")
	g.Expect(is.out).To(ContainSubstring("There is no operator in namespace default"))
}

func TestWithoutWaitingTheRequestIsMadeAndStands(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched)

	is := n.invoke(t, "reconcile", "patients", "--wait=false", "-o", "json")
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	made := requests(t, is)["patients"]
	g.Expect(made.Outcome).To(Equal(outcomeRequested))
	g.Expect(n.get(t, "patients").Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationReconcileRequestedAt, made.Token))
}

// running is an invocation of the plugin that has not ended yet.
type running struct {
	out, errOut buffer
	cancel      context.CancelFunc
	ended       chan int
}

// start begins an invocation.
func (n *tenant) start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r := &running{cancel: cancel, ended: make(chan int, 1)}
	args = append(args, "--namespace="+n.namespace, "--kubeconfig="+suite.plane.AdminKubeconfig())
	go func() {
		r.ended <- Run(ctx, args, genericiooptions.IOStreams{In: strings.NewReader(""), Out: &r.out, ErrOut: &r.errOut})
	}()
	return r
}

// awaitLine waits until people were told that.
func (r *running) awaitLine(t *testing.T, line string) {
	t.Helper()
	NewWithT(t).Eventually(r.errOut.String).WithTimeout(patience).Should(ContainSubstring(line))
}

// await waits for the end.
func (r *running) await(t *testing.T) outcome {
	t.Helper()
	var code int
	NewWithT(t).Eventually(r.ended).WithTimeout(patience).Should(Receive(&code))
	return outcome{code: code, out: r.out.String(), err: r.errOut.String()}
}

// interrupt ends it as Ctrl-C does.
func (r *running) interrupt(t *testing.T) outcome {
	t.Helper()
	r.cancel()
	return r.await(t)
}

// buffer may be read while somebody writes to it.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestAnInterruptSaysThatTheRequestStands(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched)

	r := n.start(t, "reconcile", "patients")
	r.awaitLine(t, "asked the operator")
	is := r.interrupt(t)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("interrupted; the request stands"))
}

func TestSomebodyElsesRequestForTheSameServesBoth(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(t, "patients", unwatched)

	r := n.start(t, "reconcile", "patients")
	r.awaitLine(t, "asked the operator")
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Annotations[v1alpha1.AnnotationReconcileRequestedAt] = "another"
	})
	r.awaitLine(t, "one answer serves both")
	r.interrupt(t)
}

func TestARequestThatIsTakenBackIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched)

	r := n.start(t, "reconcile", "patients")
	r.awaitLine(t, "asked the operator")
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Annotations = nil })
	is := r.await(t)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("somebody has removed the annotation"))
}

func TestAResourceThatGoesMeanwhileIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched)

	r := n.start(t, "reconcile", "patients")
	r.awaitLine(t, "asked the operator")
	g.Expect(suite.api.Delete(t.Context(), n.get(t, "patients"))).To(Succeed())
	is := r.await(t)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("it was deleted meanwhile"))
}

// pretend writes a status as an operator would.
func (n *tenant) pretend(t *testing.T, name string, change tweak) {
	t.Helper()
	resource := n.get(t, name)
	before := resource.DeepCopy()
	change(resource)
	NewWithT(t).Expect(suite.api.Status().Patch(t.Context(), resource, client.MergeFrom(before))).To(Succeed())
}

// An operator that says so and has not done it would leave receivers with a secret that was to be replaced.
func TestARotationIsBelievedOnceTheSecretShowsIt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched)
	g.Expect(suite.api.Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: n.namespace, Name: "patients-signing-secret", Annotations: map[string]string{v1alpha1.AnnotationSecretGeneration: "a-nonce"},
	}})).To(Succeed())
	n.pretend(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Status = judged(unseen).Status
		for i := range e.Status.Conditions {
			e.Status.Conditions[i].LastTransitionTime = metav1.NewTime(now)
		}
	})

	r := n.start(t, "rotate", "patients", untilItIsOver)
	r.awaitLine(t, "asked for a new signing secret")
	n.pretend(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Status.LastHandledRotateSecretAt = e.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt]
	})
	is := r.await(t)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(ContainSubstring(`Secret "patients-signing-secret" still holds the one from before`))
}

func TestNothingIsTakenForAllByOmission(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	for _, args := range [][]string{
		{"reconcile"}, {"rotate"}, {"reenable"}, {"release", "--yes"}, {"reconcile", "patients", "--all"}, {"reconcile", "patients", "-A"}, {"rotate", "--all"}, {"release", "patients", "--dry-run=perhaps"},
	} {
		g.Expect(invoke(t, args...).code).To(Equal(ExitUsage), "%q", args)
	}
}
