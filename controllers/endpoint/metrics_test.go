// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// counted is the value of a counter of this process. No other test of the package counts anything: none acts at Medblocks.
func counted(g Gomega, counter prometheus.Counter) float64 {
	var value dto.Metric
	g.Expect(counter.Write(&value)).To(Succeed())
	return value.GetCounter().GetValue()
}

func TestADisableIsCountedWhenItIsRecordedAndNeitherTwiceNorWhenItWasAskedFor(t *testing.T) {
	g := NewWithT(t)
	because := func(cause string) *v1alpha1.DisabledStatus { return &v1alpha1.DisabledStatus{Cause: cause} }
	const auto, bySpec = v1alpha1.ReasonAutoDisabled, v1alpha1.ReasonDisabledBySpec
	for _, test := range []struct {
		readOnly bool
		was, is  *v1alpha1.DisabledStatus
		counts   float64
	}{
		{is: because(auto), counts: 1},
		{was: because(auto), is: because(auto)},
		{was: because(auto)},
		{is: because(bySpec)},
		{readOnly: true, is: because(auto)},
		{},
	} {
		before := counted(g, disablesNoticed.WithLabelValues(auto)) + counted(g, disablesNoticed.WithLabelValues(bySpec))
		(&Reconciler{ReadOnly: test.readOnly}).countDisable(test.was, test.is)
		after := counted(g, disablesNoticed.WithLabelValues(auto)) + counted(g, disablesNoticed.WithLabelValues(bySpec))
		g.Expect(after-before).To(Equal(test.counts), "%+v", test)
	}
}

func TestOfTheWritesThoseAreCountedThatHintAtTrouble(t *testing.T) {
	counters := map[string]prometheus.Counter{
		"drift": driftCorrected, "recovered": secretsRecovered, "duplicate": duplicatesRemoved,
		"reenabled": reenables.WithLabelValues(string(triggerPolicy)),
	}
	for _, test := range []struct {
		step    step
		counter string // empty: none
	}{
		{step{Action: actionUpdate, Trigger: triggerDrift}, "drift"},
		{step{Action: actionUpdate, Trigger: triggerSpec}, ""},
		{step{Action: actionEnable, Trigger: triggerPolicy}, "reenabled"},
		{step{Action: actionDisable, Trigger: triggerSpec}, ""},
		{step{Action: actionRotate, Trigger: triggerLostSecret}, "recovered"},
		{step{Action: actionMarkRotation, Trigger: triggerLostSecret}, ""}, // the first half of it
		{step{Action: actionRotate, Trigger: triggerInterval}, ""},
		{step{Action: actionDeleteDuplicate, Trigger: triggerDuplicate}, "duplicate"},
		{step{Action: actionDelete, Trigger: triggerResourceGone}, ""},
	} {
		t.Run(string(test.step.Action)+" because of "+string(test.step.Trigger), func(t *testing.T) {
			g := NewWithT(t)
			before := map[string]float64{}
			for name, counter := range counters {
				before[name] = counted(g, counter)
			}
			countWrite(test.step)
			for name, counter := range counters {
				want := before[name]
				if name == test.counter {
					want++
				}
				g.Expect(counted(g, counter)).To(Equal(want), name)
			}
		})
	}
}
