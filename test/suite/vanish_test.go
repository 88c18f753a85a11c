// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestAnEndpointThatWasDeletedAtMedblocksIsRegisteredAgainWithAWarning(t *testing.T) {
	w := newWorld(t)
	old := w.createReady(hooks, full).Status.EndpointID
	w.settle()
	w.forget()
	w.Expect(w.vendor.RemoveEndpoint(old)).To(Succeed())
	w.Eventually(func() string { return w.get(hooks).Status.EndpointID }).ShouldNot(Equal(old))
	res := w.untilReady(hooks)
	w.settle()

	w.Expect(operationsOf(w.calls())).To(Equal([]string{"GetEndpoint", "CreateEndpoint"}), "gone is a complete list and a 404")
	w.Expect(w.kube.resourceWrites()).To(HaveLen(2))
	w.untilEvent("Warning Reregistered: Endpoint " + old + " was deleted at Medblocks; registered " + res.Status.EndpointID)
	w.Expect(res.Status.History[len(res.Status.History)-1].Trigger).To(Equal("EndpointGone"))
	w.Expect(w.secret(signing).Data).To(HaveKey(v1alpha1.SecretKeyPrevious), "deliveries in flight may still carry the old signature")
}

func TestAnEndpointMissingFromAListButNotGoneIsNotRegisteredAgain(t *testing.T) {
	for name, fault := range map[string]emulator.Fault{
		"a page that claims to be the last":  {Kind: emulator.FaultShortPage},
		"a list that breaks off":             {Kind: emulator.FaultTruncatedPage},
		"a list that fails half-way":         {Kind: emulator.FaultPartialPage},
		"a list that never ends":             {Kind: emulator.FaultRepeatedCursor},
		"a list whose next page has no name": {Kind: emulator.FaultNoCursor},
		"an item without an id":              {Kind: emulator.FaultNoID},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			before := w.createReady(hooks)
			w.settle()
			w.forget()
			w.fail(emulator.OperationListEndpoints, fault)
			w.Eventually(func() int { return len(w.calls(emulator.OperationListEndpoints)) }).Should(BeNumerically(">=", 8))
			w.vendor.ClearFaults()
			w.settle()
			w.Expect(writes(w.calls())).To(BeEmpty())
			w.Expect(w.get(hooks).Status.EndpointID).To(Equal(before.Status.EndpointID))
		})
	}
}

// crowd registers several resources; slowly swept, so that a test decides when the next list comes.
func crowd(t *testing.T) (w *world, names []string) {
	t.Helper()
	w = newWorld(t, func(s *setup) {
		s.operator.pollInterval = 20 * time.Minute
	})
	for i := range 4 {
		names = append(names, fmt.Sprintf("hooks-%d", i))
		w.create(names[i])
	}
	for _, name := range names {
		w.untilReady(name)
	}
	w.nextSweep() // the first one may have been asked for
	w.nextSweep()
	w.forget()
	return w, names
}

// nextSweep puts the clock forward to the next complete list.
func (w *world) nextSweep() {
	w.t.Helper()
	before := w.fullLists()
	w.clock.Step(w.options.pollInterval * 11 / 10)
	w.Eventually(w.fullLists).Should(BeNumerically(">", before))
}

func TestWhenManyEndpointsVanishAtOnceNothingIsRegisteredUntilALaterListConfirmsIt(t *testing.T) {
	w, names := crowd(t)
	for _, name := range names {
		w.Expect(w.vendor.RemoveEndpoint(w.get(name).Status.EndpointID)).To(Succeed())
	}
	w.clock.Step(w.options.pollInterval * 11 / 10)
	for _, name := range names {
		w.until(name, beWorking(v1alpha1.ReasonPending, "vanished from Medblocks together with many others", v1alpha1.AnnotationReregisterRequestedAt))
	}
	w.poke()
	w.poke()
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())

	w.clock.Step(w.options.pollInterval * 11 / 10)
	for _, name := range names {
		w.untilReady(name)
	}
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(len(names)))
}

func TestWhenManyEndpointsVanishAndComeBackNothingIsRegistered(t *testing.T) {
	w, names := crowd(t)
	ids := map[string]string{}
	for _, name := range names {
		ids[name] = w.get(name).Status.EndpointID
	}
	t.Log("The vendor takes the key for another workspace's.")
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, Workspace: "empty"})).To(Succeed())
	w.nextSweep()
	for _, name := range names {
		w.until(name, beWorking(v1alpha1.ReasonPending))
	}
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, Workspace: workspace})).To(Succeed())
	w.nextSweep()
	w.nextSweep()
	for _, name := range names {
		w.Expect(w.untilReady(name).Status.EndpointID).To(Equal(ids[name]))
	}
	w.Expect(writes(w.calls())).To(BeEmpty())
}

func TestAPersonConfirmsThatAVanishedEndpointIsGone(t *testing.T) {
	w, names := crowd(t)
	for _, name := range names {
		w.Expect(w.vendor.RemoveEndpoint(w.get(name).Status.EndpointID)).To(Succeed())
	}
	w.clock.Step(w.options.pollInterval * 11 / 10)
	for _, name := range names {
		w.until(name, beWorking(v1alpha1.ReasonPending))
	}
	w.annotate(names[0], v1alpha1.AnnotationReregisterRequestedAt, "yes")
	res := w.untilReady(names[0])
	w.Expect(res.Status.LastHandledReregisterAt).To(Equal("yes"))
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(1))
	w.until(names[1], beWorking(v1alpha1.ReasonPending))
}
