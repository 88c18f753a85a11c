// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/faults"
	"github.com/medblocks/webhook-operator/test/lab"
)

func TestMain(m *testing.M) { lab.Main(m, lab.Options{}) }

const (
	// atOnce is how many worlds a soak runs at a time.
	atOnce = 4
	// rounds of storm and calm in one world.
	rounds = 5
	// deedsPerRound is what the adversary does in one.
	deedsPerRound = 6
	// callTimeout is when a call that hangs ends, in real time; others are answered within it even on a busy machine.
	callTimeout = 300 * time.Millisecond
	// aSeed is the one that tests begin with.
	aSeed = 20260425
)

func TestAfterEveryStormEverythingIsInOrder(t *testing.T) {
	seed, duration := settings(t)
	for began := time.Now(); ; seed += atOnce {
		t.Run(fmt.Sprintf("from seed %d", seed), func(t *testing.T) {
			for i := range uint64(atOnce) {
				t.Run(fmt.Sprintf("seed %d", seed+i), func(t *testing.T) {
					t.Parallel()
					lab.Report("soak").Plan(t)
					soak(t, seed+i)
				})
			}
		})
		if !t.Failed() {
			NewWithT(t).Expect(toldLies.hiding.Load()).To(BeNumerically(">", 0), "lists that hid an endpoint")
			NewWithT(t).Expect(toldLies.denying.Load()).To(BeNumerically(">", 0), "reads that denied an endpoint")
		}
		if t.Failed() || time.Since(began) >= duration {
			return
		}
	}
}

// settings are how long to go on (SOAK_DURATION), and with which seed to begin (SOAK_SEED).
func settings(t *testing.T) (seed uint64, duration time.Duration) {
	seed = aSeed
	var err error
	if value := os.Getenv("SOAK_SEED"); value != "" {
		if seed, err = strconv.ParseUint(value, 10, 64); err != nil {
			t.Fatal("SOAK_SEED:", err)
		}
	}
	if value := os.Getenv("SOAK_DURATION"); value != "" {
		if duration, err = time.ParseDuration(value); err != nil {
			t.Fatal("SOAK_DURATION:", err)
		}
	}
	return seed, duration
}

// soak is one world.
func soak(t *testing.T, seed uint64) {
	w := lab.NewWorld(t, func(s *lab.Setup) { s.Operator.CallTimeout = callTimeout })
	a := &adversary{
		World: w, dice: rand.New(rand.NewPCG(seed, 0)), started: w.Clock.Now(), disabled: map[string]bool{},
		storm: newStorm(w, seed),
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat it with SOAK_SEED=%d; what was done:\n%s\n%s", seed, strings.Join(a.log, "\n"), w.Show())
		}
	})
	for i := range 3 {
		w.Create(w.Manifest(fmt.Sprint("hooks-", i), withPolicy))
	}
	watches := a.start(nil)
	for round := range rounds {
		a.storm.rage(round)
		a.say("round %d", round)
		for range deedsPerRound {
			watches = a.start(watches)
			if a.dice.IntN(6) == 0 {
				a.say("all watches break")
				watches.Break(a.dice.IntN(2))
			}
			a.act()
			w.Advance(time.Duration(a.dice.IntN(900)) * time.Second)
		}
		watches = a.calmDown(watches)
	}
}

// start has an operator at work. It returns what breaks that operator's watches.
func (a *adversary) start(watches *faults.Watches) *faults.Watches {
	if watches != nil && a.Running() > 0 {
		return watches
	}
	a.say("an operator starts")
	watches = &faults.Watches{Next: a.storm.handle}
	wire := a.NewWire()
	a.wires = append(a.wires, wire)
	wire.Intercept(watches.Middleware)
	a.StartThrough(wire)
	return watches
}

// longestPause is longer than anybody waits who was told to: the longest Retry-After that is believed, and a poll.
const longestPause = medblocks.MaxRetryAfter + 10*time.Minute

// calmDown ends the storm and has everything set right; by a person what only a person can.
func (a *adversary) calmDown(watches *faults.Watches) *faults.Watches {
	a.storm.calm()
	a.SetKey(a.Key)
	watches = a.start(watches)
	for i := range 3 {
		if name := fmt.Sprint("hooks-", i); a.Get(name) == nil {
			a.Create(a.Manifest(name, withPolicy))
		}
	}
	a.say("calm")
	a.Advance(longestPause)
	a.Expect(a.Settle()).To(BeTrue())
	a.checkPersonsWill()
	for _, res := range a.Resources() {
		if !isReady(&res) {
			a.setRight(&res)
		}
	}
	a.Expect(a.Settle()).To(BeTrue())
	for _, res := range a.Resources() {
		a.Expect(isReady(&res)).To(BeTrue(), "%s is not Ready:\n%s", res.Name, a.Show())
	}
	a.CheckInvariants()
	a.say("all is in order")
	return watches
}

// checkPersonsWill checks invariant 8: what a person has disabled is disabled, unless it is gone.
func (a *adversary) checkPersonsWill() {
	for id := range a.disabled {
		if e, err := a.Vendor.Endpoint(id); err == nil {
			a.Expect(e.Status).To(Equal(emulator.StatusDisabled), "a person has disabled endpoint %s", id)
		}
	}
	clear(a.disabled)
}

// setRight answers a resource that asks for a person.
func (a *adversary) setRight(res *lab.Resource) {
	a.say("%s asks for a person", res.Name)
	tokens := []string{v1alpha1.AnnotationReconcileRequestedAt}
	if res.DeletionTimestamp.IsZero() {
		tokens = append(tokens, v1alpha1.AnnotationRotateSecretRequestedAt, v1alpha1.AnnotationReenableRequestedAt)
	}
	// Under one key the endpoint was seen last, and under the next one it was gone: only a person knows that it is not elsewhere.
	unseen := isUnseen(res) && len(a.Owned(res.Name)) == 0
	if unseen {
		tokens = append(tokens, v1alpha1.AnnotationReregisterRequestedAt)
	}
	a.Change(res.Name, func(is *lab.Resource) {
		for _, annotation := range tokens {
			metav1.SetMetaDataAnnotation(&is.ObjectMeta, annotation, a.token())
		}
		if unseen && !res.DeletionTimestamp.IsZero() {
			metav1.SetMetaDataAnnotation(&is.ObjectMeta, v1alpha1.AnnotationRelease, "true")
		}
	})
}

func isUnseen(res *lab.Resource) bool {
	synced := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionSynced)
	return synced != nil && synced.Reason == v1alpha1.ReasonWorkspaceChanged
}
