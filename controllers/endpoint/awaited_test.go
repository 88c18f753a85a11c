// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"
)

// TestWhatNobodyWaitsForAnyMoreIsNotSent: whoever finds what announced a call waits for the API timeout. A process that was paused
// after announcing it, for longer than that, may have been replaced, and its call would come on top of the successor's.
func TestWhatNobodyWaitsForAnyMoreIsNotSent(t *testing.T) {
	for name, is := range map[string]struct {
		paused time.Duration
		stale  bool
	}{
		"at once":                  {},
		"just in time":             {paused: time.Minute - time.Second},
		"when nobody waits for it": {paused: time.Minute, stale: true},
		"much later":               {paused: time.Hour, stale: true},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			clock := clocktesting.NewFakeClock(testTime)
			r := &Reconciler{Clock: clock, APITimeout: time.Minute}
			w := &work{announced: testTime}
			clock.Step(is.paused)
			ctx, cancel, err := r.whileAwaited(t.Context(), w)
			if is.stale {
				g.Expect(err).To(MatchError(errStale))
				return
			}
			g.Expect(err).NotTo(HaveOccurred())
			defer cancel()
			deadline, _ := ctx.Deadline()
			g.Expect(time.Until(deadline)).To(BeNumerically("~", time.Minute-is.paused, 5*time.Second))
		})
	}
}
