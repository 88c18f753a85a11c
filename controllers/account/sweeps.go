// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"sync"
	"time"
)

// sweep is a kind of list that the poller makes.
type sweep string

const (
	sweepFull     sweep = "full"
	sweepDisabled sweep = "disabled"
)

// sweeps are when an account was last listed to the end.
type sweeps struct {
	mu   sync.Mutex
	last map[sweep]time.Time
}

func (s *sweeps) note(kind sweep, begun time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = map[sweep]time.Time{}
	}
	s.last[kind] = begun
}

// at is when the last complete list of that kind was begun; zero: there was none.
func (s *sweeps) at(kind sweep) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last[kind]
}

// swept keeps that a list which was begun at that time was read to its end.
func (p *poller) swept(kind sweep, begun time.Time) {
	sweepDuration.WithLabelValues(string(kind)).Observe(p.opts.Clock.Now().Sub(begun).Seconds())
	p.account.sweeps.note(kind, begun)
}
