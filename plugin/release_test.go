// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// fatesIn reads what release has printed with -o json.
func fatesIn(t *testing.T, is outcome) map[string]fate {
	t.Helper()
	var result releaseReport
	NewWithT(t).Expect(json.Unmarshal([]byte(is.out), &result)).To(Succeed(), "%+v", is)
	found := map[string]fate{}
	for _, item := range result.Items {
		found[item.Name] = item
	}
	return found
}

func (n *tenant) expectGone(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		err := suite.api.Get(t.Context(), n.key(name), &v1alpha1.MedblocksWebhookEndpoint{})
		NewWithT(t).Expect(apierrors.IsNotFound(err)).To(BeTrue(), "%s: %v", name, err)
	}
}

func TestAReleaseLeavesEndpointsAndTheirSecrets(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.create(t, "records")
	n.awaitReady(t, "patients")
	n.awaitReady(t, "records")
	before := n.secret(t, "patients-signing-secret").Data
	endpoints := n.endpoints(t)

	is := n.invoke(t, "release", "--all", "--yes", untilItIsOver)

	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.err).To(ContainSubstring("This deletes 2 resources from the cluster, and nothing at Medblocks"))
	g.Expect(is.out).To(And(
		HavePrefix("2 endpoints stay at Medblocks, with their Secrets:\n"),
		ContainSubstring(endpoints[0].ID), ContainSubstring(endpoints[1].ID),
		ContainSubstring("Secret "+n.namespace+"/patients-signing-secret"), Not(ContainSubstring("marks")),
	))
	n.expectGone(t, "patients", "records")
	g.Expect(n.secret(t, "patients-signing-secret").Data).To(Equal(before))
	g.Expect(n.endpoints(t)).To(HaveLen(2))
	for _, endpoint := range n.endpoints(t) {
		g.Expect(endpoint.Status).To(Equal("active"))
		g.Expect(endpoint.Metadata).NotTo(HaveKey(HavePrefix(v1alpha1.MarkPrefix)))
	}

	again := n.invoke(t, "release", "--all", "--yes")
	g.Expect(again.code).To(Equal(ExitOK), "%+v", again)
	g.Expect(again.err).To(ContainSubstring("There is nothing to release."))
	named := n.invoke(t, "release", "patients", "--yes")
	g.Expect(named.code).To(Equal(ExitFailed), "it may be a slip of the pen")
	g.Expect(named.err).To(ContainSubstring(`there is no MedblocksWebhookEndpoint "patients"`))
}

func TestAReleaseCanBeLookedAtFirst(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	before := n.get(t, "patients")

	for _, how := range []string{"client", "server"} {
		is := n.invoke(t, "release", "patients", "--dry-run="+how)
		g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
		g.Expect(is.err).To(And(ContainSubstring(before.Status.EndpointID), ContainSubstring("Nothing was done (--dry-run="+how+").")))
		g.Expect(is.out).To(BeEmpty())
		g.Expect(n.get(t, "patients").ResourceVersion).To(Equal(before.ResourceVersion))
	}
	is := n.invoke(t, "release", "patients", "--dry-run", "-o", "json")
	g.Expect(fatesIn(t, is)).To(HaveKeyWithValue("patients", And(
		HaveField("EndpointID", before.Status.EndpointID), HaveField("Secret", "patients-signing-secret"), HaveField("Outcome", outcomePlanned),
	)))
}

func TestADryRunByTheServerFindsAMissingPermission(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	viewer := n.user(t, "viewer", "medblocks-webhook-operator-viewer")

	is := invokeWith(t, viewer, "", "release", "patients", "--dry-run=server", "--namespace="+n.namespace)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(And(ContainSubstring("spec.deletionPolicy"), ContainSubstring("kubectl auth can-i patch")))
}

func TestNobodyIsAskedWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")

	is := invokeWith(t, suite.plane.AdminKubeconfig(), "yes\n", "release", "patients", "--namespace="+n.namespace)
	g.Expect(is.code).To(Equal(ExitUsage), "%+v", is)
	g.Expect(is.err).To(ContainSubstring("--yes"))
	g.Expect(n.get(t, "patients").DeletionTimestamp).To(BeNil())
}

// One that was begun by an earlier run, or by hand, is finished.
func TestAReleaseGoesOnWhereAnEarlierOneWasInterrupted(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", finalizedByOthers)
	n.create(t, "records", finalizedByOthers)
	n.awaitReady(t, "patients")
	n.awaitReady(t, "records")

	r := n.start(t, "release", "--all", "--yes")
	r.awaitLine(t, "records: is being deleted")
	is := r.interrupt(t)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("interrupted: run the same command again to go on"))

	r = n.start(t, "release", "--all", "--yes", untilItIsOver)
	r.awaitLine(t, "This deletes 2 resources")
	for _, name := range []string{"patients", "records"} {
		g.Eventually(func() []string { return n.get(t, name).Finalizers }).WithTimeout(patience).Should(ConsistOf(othersFinalizer))
		n.change(t, name, func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Finalizers = nil })
	}
	is = r.await(t)
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.out).To(HavePrefix("2 endpoints stay at Medblocks"))
	g.Expect(n.endpoints(t)).To(HaveLen(2))
}

const othersFinalizer = "example.com/others"

func finalizedByOthers(e *v1alpha1.MedblocksWebhookEndpoint) {
	e.Finalizers = []string{othersFinalizer}
}

// A GitOps tool does that while the operator cannot reach Medblocks.
func TestAReleaseIsNotUndoneByWhoSetsTheDeletionPolicyBack(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched, finalizedByOthers, func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Labels["kustomize.toolkit.fluxcd.io/name"], e.Labels["kustomize.toolkit.fluxcd.io/namespace"] = "apps", "flux-system"
	})

	r := n.start(t, "release", "patients", "--yes")
	r.awaitLine(t, "Flux (Kustomization flux-system/apps) applies it")
	r.awaitLine(t, "patients: is being deleted")
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.DeletionPolicy = "" })
	r.awaitLine(t, "it is set to Orphan again")
	g.Eventually(func() bool { return n.get(t, "patients").OrphansEndpoint() }).WithTimeout(patience).Should(BeTrue())
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Finalizers = nil })
	g.Expect(r.await(t).code).To(Equal(ExitOK))
}

func TestAReleaseThatTheOperatorDoesNotFinishCanBeForced(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	id := n.get(t, "patients").Status.EndpointID
	g.Expect(suite.emulator.Fault(t.Context(), map[string]any{"kind": "status", "status": 503, "operation": "*", "times": -1, "api_key": n.apiKey})).To(Succeed())

	is := n.invoke(t, "release", "patients", "--yes", "--timeout=3s")
	g.Expect(is.code).To(Equal(ExitTimeout), "%+v", is)
	g.Expect(is.out).To(And(ContainSubstring("still there after 3s"), Not(ContainSubstring("is registered and active")), ContainSubstring("--force")))
	g.Expect(n.get(t, "patients").OrphansEndpoint()).To(BeTrue())

	is = n.invoke(t, "release", "patients", "--yes", "--timeout=30s", "--force")
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	g.Expect(is.err).To(ContainSubstring("released without a call to Medblocks"))
	g.Expect(is.out).To(And(ContainSubstring("1 endpoint stays at Medblocks, with its Secret:\n  "+id), ContainSubstring("may keep the operator's marks")))
	n.expectGone(t, "patients")
	g.Expect(n.endpoints(t)[0].Metadata).To(HaveKey(v1alpha1.MarkOwner))
	n.secret(t, "patients-signing-secret")
}

func TestWhereNobodyFinishesAReleaseTheWayOutIsNamed(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched, finalizedByOthers)

	is := n.invoke(t, "release", "patients", "--yes", "--timeout=1s", "--force", "-o", "json")
	g.Expect(is.code).To(Equal(ExitTimeout), "%+v", is)
	g.Expect(fatesIn(t, is)["patients"].Message).To(ContainSubstring(`kubectl patch mwe patients -n ` + n.namespace + ` --type=merge -p '{"metadata":{"finalizers":null}}'`))
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Finalizers = nil })
}

func TestAWatchedResourceIsReleasedUnchanged(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients")
	n.awaitReady(t, "patients")
	n.change(t, "patients", observing)
	g.Eventually(func() []string { return n.get(t, "patients").Finalizers }).WithTimeout(patience).Should(BeEmpty())

	is := n.invoke(t, "release", "patients", "--yes", untilItIsOver)
	g.Expect(is.code).To(Equal(ExitOK), "%+v", is)
	n.expectGone(t, "patients")
	g.Expect(n.endpoints(t)).To(HaveLen(1))
	n.secret(t, "patients-signing-secret")
}

func TestWhatToMindBeforeARelease(t *testing.T) {
	for name, c := range map[string]struct {
		res   *v1alpha1.MedblocksWebhookEndpoint
		notes types.GomegaMatcher
	}{
		"nothing":                      {judged(), BeEmpty()},
		"no endpoint":                  {judged(unregistered), ConsistOf("it has no endpoint at Medblocks")},
		"a deletion that is under way": {judged(deleting), ConsistOf(HavePrefix("it is being deleted already, and the endpoint with it"))},
		"an orphaning that is under way": {judged(deleting, func(e *v1alpha1.MedblocksWebhookEndpoint) {
			e.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
		}), BeEmpty()},
		"no key": {judged(condition(v1alpha1.ConditionSynced, "False", v1alpha1.ReasonInvalidAPIKey, "")), ConsistOf(ContainSubstring("keeps the operator's marks"))},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(fateOf(c.res).Notes).To(c.notes)
		})
	}
}

func TestGitOpsToolsAreKnownByWhatTheyLeave(t *testing.T) {
	for want, c := range map[string]struct{ labels, annotations map[string]string }{
		"":                               {labels: map[string]string{"app.kubernetes.io/instance": "webhooks"}},
		"Flux (Kustomization flux/apps)": {labels: map[string]string{labelFluxKustomization: "apps", labelFluxKustomizationNamespace: "flux"}},
		"Flux (HelmRelease apps/hooks)":  {labels: map[string]string{labelFluxHelmRelease: "hooks", labelFluxHelmReleaseNamespace: "apps"}},
		"Argo CD (Application hooks)":    {annotations: map[string]string{annotationArgoCDTracking: "hooks:connect.medblocks.com/MedblocksWebhookEndpoint:team/patients"}},
		"Argo CD (Application others)":   {labels: map[string]string{labelArgoCDInstance: "others"}},
	} {
		NewWithT(t).Expect(appliedBy(&metav1.ObjectMeta{Labels: c.labels, Annotations: c.annotations})).To(Equal(want))
	}
}
