// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"slices"
	"time"
)

// How long a job leaves Medblocks alone after trouble with it: doubling with each setback in a row.
const (
	setbackInitial = 10 * time.Second
	setbackMax     = 5 * time.Minute
)

const (
	// shortestRest keeps a job from asking again at once, whatever it was told.
	shortestRest = time.Second
	// refusalsInARow of events that are too soon (429) are about the account, and not about the events.
	refusalsInARow = 3
)

// An event that Medblocks has not said anything about, however often it was asked and for how long, is given up: it must not keep a job
// from its end. What holds Medblocks up as a whole (an outage, a refused key) shows in the list first, and does not count.
const (
	patienceCalls = 5
	patienceTime  = 30 * time.Minute
)

// takeList takes over what was listed.
func (r *round) takeList(l *listing, now time.Time) {
	for _, it := range r.known {
		if _, is := l.events[it.id]; !is && it.standing != settled && !l.cut {
			r.vanish(it)
		}
	}
	for id, e := range l.events {
		it := r.known[id]
		if it == nil {
			it = &item{event: e}
			r.known[id] = it
		}
		if it.standing != settled {
			r.renew(it, e, now)
		}
	}
	r.listDue = false
	if !r.listed {
		r.listed = true
		r.lost = max(r.job.Failed-r.placed, 0) // placed are those that had their turn before a restart
	}
	r.lineUp()
}

// vanish is for an event that is not undelivered any more. One that was just asked for was delivered by that; any other one by Medblocks'
// own attempts.
func (r *round) vanish(it *item) {
	if it.inDoubt {
		r.deliver(it)
		return
	}
	it.standing, it.failing = settled, false
}

// renew takes over what an event looks like now.
func (r *round) renew(it *item, e event, now time.Time) {
	attempted := it.inDoubt && !e.redelivered.Equal(it.redelivered)
	it.event, it.inDoubt = e, false
	if !e.redelivered.IsZero() {
		// Medblocks' clock may be wrong, and must not hold an event up for longer than a minute.
		it.due = later(it.due, earlier(e.redelivered, now).Add(betweenAttempts))
	}
	switch {
	case attempted:
		r.miss(it)
	case !it.placed && !e.redelivered.Before(r.job.Begun): // it had its turn in this try
		r.place(it)
		it.standing, it.failing, it.refusal = missed, true, isRefusal(e.status)
	}
}

// noteListTrouble learns why there is no list. Whatever it is, there may be one later.
func (r *round) noteListTrouble(o outcome, now time.Time) {
	switch o.verdict {
	case barred:
		r.rest(o.until, now)
	case tooSoon:
		r.rest(now.Add(o.wait), now)
	default:
		r.setBack(now)
	}
}

// note learns what came of sending an event.
func (r *round) note(id string, o outcome, now time.Time) {
	it := r.known[id]
	if o.verdict == barred {
		r.rest(o.until, now)
		return
	}
	r.place(it)
	switch o.verdict {
	case delivered, failed, refused, gone:
		r.hear(it, o, now)
		r.setbacks, r.refusals = 0, 0
	case tooSoon:
		it.due = now.Add(o.wait)
		if r.refusals++; r.refusals >= refusalsInARow {
			r.rest(it.due, now)
		}
		r.wonder(it, now)
	default:
		// An attempt that nobody has heard of yet may still be made.
		it.inDoubt, it.due = o.verdict == unclear, now.Add(betweenAttempts)
		r.refusals, r.listDue = 0, true
		r.setBack(now)
		r.wonder(it, now)
	}
}

// hear is for an answer about the event itself.
func (r *round) hear(it *item, o outcome, now time.Time) {
	it.inDoubt, it.unheard = false, 0
	switch o.verdict {
	case delivered:
		r.deliver(it)
	case refused, gone: // the list shows it: it is no success where Medblocks does not find it
		r.fail(it, true)
		r.stopIfDown(it)
	default:
		it.attempts, it.status = max(o.event.attempts, it.attempts), o.event.status
		it.redelivered, it.due = later(o.event.redelivered, it.redelivered), now.Add(betweenAttempts)
		r.miss(it)
	}
}

// wonder gives an event up that Medblocks has not said anything about for too long.
func (r *round) wonder(it *item, now time.Time) {
	if it.unheard == 0 {
		it.unheardSince = now
	}
	if it.unheard++; it.unheard < patienceCalls || now.Sub(it.unheardSince) < patienceTime {
		return
	}
	it.unheard = 0
	r.fail(it, false)
	if it.id == r.trial && !r.tested {
		r.stop(it)
	}
}

// deliver settles an event that the receiver has taken.
func (r *round) deliver(it *item) {
	r.answers++
	r.delivered++
	r.lastDelivery, r.failures = r.answers, 0
	it.standing, it.failing, it.inDoubt = settled, false, false
	r.cursor = it.id
	if it.id == r.trial && !r.tested {
		r.tested, r.canary = true, it.id
	}
	r.leave(it)
}

// miss is for an event that the receiver has not taken.
func (r *round) miss(it *item) {
	r.cursor, r.answer = it.id, answerOf(it.status)
	r.fail(it, isRefusal(it.status))
	r.stopIfDown(it)
}

// fail takes an event out of this pass.
func (r *round) fail(it *item, refusal bool) {
	r.answers++
	if !it.failing {
		it.failing, it.failedAt = true, r.answers
	}
	it.standing, it.refusal = missed, refusal
	r.leave(it)
}

// stopIfDown ends the job after a failure that says that the receiver is not well: of the canary, or of several in a row. Those that have
// failed before may fail again.
func (r *round) stopIfDown(it *item) {
	switch {
	case it.id == r.trial && !r.tested:
		r.judge(it)
	case r.pass > 0 || it.refusal:
	default:
		if r.failures++; r.failures == failuresInARow {
			r.state = Stopped
		}
	}
}

// judge ends the job after a failure of the canary. One that failed by its own fault says nothing about the receiver, so that another one
// is taken, until there were too many.
func (r *round) judge(canary *item) {
	if canary.refusal {
		r.unfit++
	}
	if !canary.refusal || r.unfit == unfitCanaries {
		r.stop(canary)
	}
}

func (r *round) stop(canary *item) {
	r.state, r.canary = Stopped, canary.id
}

// place lets an event through the limit.
func (r *round) place(it *item) {
	if !it.placed {
		it.placed = true
		r.placed++
	}
}

// leave takes an event out of those that have their turn.
func (r *round) leave(it *item) {
	if at := slices.Index(r.turns, it); at >= 0 {
		r.turns = slices.Delete(r.turns, at, at+1)
	}
}

// setBack leaves Medblocks alone for a while.
func (r *round) setBack(now time.Time) {
	r.rest(now.Add(min(setbackInitial<<min(r.setbacks, 10), setbackMax)), now)
	r.setbacks++
}

// rest makes no call before that time.
func (r *round) rest(until, now time.Time) {
	r.quietUntil = later(r.quietUntil, later(until, now.Add(shortestRest)))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
