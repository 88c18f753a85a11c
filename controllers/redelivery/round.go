// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

const (
	// betweenAttempts is how long an event has to wait after a redelivery for the next one (a rule of Medblocks').
	betweenAttempts = time.Minute
	// failuresInARow stop a job: the receiver is not well.
	failuresInARow = 3
	// unfitCanaries, which failed by their own fault, stop a job: the receiver may refuse everything.
	unfitCanaries = 3
)

// looks are how long after the end of a pass those events have another turn that failed in it. Together they are longer than what a
// receiver is restarted or rolled back in: an event that fails at all of them is not sent again.
var looks = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour}

// standing is where an event is on its way.
type standing int

const (
	waiting standing = iota // for its turn in this pass
	missed                  // its turn in this pass: it failed
	settled                 // for good: it was delivered, or is gone
)

// item is an event on its way.
type item struct {
	event
	standing standing
	// due is when it may be sent at the earliest.
	due time.Time
	// placed: it is one of those that the limit lets through.
	placed bool
	// failing: it has failed, and was not delivered since.
	failing bool
	// refusal: what it failed of last is its own fault, and not the receiver's.
	refusal bool
	// failedAt is how many answers there were when it failed first; 0: it failed before a restart.
	failedAt int
	// inDoubt: nobody knows what became of the last attempt.
	inDoubt bool
	// unheard is how often in a row Medblocks was asked in vain, since the time unheardSince.
	unheard      int
	unheardSince time.Time
}

// action is what a round wants to have done.
type action int

const (
	actionList action = iota
	actionSend
	actionWait
	actionEnd
)

// step is what is to be done next.
type step struct {
	action action
	event  string    // to send
	until  time.Time // to wait
}

// round decides what one try does next. It learns what was listed and answered, and makes no calls, does not wait, and looks at no clock.
type round struct {
	job   Job
	state State

	known map[string]*item
	// turns are the events that have their turn in this pass, oldest first, and those beyond the limit, which do not.
	turns []*item
	// pass counts the looks at what failed in the pass before.
	pass int
	// placed is how many events the limit has let through.
	placed int
	// lost is how many have failed before a restart and are not to be seen any more.
	lost int

	// trial is the event that is sent as the canary. tested: it was delivered, or there is none (any more). unfit is how many have failed by
	// their own fault.
	trial  string
	tested bool
	unfit  int

	// listed: there was a list; listDue: another one is needed.
	listed, listDue bool
	// quietUntil is when the next call may be made at the earliest.
	quietUntil time.Time
	setbacks   int // in a row
	refusals   int // in a row: events that were too soon

	answers      int // by the receiver, or about it
	lastDelivery int // which one of them was the last delivery
	failures     int // in a row
	delivered    int
	canary       string
	cursor       string
	answer       string
}

func newRound(job Job) *round {
	return &round{job: job, state: Running, known: map[string]*item{}, tested: job.Resumed, cursor: job.Cursor, listDue: true}
}

// next tells what is to be done at this time.
func (r *round) next(now time.Time) step {
	switch {
	case r.state != Running:
		return step{action: actionEnd}
	case now.Before(r.quietUntil):
		return step{action: actionWait, until: r.quietUntil}
	case r.listDue:
		return step{action: actionList}
	}
	if s, needed := r.tryOut(now); needed {
		return s
	}
	if s, found := r.turn(now); found {
		return s
	}
	if r.lookAgain(now) {
		return step{action: actionWait, until: r.quietUntil}
	}
	r.conclude()
	return step{action: actionEnd}
}

// tryOut sends a canary before all others: the newest of the events that have failed before.
func (r *round) tryOut(now time.Time) (s step, needed bool) {
	if r.tested {
		return step{}, false
	}
	canaries := r.canaries()
	if len(canaries) == 0 {
		r.tested = true
		return step{}, false
	}
	slices.Reverse(canaries)
	s = first(canaries, now)
	r.trial = s.event
	return s, true
}

// canaries are the events that a canary may be chosen from.
func (r *round) canaries() []*item {
	var canaries []*item
	for _, it := range r.turns {
		if it.attempts > 0 && !it.failing && (it.placed || r.room() > 0) {
			canaries = append(canaries, it)
		}
	}
	if len(canaries) > 1 {
		canaries = slices.DeleteFunc(canaries, func(it *item) bool { return it.id == r.job.Avoid })
	}
	return canaries
}

// turn is the oldest event whose time has come, among those that the limit lets through.
func (r *round) turn(now time.Time) (s step, found bool) {
	room := r.room()
	var through []*item
	for _, it := range r.turns {
		if !it.placed {
			if room == 0 {
				continue
			}
			room--
		}
		if !now.Before(it.due) {
			return step{action: actionSend, event: it.id}, true
		}
		through = append(through, it)
	}
	if len(through) == 0 {
		return step{}, false
	}
	return first(through, now), true
}

// first sends the first of some events whose time has come, or waits for the one whose time comes first.
func first(items []*item, now time.Time) step {
	soonest := items[0].due
	for _, it := range items {
		if !now.Before(it.due) {
			return step{action: actionSend, event: it.id}
		}
		if it.due.Before(soonest) {
			soonest = it.due
		}
	}
	return step{action: actionWait, until: soonest}
}

// room is how many events the limit lets through beside those that it has let through.
func (r *round) room() int {
	return max(r.job.Limit-r.job.Delivered-r.lost-r.placed, 0)
}

// lookAgain begins another pass with the events that failed in this one, after a while. Some may have been delivered by then.
func (r *round) lookAgain(now time.Time) bool {
	if r.pass == len(looks) {
		return false
	}
	again := false
	for _, it := range r.known {
		if it.standing == missed {
			it.standing, again = waiting, true
		}
	}
	if again {
		r.rest(now.Add(looks[r.pass]), now)
		r.pass, r.listDue = r.pass+1, true
		r.lineUp()
	}
	return again
}

// lineUp puts the events that wait for their turn in order.
func (r *round) lineUp() {
	r.turns = r.turns[:0]
	for _, it := range r.known {
		if it.standing == waiting {
			r.turns = append(r.turns, it)
		}
	}
	slices.SortFunc(r.turns, func(a, b *item) int { return oldestFirst(a.event, b.event) })
}

// conclude ends a job that has nothing left to do. Where nothing was delivered since the first of the failures that are left, the receiver
// went down, and a later try may find it well again.
func (r *round) conclude() {
	r.state = Completed
	curable, since := false, r.answers
	for _, it := range r.known {
		if it.standing == missed {
			curable = curable || !it.refusal
			since = min(since, it.failedAt)
		}
	}
	if curable && r.lastDelivery <= since {
		r.state = Stopped
	}
}

// maxExhausted bounds the ids in a Progress: one more than are remembered of them, so that it is seen that there were too many.
const maxExhausted = 101

// progress is how far the job has come.
func (r *round) progress() Progress {
	p := Progress{
		State: r.state, Delivered: r.job.Delivered + r.delivered, Failed: r.lost, Cursor: r.cursor, Canary: r.canary, Answer: r.answer,
	}
	if r.state == Running && !r.tested {
		p.Cursor = "" // it is taken for a sign that there was a canary, and that it was delivered
	}
	if !r.listed {
		p.Failed = r.job.Failed
	}
	var exhausted []event
	for _, it := range r.known {
		switch {
		case it.failing:
			p.Failed++
			if it.attempts >= medblocks.MaxAttempts {
				exhausted = append(exhausted, it.event)
			}
		case it.standing == waiting && it.placed:
			p.Pending++
		case it.standing == waiting:
			p.Omitted++
		}
	}
	through := min(p.Omitted, r.room())
	p.Pending, p.Omitted = p.Pending+through, p.Omitted-through
	slices.SortFunc(exhausted, oldestFirst)
	for _, e := range exhausted[max(len(exhausted)-maxExhausted, 0):] {
		p.Exhausted = append(p.Exhausted, e.id)
	}
	return p
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
