// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// Clock is a fake clock that knows when the next timer is due.
type Clock struct {
	*clocktesting.FakeClock

	mu     sync.Mutex
	timers map[*timer]struct{}
}

func newClock(start time.Time) *Clock {
	return &Clock{FakeClock: clocktesting.NewFakeClock(start), timers: map[*timer]struct{}{}}
}

// NewTimer returns a timer that fires when the clock is moved.
func (c *Clock) NewTimer(d time.Duration) clock.Timer { return c.newTimer(d, nil) }

// After returns the channel of a timer.
func (c *Clock) After(d time.Duration) <-chan time.Time { return c.NewTimer(d).C() }

func (c *Clock) newTimer(d time.Duration, sleeper *sleeper) *timer {
	t := &timer{Timer: c.FakeClock.NewTimer(d), clock: c, due: c.Now().Add(d), sleeper: sleeper}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timers[t] = struct{}{}
	return t
}

// nextDue is when the next timer fires; zero without one.
func (c *Clock) nextDue() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	var next time.Time
	for t := range c.timers {
		if next.IsZero() || t.due.Before(next) {
			next = t.due
		}
	}
	return next
}

// moveTo sets the time and fires what is due.
func (c *Clock) moveTo(at time.Time) {
	c.mu.Lock()
	for t := range c.timers {
		if !t.due.After(at) {
			delete(c.timers, t)
			t.sleeper.wake()
		}
	}
	c.mu.Unlock()
	c.SetTime(at)
}

// timer is a timer that is forgotten once it is stopped.
type timer struct {
	clock.Timer
	clock   *Clock
	due     time.Time
	sleeper *sleeper // who waits for it; nil: nobody in particular
}

// Stop prevents the timer from firing.
func (t *timer) Stop() bool {
	t.clock.mu.Lock()
	if _, armed := t.clock.timers[t]; armed {
		delete(t.clock.timers, t)
		t.sleeper.wake()
	}
	t.clock.mu.Unlock()
	return t.Timer.Stop()
}

// sleeper counts the goroutines of one operator that were woken by a timer, or left one, and do not wait for the next
// one yet: the pollers at work. One that ends never waits again, so that this is believed for a while only.
type sleeper struct {
	mu    sync.Mutex
	awake int
	asked int // how often since the last one was woken
}

// disbelief is how often somebody has to ask, a millisecond apart or more, until a poller counts as ended that was woken and
// does nothing anybody can see. It is not a time: on a busy machine, who asks has to wait for the processor as well.
const disbelief = 150

func (s *sleeper) wake() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awake, s.asked = s.awake+1, 0
}

func (s *sleeper) sleep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awake = max(0, s.awake-1)
}

func (s *sleeper) asleep() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked++; s.asked > disbelief {
		s.awake = 0
	}
	return s.awake == 0
}

// operatorClock is the clock as one operator sees it.
type operatorClock struct {
	*Clock
	sleeper *sleeper
}

func (c operatorClock) NewTimer(d time.Duration) clock.Timer {
	defer c.sleeper.sleep()
	return c.newTimer(d, c.sleeper)
}

// earliest returns the earliest of the times that are not zero.
func earliest(times ...time.Time) time.Time {
	times = slices.DeleteFunc(times, time.Time.IsZero)
	if len(times) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(times, time.Time.Compare)
}
