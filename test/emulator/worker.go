// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"container/heap"
	"net/http"
	"time"
)

const (
	// attemptTimeout is how long a receiver has for its answer [doc].
	attemptTimeout = 5 * time.Second
	// maxConcurrentAttempts bounds the connections to receivers.
	maxConcurrentAttempts = 128
)

// worker makes the attempts that are due. Its fields, and the methods that say
// so, are guarded by Server.mu.
type worker struct {
	s      *Server
	client *http.Client
	wake   chan struct{}
	slots  chan struct{}

	plans   plans
	seq     uint64
	running int
}

func newWorker(s *Server) *worker {
	return &worker{
		s: s, client: deliveryClient(s.opts),
		wake: make(chan struct{}, 1), slots: make(chan struct{}, maxConcurrentAttempts),
	}
}

// run starts attempts as they fall due, until Close.
func (w *worker) run() {
	for {
		w.startDue()
		fires, stop := w.sleep()
		select {
		case <-w.s.ctx.Done():
			stop()
			return
		case <-w.wake:
		case <-fires:
		}
		stop()
	}
}

// sleep arms a timer for the next plan. The channel is nil when there is none.
func (w *worker) sleep() (fires <-chan time.Time, stop func()) {
	w.s.mu.Lock()
	next, found := w.plans.next()
	w.s.mu.Unlock()
	if !found {
		return nil, func() {}
	}
	clk := w.s.opts.Clock
	for {
		now := clk.Now()
		if !next.at.After(now) {
			return closedTime, func() {}
		}
		timer := clk.NewTimer(next.at.Sub(now))
		// A fake clock may have been stepped between the two calls: the timer
		// would then be late by that step, and nothing would ever fire it.
		if clk.Since(now) < time.Millisecond {
			return timer.C(), func() { timer.Stop() }
		}
		timer.Stop()
	}
}

var closedTime = func() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()

func (w *worker) startDue() {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	if w.s.ctx.Err() != nil {
		return
	}
	now := w.s.opts.Clock.Now()
	for {
		next, found := w.plans.next()
		if !found || next.at.After(now) {
			return
		}
		heap.Pop(&w.plans)
		next.ev.plan = 0
		w.running++
		w.s.wg.Go(func() { w.inSlot(next.ev) })
	}
}

func (w *worker) inSlot(ev *event) {
	select {
	case w.slots <- struct{}{}:
		w.attempt(w.s.ctx, ev, false)
		<-w.slots
	case <-w.s.ctx.Done():
	}
	w.s.mu.Lock()
	w.running--
	w.s.mu.Unlock()
	w.nudge()
}

func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// schedule plans the next attempt of an event; s.mu is held.
func (w *worker) schedule(ev *event, at time.Time) {
	w.seq++
	ev.plan = w.seq
	ev.parked = false
	ev.NextAttemptAt = &at
	heap.Push(&w.plans, plan{at: at, seq: w.seq, ev: ev})
	w.nudge()
}

// cancel takes an event off the schedule; s.mu is held.
func (w *worker) cancel(ev *event) {
	ev.plan = 0
	ev.parked = false
	ev.NextAttemptAt = nil
}

// park keeps an event for the endpoint's re-enable; s.mu is held.
func (w *worker) park(ev *event) {
	w.cancel(ev)
	ev.parked = true
}

// hold is what a disable means for retries that are pending: they are given up
// and stay undelivered until somebody redelivers them [assumed], unless the
// quirk resume_retries parks them. s.mu is held.
func (w *worker) hold(e *endpoint) {
	for _, ev := range e.undelivered.items {
		switch {
		case ev.NextAttemptAt == nil:
		case w.s.quirks.ResumeRetries:
			w.park(ev)
		default:
			w.cancel(ev)
		}
	}
}

// resume is what a re-enable means: nothing by itself [assumed], but parked
// events go on. s.mu is held.
func (w *worker) resume(e *endpoint, now time.Time) {
	for _, ev := range e.undelivered.items {
		if ev.parked {
			w.schedule(ev, now)
		}
	}
}

// delay before the n-th attempt of the schedule, 1 to 9.
func (w *worker) delay(n int) time.Duration {
	return time.Duration(float64(retryDelays[n-1]) / w.s.opts.TimeScale)
}

// Idle tells whether no attempt is in flight or due. On a fake clock this is
// the moment to look at the result, and then to step on.
func (s *Server) Idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, found := s.worker.plans.next()
	return s.worker.running == 0 && (!found || next.at.After(s.opts.Clock.Now()))
}

// NextAttempt is the time of the soonest attempt planned, false when there is none.
func (s *Server) NextAttempt() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, found := s.worker.plans.next()
	return next.at, found
}
