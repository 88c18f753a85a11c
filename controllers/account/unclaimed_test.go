// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// witness notes what it is told.
type witness struct {
	mu    sync.Mutex
	swept [][]Marked
}

func (w *witness) Swept(_ context.Context, _ *Account, unclaimed []Marked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.swept = append(w.swept, unclaimed)
}

func (w *witness) Abandoned(string) {}

func (w *witness) told() [][]Marked {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.swept
}

func TestAfterEachFullListTheWitnessLearnsWhatNobodyClaims(t *testing.T) {
	r, w := newRig(t), &witness{}
	r.poller.opts.Witness = w
	lost := Resource{Namespace: "shop", Name: "lost"}
	r.register(r.who) // a user's own
	stranger := Resource{Namespace: "shop", Name: "renamed"}
	r.account.Track(r.who, r.register(stranger)) // tracked by its id
	nobodys := r.register(lost)
	r.register(Resource{Namespace: "x", Name: "y/z"}) // no resource can have this name
	r.start(t)
	r.Eventually(w.told).WithTimeout(10 * time.Second).Should(HaveLen(1))
	r.Expect(w.told()[0]).To(Equal([]Marked{{ID: nobodys, Owner: lost}}))

	r.clock.Step(r.poller.opts.DisabledPollInterval * 2)
	r.settle(2)
	r.Expect(w.told()).To(HaveLen(1), "a partial list proves nothing")
}
