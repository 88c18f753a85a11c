// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/receiver"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	rotations = 3
	// fireInterval is the pause between two events.
	fireInterval = 20 * time.Millisecond
	// mountDelay is how much later than the Secret the receiver's files change.
	mountDelay = 500 * time.Millisecond
)

// TestNoDeliveryIsRefusedWhileTheSecretIsRotated: Medblocks signs with a new secret at once, and the receiver's files follow later.
// A rotation that takes so long that a delivery may have waited in vain proves nothing on a machine that is too busy, and is made
// again; a delivery that is refused in any other is an error.
func TestNoDeliveryIsRefusedWhileTheSecretIsRotated(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	hook := startReceiver(t, n, "rotated", mountDelay)
	n.create(t, "rotated", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.URL = hook.WebhookURL })
	n.awaitReady(t, "rotated")

	events := n.keepFiring(t)
	fast := n.expectNoneRefused(t, hook, events, func() {}) // the first ones come before there is any secret
	for made, counted := 0, 0; counted < rotations; made++ {
		g.Expect(made).To(BeNumerically("<", 3*rotations), "rotations that were fast enough: %d", counted)
		before := countsOf(t, hook)
		if !n.expectNoneRefused(t, hook, events, func() { n.rotate(t, strconv.Itoa(made)) }) {
			fast = false
			continue
		}
		g.Expect(countsOf(t, hook).Waited).To(BeNumerically(">", before.Waited), "some came before the files of rotation %d", made)
		counted++
	}

	fired := events.stop()
	g.Eventually(func() map[string]bool { return n.delivered(t) }).WithTimeout(patience).WithPolling(often).Should(HaveLen(len(fired)))
	report, err := hook.Report(t.Context())
	g.Expect(err).NotTo(HaveOccurred())
	t.Logf("%d events: %+v", len(fired), report.Counts)
	g.Expect(report.Counts.Accepted).To(Equal(len(fired)), "each event is handled once")
	handled := map[string]bool{}
	for _, e := range report.Events {
		g.Expect(handled).NotTo(HaveKey(e.ID))
		handled[e.ID] = true
	}
	if fast {
		g.Expect(n.deliveries(t)).To(And(HaveLen(len(fired)), HaveEach(HaveField("StatusCode", http.StatusOK))))
	}
	n.awaitReady(t, "rotated")
}

// rotate has the secret rotated, and waits until the new one is in the Secret.
func (n *tenant) rotate(t *testing.T, token string) {
	t.Helper()
	old := n.signingSecret(t, "rotated")
	n.change(t, "rotated", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Annotations = map[string]string{v1alpha1.AnnotationRotateSecretRequestedAt: token}
	})
	NewWithT(t).Eventually(func() string { return n.signingSecret(t, "rotated") }).WithTimeout(patience).WithPolling(often).ShouldNot(Equal(old))
}

// expectNoneRefused lets something happen, waits until the receiver has the secret that is in force then and all events fired so
// far, and checks that no delivery was refused meanwhile. It is false if all that has taken so long that one may have been.
func (n *tenant) expectNoneRefused(t *testing.T, hook *stack.Receiver, events *stream, happen func()) bool {
	t.Helper()
	g := NewWithT(t)
	start := time.Now()
	happen()
	g.Eventually(func(g Gomega) {
		secrets, err := event.SecretsFromDir(hook.SecretsDir).WebhookSecrets(t.Context())
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(secrets[0]).To(And(Equal(n.endpoint(t).Secret), Equal(n.signingSecret(t, "rotated"))))
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
	fired := events.fired()
	g.Eventually(func(g Gomega) {
		delivered := n.delivered(t)
		for _, id := range fired {
			g.Expect(delivered).To(HaveKey(id))
		}
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
	if took := time.Since(start); took >= event.DefaultSecretsWait {
		t.Logf("it took %s: that proves nothing", took)
		return false
	}
	for _, d := range n.deliveries(t) {
		if d.At.After(start) {
			g.Expect(d.StatusCode).To(Equal(http.StatusOK), "%+v", d)
		}
	}
	return true
}

// deliveries are the attempts to deliver an event to the tenant's endpoint.
func (n *tenant) deliveries(t *testing.T) []emulator.Delivery {
	t.Helper()
	deliveries, err := suite.emulator.DeliveriesTo(t.Context(), n.endpoint(t).ID)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return deliveries
}

// delivered are the ids of the events that the receiver has accepted.
func (n *tenant) delivered(t *testing.T) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for _, d := range n.deliveries(t) {
		if d.StatusCode == http.StatusOK {
			ids[d.EventID] = true
		}
	}
	return ids
}

func countsOf(t *testing.T, hook *stack.Receiver) receiver.Counts {
	t.Helper()
	report, err := hook.Report(t.Context())
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return report.Counts
}

// stream fires one event after another.
type stream struct {
	mu   sync.Mutex
	ids  []string
	stop func() []string // ends it and returns the ids of all events
}

// fired are the ids so far.
func (s *stream) fired() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.ids...)
}

func (n *tenant) keepFiring(t *testing.T) *stream {
	t.Helper()
	s, end := &stream{}, make(chan struct{})
	var done sync.WaitGroup
	s.stop = sync.OnceValue(func() []string {
		close(end)
		done.Wait()
		return s.fired()
	})
	t.Cleanup(func() { s.stop() })
	done.Go(func() {
		ticker := time.NewTicker(fireInterval)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
			}
			fired, err := suite.emulator.Fire(t.Context(), n.apiKey, string(event.TypeRecordsSyncCompleted))
			if err != nil || len(fired) != 1 {
				t.Errorf("fired %v: %v", fired, err)
				return
			}
			s.mu.Lock()
			s.ids = append(s.ids, fired[0].ID)
			s.mu.Unlock()
		}
	})
	return s
}
