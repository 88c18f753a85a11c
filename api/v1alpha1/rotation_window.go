// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"slices"
	"time"
)

// Next is the first moment, not before the one given, that lies within the window. A nil window is always open.
func (w *RotationWindow) Next(from time.Time) time.Time {
	if w == nil {
		return from
	}
	from = from.UTC()
	midnight := from.Truncate(24 * time.Hour)
	// Yesterday's window may still be open, and today's may be over.
	for day := -1; day <= 7; day++ {
		start, end, open := w.on(midnight.AddDate(0, 0, day))
		if open && from.Before(end) {
			if start.After(from) {
				return start
			}
			return from
		}
	}
	return from // it names no day that there is: the schema refuses that
}

// on is the window that begins on a day, if one does.
func (w *RotationWindow) on(midnight time.Time) (start, end time.Time, open bool) {
	if len(w.Days) > 0 && !slices.Contains(w.Days, Weekday(midnight.Weekday().String())) {
		return time.Time{}, time.Time{}, false
	}
	from, until := w.hours()
	if until <= from {
		until += 24 * time.Hour
	}
	return midnight.Add(from), midnight.Add(until), true
}

// hours are the beginning and the end, since midnight. What cannot be read is the whole day: the schema refuses it.
func (w *RotationWindow) hours() (from, until time.Duration) {
	const layout = "15:04"
	if len(w.Hours) != len("15:04-15:04") {
		return 0, 24 * time.Hour
	}
	start, err := time.Parse(layout, w.Hours[:len(layout)])
	end, errEnd := time.Parse(layout, w.Hours[len(layout)+1:])
	if err != nil || errEnd != nil {
		return 0, 24 * time.Hour
	}
	return sinceMidnight(start), sinceMidnight(end)
}

func sinceMidnight(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}
