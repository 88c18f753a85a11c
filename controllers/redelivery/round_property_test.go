// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// seeds is how many random worlds are tried.
const seeds = 3000

// maxSteps is far more than any of these rounds takes.
const maxSteps = 20_000

// randomEvent may have had any history.
func randomEvent(rng *rand.Rand, job Job, id string) event {
	e := event{id: id, created: start.Add(-time.Duration(rng.IntN(100*60)) * time.Minute), attempts: rng.IntN(11), status: []int{0, 422, 503}[rng.IntN(3)]}
	switch rng.IntN(8) {
	case 0:
		e.created = job.From
	case 1:
		e.created = job.Before
	}
	switch rng.IntN(6) {
	case 0:
		e.redelivered = start.Add(-time.Duration(rng.IntN(90)) * time.Second)
	case 1:
		e.redelivered = start.Add(-time.Duration(rng.IntN(100)) * time.Hour)
	case 2:
		e.redelivered = job.Begun
	}
	return e
}

// randomWorld has a job, events, a receiver that comes and goes, and a Medblocks where anything may go wrong.
func randomWorld(rng *rand.Rand) *world {
	job := anyJob(func(j *Job) {
		j.Begun = start.Add(-time.Duration(rng.IntN(600)) * time.Second)
		j.Limit, j.Resumed = rng.IntN(25), rng.IntN(3) == 0
		if rng.IntN(2) == 0 {
			j.Delivered, j.Failed, j.Avoid = rng.IntN(5), rng.IntN(3), "e03"
		}
	})
	var events []event
	for i := range rng.IntN(25) {
		events = append(events, randomEvent(rng, job, fmt.Sprintf("e%02d", i)))
	}
	w := newWorld(job, events...)
	w.skew = []time.Duration{0, 0, 20 * time.Second, -20 * time.Second, 5 * time.Hour, -5 * time.Hour}[rng.IntN(6)]
	w.receiver = randomReceiver(rng)
	wild := []float64{0, 0.05, 0.4}[rng.IntN(3)] // how often something goes wrong
	poison := fmt.Sprintf("e%02d", rng.IntN(40))
	w.calm = wild == 0 && w.skew == 0 && w.events[poison] == nil
	w.trouble = func(id string) (*outcome, bool) {
		if id == poison {
			return &outcome{verdict: []verdict{unclear, undone, tooSoon}[rng.IntN(3)], wait: 20 * time.Second}, false
		}
		if rng.Float64() >= wild {
			return nil, false
		}
		switch v := []verdict{unclear, undone, tooSoon, barred, refused, gone}[rng.IntN(6)]; v {
		case unclear:
			return &outcome{verdict: v}, rng.IntN(2) == 0
		case gone:
			delete(w.events, id)
			return &outcome{verdict: v}, false
		default:
			return &outcome{verdict: v, wait: time.Duration(1+rng.IntN(600)) * time.Second, until: w.now.Add(time.Duration(rng.IntN(3600)-60) * time.Second)}, false
		}
	}
	w.listTrouble = func() *outcome {
		if rng.Float64() >= wild {
			return nil
		}
		v := []verdict{unclear, undone, tooSoon, barred, gone}[rng.IntN(5)]
		return &outcome{verdict: v, wait: time.Minute, until: w.now.Add(time.Minute)}
	}
	return w
}

// randomReceiver is well, or down for a while, and does not like some events.
func randomReceiver(rng *rand.Rand) func(string) int {
	asked, down := 0, rng.IntN(40)
	long := rng.IntN(20)
	rejects := rng.IntN(4)
	return func(id string) int {
		asked++
		switch {
		case asked >= down && asked < down+long:
			return []int{0, 401, 404, 429, 500, 503}[rng.IntN(6)]
		case rejects > 0 && int(id[2]-'0')%4 < rejects-1:
			return 422
		}
		return 200
	}
}

// mayBeSent tells whether a round must think that Medblocks has sent the event.
func mayBeSent(c call) bool { return slices.Contains([]verdict{delivered, failed, unclear}, c.verdict) }

// wasSent tells whether it has.
func wasSent(c call) bool { return c.attempted }

// laws of a round, whatever the answers. What is broken is told, else nothing.
func laws(w *world, job Job, before []event, isSent func(call) bool) string {
	sent, last := map[string]bool{}, map[string]time.Time{}
	within, hadTurn := map[string]bool{}, map[string]bool{}
	for _, e := range before {
		within[e.id] = !e.created.Before(job.From) && e.created.Before(job.Before)
		hadTurn[e.id] = !e.redelivered.Before(job.Begun)
	}
	for _, c := range w.calls {
		if w.calm && c.verdict == tooSoon {
			return c.id + " is asked for too soon"
		}
		if !within[c.id] {
			return c.id + " is sent, and is not within the bounds"
		}
		if !isSent(c) {
			continue
		}
		if at, again := last[c.id]; again && c.at.Sub(at) < time.Minute {
			return c.id + " is sent twice within a minute"
		}
		last[c.id] = c.at
		if !hadTurn[c.id] {
			sent[c.id] = true
		}
	}
	if room := max(job.Limit-job.Delivered, 0); len(sent) > room {
		return fmt.Sprintf("%d events are sent, and %d may be", len(sent), room)
	}
	return w.wrong
}

// sums checks what a round that has ended says of itself.
func sums(w *world, job Job) string {
	p := w.round.progress()
	undelivered := 0
	for _, e := range w.events {
		if !e.created.Before(job.From) && e.created.Before(job.Before) {
			undelivered++
		}
	}
	switch {
	case p.State == Completed && p.Pending > 0:
		return "it is completed, and something is pending"
	case p.State != Completed && p.State != Stopped:
		return "it has ended, and is " + string(p.State)
	case p.Delivered != job.Delivered+len(w.delivered):
		return fmt.Sprintf("%d were delivered, and it says %d", job.Delivered+len(w.delivered), p.Delivered)
	case p.Pending+p.Omitted+p.Failed < undelivered:
		return fmt.Sprintf("%d events are left, and it says %+v", undelivered, p)
	}
	return ""
}

func TestWhateverTheAnswersNoLawIsBrokenAndTheRoundEnds(t *testing.T) {
	verdicts := map[verdict]int{}
	states := map[State]int{}
	for seed := range uint64(seeds) {
		w := randomWorld(rand.New(rand.NewPCG(seed, 1)))
		job, before := w.round.job, snapshot(w)
		ended := w.play(maxSteps)
		what := laws(w, job, before, mayBeSent)
		if what == "" && !ended {
			what = "it does not end"
		}
		if what == "" {
			what = sums(w, job)
		}
		if what != "" {
			t.Fatalf("seed %d: %s\n%+v\n%+v\n%s", seed, what, job, before, w.told())
		}
		for _, c := range w.calls {
			verdicts[c.verdict]++
		}
		states[w.round.progress().State]++
	}
	for _, v := range []verdict{delivered, failed, refused, gone, tooSoon, barred, undone, unclear} {
		if verdicts[v] < 100 {
			t.Errorf("%q has hardly been tried: %v", v, verdicts)
		}
	}
	if states[Completed] < 100 || states[Stopped] < 100 {
		t.Errorf("an outcome has hardly been reached: %v", states)
	}
}

// snapshot is what was not delivered by now.
func snapshot(w *world) []event {
	all := make([]event, 0, len(w.events))
	for _, e := range w.events {
		all = append(all, *e)
	}
	return all
}

// TestARoundThatIsBegunAgainBreaksNoLaw has the operator killed at any time. A new one knows what was published last.
func TestARoundThatIsBegunAgainBreaksNoLaw(t *testing.T) {
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 2))
		w := randomWorld(rng)
		w.skew = 0 // what had its turn is told by Medblocks' clock
		job, before := w.round.job, snapshot(w)
		job.Limit = 1000
		w.round = newRound(job)
		for range 1 + rng.IntN(4) {
			w.play(rng.IntN(30))
			p := w.round.progress()
			if p.State != Running {
				break
			}
			again := job
			again.Delivered, again.Failed, again.Resumed, again.Cursor = p.Delivered, p.Failed, job.Resumed || p.Cursor != "", p.Cursor
			if p.Cursor != "" && !w.round.tested {
				t.Fatalf("seed %d: it says that it is beyond its canary: %+v", seed, p)
			}
			w.round = newRound(again)
		}
		ended := w.play(maxSteps)
		what := laws(w, job, before, wasSent)
		if what == "" && !ended {
			what = "it does not end"
		}
		if what != "" {
			t.Fatalf("seed %d: %s\n%+v\n%+v\n%s", seed, what, job, before, w.told())
		}
	}
}
