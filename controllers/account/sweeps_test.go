// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"testing"
	"time"

	"github.com/medblocks/webhook-operator/test/emulator"

	. "github.com/onsi/gomega"
)

func TestTheTimeOfASweepIsThatOfItsBeginningAndAFailedOneDoesNotCount(t *testing.T) {
	r := newRig(t)
	r.Expect(r.account.sweeps.at(sweepFull)).To(BeZero(), "not yet")
	r.start(t)
	r.Expect(r.account.sweeps.at(sweepFull)).To(Equal(testTime))
	r.Expect(r.account.sweeps.at(sweepDisabled)).To(BeZero())

	r.clock.Step(34 * time.Second)
	r.settle(2)
	swept := r.clock.Now()
	r.Eventually(func() time.Time { return r.account.sweeps.at(sweepDisabled) }).Should(Equal(swept))
	r.Expect(r.account.sweeps.at(sweepFull)).To(Equal(testTime))

	r.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationListEndpoints, Kind: emulator.FaultStatus, Status: 500, Times: -1})
	r.clock.Step(34 * time.Second)
	r.settle(3)
	r.clock.Step(5 * time.Minute)
	r.Eventually(r.lists).Should(BeNumerically(">=", 4))
	r.Eventually(r.clock.HasWaiters).Should(BeTrue())
	r.Expect(r.account.sweeps.at(sweepDisabled)).To(Equal(swept))
	r.Expect(r.account.sweeps.at(sweepFull)).To(Equal(testTime))
}
