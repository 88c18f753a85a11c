// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestWhoEnablesAndDisablesAnEndpointThatMedblocksHadDisabledIsRespected(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.operator.pollInterval = 24 * time.Hour }) // so that nobody sees it active in between
	w.createReady(hooks, always(time.Hour, 3))
	w.exhaust(hooks, ptr.To(500))
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled))
	id := w.get(hooks).Status.EndpointID
	w.Expect(w.vendor.EnableEndpoint(id)).To(Succeed())
	w.Expect(w.vendor.DisableEndpoint(id)).To(Succeed())
	w.untilDue(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.Expect(w.enables()).To(BeZero())
}

func TestAnAttemptWhoseOutcomeNobodySawDoesNotUndoAPersonsDisable(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 3))
	w.exhaust(hooks, ptr.To(500))
	w.until(hooks, beWorking(v1alpha1.ReasonAutoDisabled))
	id := w.get(hooks).Status.EndpointID
	var once sync.Once
	w.vendor.SetHook(func(call emulator.HookCall) error {
		if call.Operation == emulator.OperationUpdateEndpoint && call.Phase == emulator.PhaseAfterEffect {
			once.Do(func() { _ = w.vendor.DisableEndpoint(id) }) // a person, who sees at once that the receiver is still down
			return errors.New("the answer is lost")
		}
		return nil
	})
	w.untilDue(hooks)
	w.Eventually(w.enables).Should(Equal(1))

	t.Log("The next attempt finds out.")
	w.untilDue(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.advance(24 * time.Hour)
	w.settle()
	w.Expect(w.enables()).To(Equal(1))
}

func TestEventsThatAPersonHasRedeliveredOftenDoNotExplainTheirDisable(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks, always(time.Hour, 3))
	id := w.get(hooks).Status.EndpointID
	now := w.clock.Now()
	_, err := w.vendor.AddEvent(w.key, emulator.EventRecord{WebhookEndpointID: id, Attempts: 11, CreatedAt: now.Add(-3 * time.Hour), LastRedeliveredAt: &now})
	w.Expect(err).NotTo(HaveOccurred())
	w.disableByHand(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonDisabledManually))
	w.advance(24 * time.Hour)
	w.settle()
	w.Expect(w.enables()).To(BeZero())
}

func TestARedeliveryEndsWithTheResourceEvenIfTheDeletionCannotEnd(t *testing.T) {
	w := newWorld(t, probesLoopback)
	receiver := w.newSite(http.StatusOK)
	w.createReady(hooks, receiver.whenHealthy(redelivered, whateverItSays))
	w.miss(hooks, 200)
	w.exhaust(hooks, nil)
	w.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationRedeliverEvent, Kind: emulator.FaultDelay, Times: -1, Delay: 100 * time.Millisecond})
	w.untilDue(hooks)
	w.Eventually(receiver.delivered).Should(BeNumerically(">", 3))
	w.fail(emulator.OperationDeleteEndpoint, emulator.Fault{Kind: emulator.FaultUnavailable})
	w.delete(hooks)
	w.Eventually(func() []emulator.Call { return w.calls(emulator.OperationDeleteEndpoint) }).ShouldNot(BeEmpty())
	sent := len(w.redeliveries())
	w.advance(time.Minute)
	w.settle()
	w.Expect(len(w.redeliveries())).To(BeNumerically("<=", sent+1), "one may have been under way")
	w.vendor.ClearFaults()
	w.untilGone(hooks)
}
