// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

const (
	// flappingDays is how long receivers fail and recover, and calmDays how long they are well after that.
	flappingDays, calmDays = 90, 8
	// firing is the time between two events.
	firing = 4 * time.Hour
	// look is how often it is looked at what is disabled.
	look = 30 * time.Minute
	// personsDay is when a person disables the endpoint byHand.
	personsDay = 20
	byHand     = "by-hand"
)

// ways are the policies that the same receiver meets.
var ways = []struct {
	name   string
	policy v1alpha1.ReenablePolicy
}{
	{"never", v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableNever}},
	{"always", v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}},
	{"when-healthy", v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableWhenHealthy}},
	{"always-redelivered", v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways, Redelivery: redeliveredFor(0)}},
	{"when-healthy-redelivered", v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableWhenHealthy, Redelivery: redeliveredFor(0)}},
	{"when-healthy-redelivered-30d", v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableWhenHealthy, Redelivery: redeliveredFor(30 * day)}},
	{byHand, v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableWhenHealthy, Redelivery: redeliveredFor(30 * day)}},
}

// lossless is the way that loses nothing.
const lossless = "when-healthy-redelivered-30d"

func redeliveredFor(maxAge time.Duration) *v1alpha1.RedeliveryPolicy {
	policy := &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered}
	if maxAge > 0 {
		policy.MaxAge = &metav1.Duration{Duration: maxAge}
	}
	return policy
}

// flapping is a world of receivers that fail and recover together, each with an endpoint of another policy.
type flapping struct {
	*lab.World
	dice  *rand.Rand
	ids   map[string]string
	fired int
	// skipped events fired while the endpoint was disabled; disabled is for how long it was.
	skipped  map[string]int
	disabled map[string]time.Duration

	mu      sync.Mutex
	enables map[string][]time.Time // by endpoint id
}

// TestNinetyDaysOfAFlappingReceiver compares what each policy makes of the same outages. What is printed is the table of
// docs/reenable-policy.md.
func TestNinetyDaysOfAFlappingReceiver(t *testing.T) {
	lab.Report("a flapping receiver").Plan(t)
	w := lab.NewWorld(t, func(s *lab.Setup) {
		s.Operator.PollInterval, s.Operator.DisabledPollInterval = yearsPoll, yearsDisabledPoll
	})
	f := &flapping{
		World: w, dice: rand.New(rand.NewPCG(aSeed, 90)), ids: map[string]string{}, skipped: map[string]int{},
		disabled: map[string]time.Duration{}, enables: map[string][]time.Time{},
	}
	w.Vendor.SetHook(f.note)
	for _, way := range ways {
		w.Create(w.Manifest(way.name, func(res *lab.Resource) { res.Spec.ReenablePolicy = &way.policy }))
	}
	w.Start()
	w.Expect(w.Settle()).To(BeTrue())
	for _, way := range ways {
		f.ids[way.name] = w.Get(way.name).Status.EndpointID
	}
	f.live()
	t.Log("\n" + f.table())
	f.judge()
}

// note keeps when endpoints are enabled: nothing else patches them in this world.
func (f *flapping) note(call emulator.HookCall) error {
	if call.Operation == emulator.OperationUpdateEndpoint && call.Phase == emulator.PhaseAfterEffect && call.Status == http.StatusOK {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.enables[call.ID] = append(f.enables[call.ID], f.Clock.Now())
	}
	return nil
}

// live lets the days pass.
func (f *flapping) live() {
	start := f.Clock.Now()
	end := start.Add(flappingDays * day)
	well, change := true, f.Clock.Now().Add(f.between(3*day, 8*day))
	fire, person := start, start.Add(personsDay*day)
	for f.Clock.Now().Before(end.Add(calmDays * day)) {
		now := f.Clock.Now()
		switch {
		case !now.Before(change) && now.Before(end):
			well = !well
			f.answer(well)
			change = now.Add(f.next(well))
		case !well && !now.Before(end):
			well = true
			f.answer(well)
		}
		if !now.Before(fire) && now.Before(end) {
			fire = now.Add(firing)
			f.fire()
		}
		if !person.IsZero() && !now.Before(person) && f.isActive(byHand) {
			person = time.Time{}
			f.Expect(f.Vendor.DisableEndpoint(f.ids[byHand])).To(Succeed())
		}
		f.pass(now, change, fire)
	}
}

// next is how long the receivers stay as they are: most outages are short, and some so long that Medblocks gives up.
func (f *flapping) next(well bool) time.Duration {
	switch {
	case well && f.dice.IntN(3) == 0:
		return f.between(time.Minute, time.Hour) // it does not last
	case well:
		return f.between(2*day, 9*day)
	case f.dice.IntN(2) == 0:
		return f.between(4*day, 7*day)
	}
	return f.between(10*time.Minute, 12*time.Hour)
}

func (f *flapping) between(least, most time.Duration) time.Duration {
	return least + time.Duration(f.dice.Int64N(int64(most-least)))
}

func (f *flapping) answer(well bool) {
	status := http.StatusServiceUnavailable
	if well {
		status = http.StatusOK
	}
	for _, way := range ways {
		f.Receiver.AnswerAt(way.name, status)
	}
}

func (f *flapping) isActive(name string) bool {
	endpoint, err := f.Vendor.Endpoint(f.ids[name])
	f.Expect(err).NotTo(HaveOccurred())
	return endpoint.Status == emulator.StatusActive
}

func (f *flapping) fire() {
	f.fired++
	for _, way := range ways {
		if !f.isActive(way.name) {
			f.skipped[way.name]++
		}
	}
	f.Vendor.Fire(f.Key, "patient_flow.completed", nil)
}

// pass lets time pass until something is to be done, or looked at.
func (f *flapping) pass(now time.Time, deadlines ...time.Time) {
	step := look
	for _, at := range deadlines {
		if left := at.Sub(now); left > 0 {
			step = min(step, left)
		}
	}
	for _, way := range ways {
		if !f.isActive(way.name) {
			f.disabled[way.name] += step
		}
	}
	f.Advance(step)
}

// lost are the events that exist at Medblocks and were never delivered.
func (f *flapping) lost(name string) (delivered, lost int) {
	for _, event := range f.Vendor.Events(f.ids[name]) {
		if event.DeliveredAt == nil {
			lost++
		} else {
			delivered++
		}
	}
	return delivered, lost
}

func (f *flapping) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| policy | events fired | fired while it was disabled | delivered at last | lost | re-enable attempts | hours disabled |\n|---|---|---|---|---|---|---|\n")
	for _, way := range ways {
		delivered, lost := f.lost(way.name)
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %.0f |\n",
			way.name, f.fired, f.skipped[way.name], delivered, lost, len(f.enables[f.ids[way.name]]), f.disabled[way.name].Hours())
	}
	return b.String()
}

// judge checks what is promised.
func (f *flapping) judge() {
	for _, way := range ways {
		_, lost := f.lost(way.name)
		enables := f.enables[f.ids[way.name]]
		for i, at := range enables {
			recent := slices.IndexFunc(enables, at.Add(-v1alpha1.DefaultReenableWindow).Before)
			f.Expect(i-recent+1).To(BeNumerically("<=", v1alpha1.DefaultReenableMaxAttempts), "%s: attempts within a window, the last one on %s", way.name, at)
		}
		if r := f.Get(way.name).Status.Reenable; r != nil {
			f.Expect(len(r.Attempts)).To(BeNumerically("<=", v1alpha1.DefaultReenableMaxAttempts), way.name)
		}
		switch way.name {
		case "never":
			f.Expect(enables).To(BeEmpty())
			f.Expect(f.isActive(way.name)).To(BeFalse())
		case byHand:
			f.Expect(f.isActive(way.name)).To(BeFalse(), "a person's disable is never undone")
		case lossless:
			f.Expect(lost).To(BeZero(), "events of %s that were fired while it was active", way.name)
			f.Expect(enables).NotTo(BeEmpty(), "there were outages")
			f.Expect(f.isActive(way.name)).To(BeTrue())
		default:
			f.Expect(f.isActive(way.name)).To(BeTrue(), way.name)
		}
	}
}
