// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/google/go-cmp/cmp"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestMain(m *testing.M) { Main(m, Options{}) }

func TestAWorldSettlesAndIsEqualToAnotherOneWithTheSameStory(t *testing.T) {
	t.Parallel()
	story := func() State {
		w := NewWorld(t)
		w.Start()
		w.Create(w.Manifest("hooks"))
		w.Expect(w.Settle()).To(BeTrue())
		w.CheckInvariants()
		return w.State()
	}
	first, second := story(), story()
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	NewWithT(t).Expect(first.Secrets).To(HaveKeyWithValue("hooks-signing-secret", HaveField("Value", "in force")))
}

func TestACrashLeavesNothingBehindThatTheNextOperatorDoesNotFinish(t *testing.T) {
	t.Parallel()
	for k := 1; k <= 4; k++ {
		for _, kind := range CrashKinds() {
			t.Run(fmt.Sprint(k, kind), func(t *testing.T) {
				t.Parallel()
				w := NewWorld(t)
				op := w.Start()
				op.Wire.Intercept(CrashAt(k, kind))
				w.Create(w.Manifest("hooks"))
				w.Expect(w.Settle()).To(BeFalse())
				w.Expect(op.Dead()).To(BeTrue())
				w.Start()
				w.Expect(w.Settle()).To(BeTrue())
				w.CheckInvariants()
				w.Expect(w.Get("hooks").Status.EndpointID).NotTo(BeEmpty())
			})
		}
	}
}

func TestTimePassesOnlyWhenTheTestSaysSo(t *testing.T) {
	t.Parallel()
	w := NewWorld(t)
	w.Start()
	w.Create(w.Manifest("hooks", func(res *Resource) { res.Spec.APIKeySecretRef.Name = "missing" }))
	w.Quiesce()
	w.Expect(w.Get("hooks").Status.Conditions).NotTo(BeEmpty())
	before := w.Clock.Now()
	w.Advance(10 * time.Minute)
	w.Expect(w.Clock.Now()).To(Equal(before.Add(10 * time.Minute)))
	w.Expect(w.Show()).To(ContainSubstring("Stalled=True " + v1alpha1.ReasonCredentialsUnavailable))
}
