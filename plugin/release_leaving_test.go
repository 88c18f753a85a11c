// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"testing"

	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestAnEndpointWhoseDeletionPolicyWasSetBackIsInDoubt(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", finalizedByOthers)
	n.awaitReady(t, "patients")
	id := n.get(t, "patients").Status.EndpointID
	n.change(t, "patients", unwatched)

	r := n.start(t, "release", "patients", "--yes")
	r.awaitLine(t, "patients: is being deleted")
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.DeletionPolicy = "" })
	r.awaitLine(t, "it is set to Orphan again")
	g.Eventually(func() bool { return n.get(t, "patients").OrphansEndpoint() }).WithTimeout(patience).Should(BeTrue())
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Finalizers = nil })
	is := r.await(t)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(ContainSubstring("for a while it was being deleted together with them. See at Medblocks whether " + id))
	g.Expect(n.endpoints(t)).To(HaveLen(1), "it was not, but nobody can know that")
}

// Between the look at a resource and its deletion, too.
func TestNoResourceIsDeletedWhoseDeletionPolicyWasSetBackUnseen(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", unwatched, func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.DeletionPolicy = v1alpha1.DeletionOrphan })
	seen := n.get(t, "patients")
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.DeletionPolicy = "" })

	r := &releaser{s: newSession(genericiooptions.NewTestIOStreamsDiscard()), api: suite.api, all: []*leaving{newLeaving(seen)}}
	g.Expect(r.orphan(t.Context(), r.all[0])).To(Succeed())
	g.Expect(n.get(t, "patients").OrphansEndpoint()).To(BeTrue())
	g.Expect(r.all[0].inDoubt).To(BeFalse(), "it was not being deleted")

	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.DeletionPolicy = "" })
	g.Expect(apierrors.IsConflict(r.delete(t.Context(), r.all[0]))).To(BeTrue(), "it is not as it was seen any more")
	r.letGo(t.Context())
	g.Expect(r.all[0].fate.Outcome).To(Equal(outcomePlanned), r.all[0].fate.Message)
	g.Expect(r.all[0].inDoubt).To(BeFalse())
	n.expectGone(t, "patients")
}

func TestAnEndpointWhoseDeletionHadBegunIsNotSaidToStay(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "patients", finalizedByOthers)
	n.awaitReady(t, "patients")
	id := n.get(t, "patients").Status.EndpointID
	n.delete(t, "patients")
	g.Eventually(func() []string { return n.get(t, "patients").Finalizers }).WithTimeout(patience).Should(ConsistOf(othersFinalizer))

	is := n.invoke(t, "release", "patients", "--yes", "--timeout=1s")
	g.Expect(is.code).To(Equal(ExitTimeout), "%+v", is)
	g.Expect(n.get(t, "patients").OrphansEndpoint()).To(BeTrue())
	r := n.start(t, "release", "patients", "--yes", untilItIsOver) // it knows what the first one has seen
	r.awaitLine(t, "it is being deleted already, and the endpoint with it")
	n.change(t, "patients", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Finalizers = nil })
	is = r.await(t)
	g.Expect(is.code).To(Equal(ExitFailed), "%+v", is)
	g.Expect(is.out).To(And(ContainSubstring("See at Medblocks whether "+id+" is still there"), Not(ContainSubstring("stays"))))
	g.Expect(n.endpoints(t)).To(BeEmpty())
}

// It was deleted by somebody else, before anything was written.
func TestAnEndpointWhoseResourceIsGoneBeforeTheReleaseIsNotSaidToStay(t *testing.T) {
	for name, c := range map[string]struct {
		res  *v1alpha1.MedblocksWebhookEndpoint
		want string
	}{
		"deleted with its endpoint":    {judged(withoutSecret), outcomeFailed},
		"deleted without its endpoint": {judged(withoutSecret, func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }), outcomeDone},
		"there was no endpoint":        {judged(withoutSecret, unregistered), outcomeDone},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLeaving(c.res)
			(&releaser{s: newSession(genericiooptions.NewTestIOStreamsDiscard())}).done(t.Context(), l)
			NewWithT(t).Expect(l.fate.Outcome).To(Equal(c.want), l.fate.Message)
		})
	}
}

func withoutSecret(e *v1alpha1.MedblocksWebhookEndpoint) { e.Status.SigningSecret = nil }
