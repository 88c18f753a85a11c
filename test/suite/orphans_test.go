// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// other is a second resource, so that the account stays in use.
const other = "other"

// namespaceEvents are the notes of the events on the Namespace itself.
func (w *world) namespaceEvents() []string {
	w.t.Helper()
	list := &eventsv1.EventList{}
	w.Expect(shared.admin.List(w.context(), list, client.InNamespace(metav1.NamespaceDefault))).To(Succeed())
	notes := []string{}
	for _, event := range list.Items {
		if event.Regarding.Kind == "Namespace" && event.Regarding.Name == w.namespace {
			notes = append(notes, event.Note)
		}
	}
	return notes
}

// orphans is what the metric says about the test's namespace; -1: it has no series.
func (w *world) orphans() float64 {
	w.t.Helper()
	for _, series := range w.metric("orphaned_endpoints") {
		if series.GetLabel()[0].GetValue() == w.namespace {
			return series.GetGauge().GetValue()
		}
	}
	return -1
}

// releases counts the deletions that any operator of this process has finished without deleting the endpoint.
func (w *world) releases() float64 {
	w.t.Helper()
	total := 0.0
	for _, series := range w.metric("released_deletions_total") {
		total += series.GetCounter().GetValue()
	}
	return total
}

func (w *world) metric(name string) []*dto.Metric {
	w.t.Helper()
	families, err := metrics.Registry.Gather()
	w.Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		if family.GetName() == "medblocks_webhook_operator_"+name {
			return family.GetMetric()
		}
	}
	return nil
}

// reported counts the log lines about orphans.
func (w *world) reported() int { return strings.Count(w.logs.String(), "Found an orphaned endpoint") }

// strip deletes a resource and takes its finalizer away before the operator can finish, as impatient people do. It returns
// the endpoint that was left behind.
func (w *world) strip(name string) emulator.EndpointWithSecret {
	w.t.Helper()
	left := w.remote(name)
	w.fail(emulator.OperationDeleteEndpoint, emulator.Fault{Kind: emulator.FaultUnavailable})
	w.delete(name)
	w.Eventually(func() []emulator.Call { return w.calls(emulator.OperationDeleteEndpoint) }).ShouldNot(BeEmpty())
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))
	w.Expect(shared.admin.Patch(w.context(), w.manifest(name), patch)).To(Succeed())
	w.untilGone(name)
	// Until the operator has noticed, it may try once more to delete the endpoint, as it was asked to.
	w.Eventually(w.namespaceEvents).Should(ContainElement(ContainSubstring(left.ID)))
	w.vendor.ClearFaults()
	return left
}

func TestAnEndpointWhoseFinalizerWasStrippedIsReportedOnceAndResumedByItsResource(t *testing.T) {
	w := newWorld(t)
	w.createReady(other)
	w.createReady(hooks)
	left := w.strip(hooks)
	w.Eventually(w.namespaceEvents).Should(ConsistOf(ContainSubstring(left.ID + " at Medblocks is marked as belonging to MedblocksWebhookEndpoint " + w.namespace + "/" + hooks)))
	w.Eventually(w.orphans).Should(BeEquivalentTo(1))
	w.forget()
	w.settle()
	w.Expect(w.reported()).To(Equal(1))
	w.Expect(w.logs.String()).To(ContainSubstring(w.ownerMark(hooks)))
	w.Expect(w.calls()).To(BeEmpty(), "it is looked into once")
	w.Expect(w.vendor.Endpoint(left.ID)).To(Equal(left), "an orphan is reported and never touched")

	res := w.createReady(hooks)
	w.Expect(res.Status.EndpointID).To(Equal(left.ID))
	w.Eventually(w.orphans).Should(BeEquivalentTo(-1))
	w.Expect(w.reported()).To(Equal(1))
}

func TestAnOrphanOfTheLastResourceOfAnAccountIsReportedToo(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	left := w.strip(hooks)
	w.Eventually(w.namespaceEvents).Should(ConsistOf(ContainSubstring(left.ID)), "no sweep comes any more")
	w.untilQuiet()
	w.Expect(w.orphans()).To(BeEquivalentTo(-1), "nobody would notice that it is gone")
}

func TestAnOrphanOfATimeWithoutOperatorIsReportedByTheFirstSweep(t *testing.T) {
	w := newWorld(t)
	w.createReady(other)
	w.createReady(hooks)
	w.stopOperator()
	left := w.remote(hooks)
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Finalizers = nil })
	w.delete(hooks)
	w.untilGone(hooks)
	w.startOperator()
	w.Eventually(w.namespaceEvents).Should(ConsistOf(ContainSubstring(left.ID)))
	w.Eventually(w.orphans).Should(BeEquivalentTo(1))

	t.Log("Somebody deletes it at Medblocks.")
	w.Expect(w.vendor.RemoveEndpoint(left.ID)).To(Succeed())
	w.Eventually(w.orphans).Should(BeEquivalentTo(-1))
	w.deleteSecret(signing)
}

func TestAnEndpointThatWasReleasedIsAnOrphan(t *testing.T) {
	w := newWorld(t)
	w.createReady(other)
	id := w.createReady(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) {
		metav1.SetMetaDataAnnotation(&res.ObjectMeta, v1alpha1.AnnotationRelease, "true")
	}).Status.EndpointID
	w.delete(hooks)
	w.untilGone(hooks)
	w.Eventually(w.namespaceEvents).Should(ConsistOf(ContainSubstring(id)))
	w.Eventually(w.orphans).Should(BeEquivalentTo(1))
}

func TestAnEndpointWhoseResourceIsNotThisOperatorsIsNoOrphan(t *testing.T) {
	const shard = "example.com/shard"
	w := newWorld(t, func(s *setup) { s.idle = true })
	w.options.selector = labels.SelectorFromSet(labels.Set{shard: "a"})
	w.startOperator()
	w.createReady(other, func(res *v1alpha1.MedblocksWebhookEndpoint) { metav1.SetMetaDataLabel(&res.ObjectMeta, shard, "a") })
	w.create("elsewhere", func(res *v1alpha1.MedblocksWebhookEndpoint) { metav1.SetMetaDataLabel(&res.ObjectMeta, shard, "b") })
	for _, owner := range []string{
		w.ownerMark("elsewhere"),                        // another shard's
		clusterID + "/not-watched/" + hooks,             // another operator's, or nobody's: this one cannot tell
		"another-cluster/" + w.namespace + "/" + hooks,  // another cluster's
		clusterID + "-2/" + w.namespace + "/" + hooks,   // the same, with an id that begins alike
		clusterID + "/" + w.namespace + "/" + hooks[:1], // nobody's: so the sweep has looked at all of them
	} {
		_, err := w.vendor.AddEndpoint(w.key, emulator.Endpoint{Metadata: map[string]any{v1alpha1.MarkOwner: owner}})
		w.Expect(err).NotTo(HaveOccurred())
	}
	w.Eventually(w.orphans).Should(BeEquivalentTo(1))
	w.settle()
	w.Expect(w.reported()).To(Equal(1))
	w.Expect(w.namespaceEvents()).To(ConsistOf(ContainSubstring(w.namespace + "/" + hooks[:1] + ",")))
}

func TestWhatIsUnderWayIsNoOrphan(t *testing.T) {
	w := newWorld(t)
	w.createReady(other)
	w.createReady("suspended", func(*v1alpha1.MedblocksWebhookEndpoint) {})
	w.change("suspended", func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Suspend = true })
	w.until("suspended", have(v1alpha1.ConditionSynced, isUnknown, v1alpha1.ReasonSuspended))

	slow := emulator.Fault{Kind: emulator.FaultDelay, AfterEffect: true, Delay: time.Second}
	for _, operation := range []emulator.Operation{emulator.OperationCreateEndpoint, emulator.OperationDeleteEndpoint} {
		slow.Operation = operation
		w.vendor.InjectFault(slow)
	}
	w.create(hooks)
	w.Eventually(func() []emulator.EndpointWithSecret { return w.owned(hooks) }).Should(HaveLen(1))
	w.settle()
	w.untilReady(hooks)
	w.delete(hooks)
	w.untilGone(hooks)
	w.settle()
	w.Expect(w.reported()).To(BeZero())
	w.Expect(w.orphans()).To(BeEquivalentTo(-1))
	w.Expect(w.namespaceEvents()).To(BeEmpty())
}

func TestAListThatLagsBehindADeletionMakesNoOrphan(t *testing.T) {
	w := newWorld(t)
	w.createReady(other)
	w.createReady(hooks)
	w.settle()
	w.fail(emulator.OperationListEndpoints, emulator.Fault{Kind: emulator.FaultStaleList})
	w.delete(hooks)
	w.untilGone(hooks)
	w.settle()
	w.Expect(w.reported()).To(BeZero())
}

// TestAnEndpointThatMedblocksOnlyClaimsToHaveDeletedIsAnOrphan: that a DELETE is answered with 404 cannot be doubted at the time.
func TestAnEndpointThatMedblocksOnlyClaimsToHaveDeletedIsAnOrphan(t *testing.T) {
	w := newWorld(t)
	w.expects.leftBehind = true
	id := w.createReady(hooks).Status.EndpointID
	w.createReady("other")
	w.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationDeleteEndpoint, Kind: emulator.FaultStatus, Status: 404})
	w.delete(hooks)
	w.untilGone(hooks)
	w.Eventually(w.namespaceEvents).Should(ContainElement(And(ContainSubstring(id), ContainSubstring("does not exist"))))
}
