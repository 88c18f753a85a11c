// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"testing"
	"testing/synctest"

	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
)

func TestProbesAreCountedByTheirOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := counted(t)
		s := perform(t, inTurn(ok, failing, ok))
		s.Watch(orders, Target{})
		s.pass(3 * interval)
		s.Expect(s.probes()).To(HaveLen(4))
		after := counted(t)
		s.Expect(after[outcomeHealthy] - before[outcomeHealthy]).To(Equal(3.0))
		s.Expect(after[outcomeUnhealthy] - before[outcomeUnhealthy]).To(Equal(1.0))
	})
}

// counted are the values of the counter of probes. Tests do not run in parallel here.
func counted(t *testing.T) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	for _, label := range []string{outcomeHealthy, outcomeUnhealthy} {
		var value dto.Metric
		if err := probes.WithLabelValues(label).Write(&value); err != nil {
			t.Fatal(err)
		}
		values[label] = value.GetCounter().GetValue()
	}
	return values
}
