// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"maps"
	"slices"
	"strconv"
)

// The call log and the captured deliveries keep the newest entries only.
const (
	maxLoggedCalls = 10_000
	maxDeliveries  = 10_000
)

func newCounters() Counters {
	return Counters{Calls: map[Operation]int{}, Statuses: map[Operation]map[string]int{}}
}

// record counts and logs a call. It comes before the answer is written, so that
// a client which has its answer finds it counted.
func (t *transport) record(status int) {
	s, c := t.s, t.c
	entry := Call{
		At: s.opts.Clock.Now(), Operation: c.op, Method: c.request.Method, Path: c.request.URL.RequestURI(),
		APIKey: c.key, Version: c.request.Header.Get("Version"), Body: string(c.body), Status: status, RequestID: c.requestID,
	}
	if c.fault != nil {
		entry.Fault = c.fault.Kind
	}
	s.opts.Logger.Info("vendor call", "operation", c.op, "method", entry.Method, "path", entry.Path,
		"status", status, "requestID", c.requestID, "fault", entry.Fault)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counters.Calls[c.op]++
	if s.counters.Statuses[c.op] == nil {
		s.counters.Statuses[c.op] = map[string]int{}
	}
	s.counters.Statuses[c.op][strconv.Itoa(status)]++
	s.calls = appendBounded(s.calls, entry, maxLoggedCalls)
}

// appendBounded drops a tenth of the oldest entries at once when the bound is
// reached, so that a full log does not copy itself for each entry.
func appendBounded[T any](log []T, entry T, bound int) []T {
	if len(log) >= bound {
		log = slices.Clone(log[bound/10:])
	}
	return append(log, entry)
}

// Counters returns a copy of the counters.
func (s *Server) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := newCounters()
	maps.Copy(out.Calls, s.counters.Calls)
	for op, statuses := range s.counters.Statuses {
		out.Statuses[op] = maps.Clone(statuses)
	}
	return out
}

// ResetCounters starts counting anew and empties the call log.
func (s *Server) ResetCounters() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counters = newCounters()
	s.calls = nil
}

// Calls returns the newest vendor calls (at most 10,000), oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Deliveries returns the newest captured attempts (at most 10,000), oldest first.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}
