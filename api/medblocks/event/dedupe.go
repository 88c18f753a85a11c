// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Claim is what a Deduplicator knows about an event.
type Claim int

// The answers of Deduplicator.Claim.
const (
	// Claimed: nobody has handled the event, and now it is the caller's to handle.
	Claimed Claim = iota
	// InProgress: somebody is handling it right now.
	InProgress
	// Done: it was handled.
	Done
)

// Deduplicator remembers which events were handled. Medblocks delivers the same
// event more than once: after a failed attempt, when an answer was late, and when
// a person asks for it. A receiver with several replicas needs one that they
// share; there, let a claim expire some time after the handler's timeout, or a
// replica that dies while handling blocks its event for good.
type Deduplicator interface {
	// Claim reserves an event for the caller. Of several calls with the same id at
	// the same time, at most one may be told Claimed.
	Claim(ctx context.Context, id string) (Claim, error)
	// Complete ends a claim: the event was handled.
	Complete(ctx context.Context, id string) error
	// Release ends a claim: the event was not handled, and its next delivery is to
	// be tried again.
	Release(ctx context.Context, id string) error
}

// DefaultMemorySize is how many events NewMemoryDeduplicator remembers by default.
const DefaultMemorySize = 10_000

// ErrBusy says that a deduplicator cannot take another claim now.
var ErrBusy = errors.New("too many events are being handled")

// MemoryDeduplicator remembers a bounded number of events, the latest ones. It
// forgets all of them with its process.
type MemoryDeduplicator struct {
	mu         sync.Mutex
	inProgress map[string]bool
	done       map[string]bool
	// ring holds the done ids in the order of their completion; next is where the
	// oldest is, once it is full.
	ring []string
	next int
	size int
}

// NewMemoryDeduplicator remembers the given number of handled events, and admits
// as many at a time; a size below 1 means DefaultMemorySize.
func NewMemoryDeduplicator(size int) *MemoryDeduplicator {
	if size < 1 {
		size = DefaultMemorySize
	}
	return &MemoryDeduplicator{inProgress: map[string]bool{}, done: map[string]bool{}, size: size}
}

// Claim reserves an event. Its only error is ErrBusy.
func (m *MemoryDeduplicator) Claim(_ context.Context, id string) (Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.done[id]:
		return Done, nil
	case m.inProgress[id]:
		return InProgress, nil
	case len(m.inProgress) >= m.size:
		return InProgress, fmt.Errorf("%w: %d", ErrBusy, m.size)
	}
	m.inProgress[id] = true
	return Claimed, nil
}

// Complete remembers an event as handled, and forgets the oldest one when there
// are too many. It never fails.
func (m *MemoryDeduplicator) Complete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.inProgress, id)
	if m.done[id] {
		return nil
	}
	m.done[id] = true
	if len(m.ring) < m.size {
		m.ring = append(m.ring, id)
		return nil
	}
	delete(m.done, m.ring[m.next])
	m.ring[m.next] = id
	m.next = (m.next + 1) % m.size
	return nil
}

// Release forgets a claim. It never fails.
func (m *MemoryDeduplicator) Release(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.inProgress, id)
	return nil
}
