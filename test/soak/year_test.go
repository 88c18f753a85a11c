// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/faults"
	"github.com/medblocks/webhook-operator/test/lab"
)

const (
	day   = 24 * time.Hour
	month = 30 * day
	// Polls are rarer here than by default: a year of them is 105,000, and what is looked for does not depend on it.
	yearsPoll         = 3 * time.Hour
	yearsDisabledPoll = time.Hour
	rotationInterval  = 30 * day
)

// TestAYearPassesLikeTheFirstMonth lets a year pass, and a month where not all is to be run. On one day of each month things go
// wrong. What the operator costs, in calls, goroutines and memory, must not grow.
func TestAYearPassesLikeTheFirstMonth(t *testing.T) {
	lab.Report("a year").Plan(t)
	months := 1
	if lab.Exhaustive() {
		months = 13 // of 30 days, and some of them bad
	}
	w := lab.NewWorld(t, func(s *lab.Setup) {
		s.Operator.PollInterval, s.Operator.DisabledPollInterval = yearsPoll, yearsDisabledPoll
		s.Operator.CallTimeout = callTimeout
	})
	a := &adversary{
		World: w, dice: rand.New(rand.NewPCG(aSeed, 0)), started: w.Clock.Now(), disabled: map[string]bool{},
		storm: newStorm(w, aSeed),
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(strings.Join(a.log, "\n"))
		}
	})
	for i := range 3 {
		w.Create(w.Manifest(fmt.Sprint("hooks-", i), withPolicy, func(res *lab.Resource) {
			res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{
				Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: rotationInterval}},
			}
		}))
	}
	watches := a.start(nil)
	w.Expect(w.Settle()).To(BeTrue())
	var atFirst cost
	for i := range months {
		watches = a.badDay(i, watches)
		a.quietMonth(w.Clock.Now().Add(month - 2*day))
		if is := costs(); i == 0 {
			atFirst = is
		} else {
			w.Expect(is.goroutines).To(BeNumerically("<=", atFirst.goroutines+20), "goroutines after month %d", i+1)
			w.Expect(is.heap).To(BeNumerically("<=", atFirst.heap+100<<20), "bytes of memory after month %d", i+1)
		}
	}
}

// badDay lets things go wrong, and has them set right.
func (a *adversary) badDay(round int, watches *faults.Watches) *faults.Watches {
	a.say("a bad day")
	a.storm.rage(round)
	for _, name := range []string{"hooks-0", "hooks-1", "hooks-2"} {
		res := a.Get(name)
		for _, do := range []func(*adversary, *lab.Resource){
			(*adversary).exhaust, (*adversary).disable, (*adversary).drift,
			func(a *adversary, res *lab.Resource) { a.Change(res.Name, a.edit) },
		} {
			if a.dice.IntN(2) == 0 {
				do(a, res)
			}
			a.Advance(2 * time.Hour)
		}
	}
	return a.calmDown(watches)
}

// quietMonth lets time pass until then, and expects nothing but polls and rotations.
func (a *adversary) quietMonth(end time.Time) {
	lists, writes, began := a.calls()
	a.Advance(end.Sub(a.Clock.Now()))
	a.CheckInvariants()
	moreLists, moreWrites, _ := a.calls()
	days := a.Clock.Now().Sub(began).Hours() / day.Hours()
	perDay := day.Hours()/yearsPoll.Hours() + day.Hours()/yearsDisabledPoll.Hours()
	a.Expect(float64(moreLists-lists)).To(BeNumerically("<=", 1.12*perDay*days), "lists in %.0f days", days)
	a.Expect(moreWrites-writes).To(BeNumerically("<=", 2*3*2), "writes: a mark and a rotation for each resource, at most twice")
	for _, res := range a.Resources() {
		a.Expect(isReady(&res)).To(BeTrue(), a.Show())
		a.Expect(a.Clock.Now().Sub(res.Status.SigningSecret.LastRotated.Time)).To(BeNumerically("<", rotationInterval+time.Hour))
	}
}

// calls counts the lists and the writes that operators have sent to Medblocks.
func (a *adversary) calls() (lists, writes int, now time.Time) {
	for _, wire := range a.wires {
		for _, r := range wire.Requests() {
			switch call := faults.CallOf(&r); {
			case call == faults.List, call == faults.ListDisabled:
				lists++
			case r.Side == lab.Medblocks && r.IsWrite():
				writes++
			}
		}
	}
	return lists, writes, a.Clock.Now()
}

type cost struct {
	goroutines int
	heap       uint64
}

func costs() cost {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return cost{goroutines: runtime.NumGoroutine(), heap: m.HeapAlloc}
}
