// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import "time"

// MaxAttempts is how often an event is tried. When the last attempt fails, its endpoint is disabled (vendor).
const MaxAttempts = 9

// attemptDelays are the delays before the first attempt and each one after it (vendor).
var attemptDelays = [MaxAttempts]time.Duration{
	0, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 12 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
}

// Schedule is how long it takes Medblocks to give an event up, from its creation to the last attempt, if every attempt fails at once (vendor).
func Schedule() time.Duration {
	var total time.Duration
	for _, delay := range attemptDelays {
		total += delay
	}
	return total
}

// LastAttemptAt is when the last attempt to deliver an event is due, if all before it fail. It is false for an event that is not
// tried any more.
func (e *EventRecord) LastAttemptAt() (time.Time, bool) {
	if e.DeliveredAt != nil || e.NextAttemptAt == nil || e.Attempts < 0 || e.Attempts >= MaxAttempts {
		return time.Time{}, false
	}
	at := e.NextAttemptAt.Time
	for _, delay := range attemptDelays[e.Attempts+1:] {
		at = at.Add(delay)
	}
	return at, true
}

// LastTriedAt is when the attempt before the next one was made, as far as the schedule tells. It is false where there was none, or is
// no next one.
func (e *EventRecord) LastTriedAt() (time.Time, bool) {
	if e.NextAttemptAt == nil || e.Attempts < 1 || e.Attempts >= MaxAttempts {
		return time.Time{}, false
	}
	return e.NextAttemptAt.Add(-attemptDelays[e.Attempts]), true
}
