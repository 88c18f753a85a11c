// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// fleet is so many settled resources that use one key: more than a page of a list.
const fleet = 120

func settledFleet(t *testing.T) (*lab.World, *lab.Operator) {
	t.Helper()
	w := lab.NewWorld(t)
	op := w.Start()
	for i := range fleet {
		w.Create(w.Manifest(fmt.Sprintf("hooks-%03d", i)))
	}
	w.Expect(w.Settle()).To(BeTrue())
	return w, op
}

// since are the requests to one side from the given one on, those at Medblocks by their paths and statuses.
func since(op *lab.Operator, start int, side lab.Side) []string {
	var requests []string
	for _, r := range op.Wire.Requests()[start:] {
		if r.Side == side {
			requests = append(requests, fmt.Sprintf("%s %s?%s %d", r.Method, r.Path, r.Query.Encode(), r.Status))
		}
	}
	return requests
}

func statusPatches(op *lab.Operator, start int) int {
	n := 0
	for _, r := range op.Wire.Requests()[start:] {
		if r.Side == lab.Kubernetes && r.Method == http.MethodPatch && strings.HasSuffix(r.Path, "/status") {
			n++
		}
	}
	return n
}

// TestARefusedKeyCostsAFleetOneProbePerBackoffStepAndOneStatusEach: however many resources use the key.
func TestARefusedKeyCostsAFleetOneProbePerBackoffStepAndOneStatusEach(t *testing.T) {
	t.Parallel()
	w, op := settledFleet(t)
	w.Expect(w.Vendor.SetKey(emulator.Key{APIKey: w.Key, State: emulator.KeyRevoked})).To(Succeed())
	start := len(op.Wire.Requests())
	w.Advance(time.Hour)
	w.Expect(statusPatches(op, start)).To(Equal(fleet))
	for i := range fleet { // each has something to do
		w.Change(fmt.Sprintf("hooks-%03d", i), func(res *lab.Resource) { res.Spec.Description = "changed" })
	}
	w.Advance(time.Hour)
	w.Expect(statusPatches(op, start)).To(Equal(2 * fleet))
	for _, res := range w.Resources() {
		w.Expect(meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionSynced)).To(And(
			HaveField("Reason", v1alpha1.ReasonInvalidAPIKey), HaveField("ObservedGeneration", res.Generation)))
	}
	// After 5, 10, 20, 40, 80 and 160 s, and then in every poll interval of two hours; and the poll that met the refusal.
	probes, calls := 7+int(2*time.Hour/w.Defaults.PollInterval), since(op, start, lab.Medblocks)
	w.Expect(len(calls)).To(BeNumerically("<=", probes+1), "%s", strings.Join(calls, "\n"))
	w.Expect(calls).To(HaveEach(HavePrefix("GET /webhooks?")))

	w.Expect(w.Vendor.SetKey(emulator.Key{APIKey: w.Key, State: emulator.KeyActive})).To(Succeed())
	w.Expect(w.Settle()).To(BeTrue())
	for i := range fleet {
		w.Expect(w.Remote(fmt.Sprintf("hooks-%03d", i)).Description).To(HaveValue(Equal("changed")))
	}
}

// TestARestartCostsAFleetItsPagesAndNoWrite: what is stored and listed is enough to know that nothing is to be done.
func TestARestartCostsAFleetItsPagesAndNoWrite(t *testing.T) {
	t.Parallel()
	w, op := settledFleet(t)
	op.Kill()
	again := w.Start()
	w.Quiesce()
	calls := since(again, 0, lab.Medblocks)
	w.Expect(calls).To(HaveLen((fleet + 99) / 100))
	w.Expect(calls).To(HaveEach(HavePrefix("GET /webhooks?")))
	w.Expect(again.Wire.Writes()).To(BeEmpty())

	t.Log("What is new is served from the list that is there.")
	start := len(again.Wire.Requests())
	w.Create(w.Manifest("late"))
	w.Quiesce()
	w.Expect(since(again, start, lab.Medblocks)).To(ConsistOf(HavePrefix("POST /webhooks?")))
	w.CheckInvariants()
}
