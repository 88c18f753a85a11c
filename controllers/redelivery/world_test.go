// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// start is when the jobs of the tests are begun.
var start = time.Date(2026, 4, 25, 14, 30, 0, 0, time.UTC)

// anyJob is about the events of the four days before start.
func anyJob(tweaks ...func(*Job)) Job {
	job := Job{EndpointID: "wh_1", From: start.Add(-96 * time.Hour), Before: start, Begun: start, Limit: 1000}
	for _, tweak := range tweaks {
		tweak(&job)
	}
	return job
}

// lost is an event that was created so many minutes before start, and whose nine attempts failed.
func lost(id string, minutes int) event {
	return event{id: id, created: start.Add(-time.Duration(minutes) * time.Minute), attempts: 9, status: 503}
}

// call is one call for an event.
type call struct {
	id string
	at time.Time
	// attempted: Medblocks has sent the event to the receiver.
	attempted bool
	verdict   verdict
}

// world is a Medblocks and a receiver in memory, on a clock that a round moves.
type world struct {
	now   time.Time
	round *round
	// skew is how much Medblocks' clock is ahead.
	skew time.Duration
	// calm: nothing goes wrong here, but for the receiver.
	calm bool
	// events are those that were not delivered.
	events map[string]*event
	// receiver is what is answered to an event.
	receiver func(id string) int
	// trouble is what goes wrong with a call for an event, if anything does; attempted: it has its effect all the same.
	trouble func(id string) (o *outcome, attempted bool)
	// listTrouble is what goes wrong with a list; nil: nothing.
	listTrouble func() *outcome
	// cut lists are left before their end: they have only these events.
	cut func() map[string]event

	calls     []call
	delivered map[string]bool
	lists     []time.Time
	wrong     string
}

func newWorld(job Job, events ...event) *world {
	w := &world{now: start, round: newRound(job), events: map[string]*event{}, delivered: map[string]bool{}}
	w.receiver = func(string) int { return 200 }
	w.trouble = func(string) (*outcome, bool) { return nil, false }
	w.listTrouble = func() *outcome { return nil }
	for _, e := range events {
		w.events[e.id] = &e
	}
	return w
}

// step does what the round wants, and tells whether there may be more.
func (w *world) step() bool {
	next := w.round.next(w.now)
	switch next.action {
	case actionEnd:
		return false
	case actionWait:
		if !next.until.After(w.now) {
			w.wrong = "it waits for what has passed"
			return false
		}
		w.now = next.until
	case actionList:
		w.list()
	case actionSend:
		w.send(next.event)
	}
	return true
}

// play goes on until the round ends, or for so many steps.
func (w *world) play(steps int) bool {
	for range steps {
		if !w.step() {
			return true
		}
	}
	return false
}

func (w *world) list() {
	w.lists = append(w.lists, w.now)
	w.now = w.now.Add(100 * time.Millisecond)
	if o := w.listTrouble(); o != nil {
		w.round.noteListTrouble(*o, w.now)
		return
	}
	l := newListing(w.round.job)
	for _, e := range w.events {
		if !e.created.Before(l.job.From) && e.created.Before(l.job.Before) {
			l.events[e.id] = *e
		}
	}
	if w.cut != nil {
		l.events, l.cut = w.cut(), true
	}
	w.round.takeList(l, w.now)
}

func (w *world) send(id string) {
	o, attempted := w.trouble(id)
	c := call{id: id, at: w.now, attempted: attempted}
	switch {
	case o == nil:
		is := w.redeliver(id)
		o, c.attempted = &is, is.verdict == delivered || is.verdict == failed
	case c.attempted:
		c.attempted = slices.Contains([]verdict{delivered, failed}, w.redeliver(id).verdict)
	}
	c.verdict = o.verdict
	w.calls = append(w.calls, c)
	w.now = w.now.Add(100 * time.Millisecond)
	w.round.note(id, *o, w.now)
}

// redeliver is what Medblocks does.
func (w *world) redeliver(id string) outcome {
	e := w.events[id]
	if e == nil {
		if w.delivered[id] {
			w.wrong = id + " is sent although it was delivered"
		}
		return outcome{verdict: gone}
	}
	now := w.now.Add(w.skew)
	if since := now.Sub(e.redelivered); since < time.Minute {
		return outcome{verdict: tooSoon, wait: (time.Minute - since + time.Second).Truncate(time.Second)}
	}
	e.redelivered, e.attempts, e.status = now, e.attempts+1, w.receiver(id)
	if e.status >= 200 && e.status <= 299 {
		w.delivered[id] = true
		delete(w.events, id)
		return outcome{verdict: delivered, event: *e}
	}
	return outcome{verdict: failed, event: *e}
}

// told is the calls in a form to compare: the events, in order, with their verdict where that is not that they were delivered.
func (w *world) told() string {
	var all []string
	for _, c := range w.calls {
		s := c.id
		if c.verdict != delivered {
			s += fmt.Sprintf("(%s)", c.verdict)
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}
