// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// newClock returns a clock that runs with real time and can be put forward with Step. What waits for it wakes up then,
// however long it had to wait.
func newClock(t *testing.T) *clocktesting.FakeClock {
	clk := clocktesting.NewFakeClock(time.Now())
	ticker := time.NewTicker(10 * time.Millisecond)
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		last := time.Now()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				now := time.Now()
				clk.Step(now.Sub(last))
				last = now
			}
		}
	}()
	t.Cleanup(func() {
		ticker.Stop()
		close(done)
		<-stopped
	})
	return clk
}
