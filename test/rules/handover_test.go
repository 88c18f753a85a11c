// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// The first operator is paused in the middle of its POST, for longer than its lease and than any call may take. A second one
// takes over and finishes. Then the first one wakes up, and goes on with what it was about to do.
func TestAnOperatorThatWakesUpInTheMiddleOfItsPostLeavesOneEndpoint(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]struct {
		afterEffect bool
		// noticed: the first operator is ended at once, as when it notices that its lease is lost. Else it goes on.
		noticed bool
	}{
		"before the POST was sent, and ends soon":   {false, true},
		"before the POST was sent, and goes on":     {false, false},
		"before the answer was read, and ends soon": {true, true},
		"before the answer was read, and goes on":   {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := lab.NewWorld(t)
			first := w.Start()
			paused := pauseAt(first, http.MethodPost, "/webhooks", at.afterEffect)
			w.Create(w.Manifest(hooks))
			w.Eventually(paused.reached).Should(BeClosed())

			w.Start()
			w.Expect(w.Settle()).To(BeTrue())
			w.Expect(w.Owned(hooks)).To(HaveLen(1))
			w.CheckInvariants()

			first.Resume()
			close(paused.resume)
			if at.noticed {
				w.Eventually(posts(w)).Should(Equal(map[bool]int{true: 1, false: 2}[at.afterEffect]))
				first.Kill()
			}
			w.Expect(w.Settle()).To(BeTrue())
			w.Expect(w.Owned(hooks)).To(HaveLen(1))
			w.CheckInvariants()
		})
	}
}

// posts counts the registrations that Medblocks has seen.
func posts(w *lab.World) func() int {
	return func() int {
		count := 0
		for _, call := range w.Vendor.Calls() {
			if call.Operation == emulator.OperationCreateEndpoint {
				count++
			}
		}
		return count
	}
}
