// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/controllers/account"
)

// turns let one resource at a time read and write an endpoint. A resource is reconciled by one worker at a time, but two may be
// after the same endpoint: one that adopts it, and the one that it takes it from. Between the live read and the write that is
// planned on it, and between a mark and the rotation that it announces, nobody else may come.
type turns struct {
	mu  sync.Mutex
	all map[string]turn
}

type turn struct {
	who account.Resource
	// busy: they are at it right now.
	busy bool
	// until is when a write of theirs cannot be in flight any more.
	until time.Time
}

// take tells whether it is a resource's turn at an endpoint.
func (t *turns) take(endpointID string, who account.Resource, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	is := t.all[endpointID]
	if is.who != who {
		if is.busy || now.Before(is.until) {
			return false
		}
		is = turn{who: who}
	}
	if t.all == nil {
		t.all = map[string]turn{}
	}
	is.busy = true
	t.all[endpointID] = is
	return true
}

// end lets others come: at once or, where a write may still be in flight, after that.
func (t *turns) end(endpointID string, who account.Resource, until, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	is := t.all[endpointID]
	if is.who != who {
		return
	}
	is.busy = false
	if until.After(is.until) {
		is.until = until
	}
	t.all[endpointID] = is
	for id, other := range t.all { // of resources that never came again, too
		if !other.busy && !now.Before(other.until) {
			delete(t.all, id)
		}
	}
}

// takeTurns makes sure that nobody else reads or writes the endpoints that a plan is about. What was read before has to be read
// again then.
func (r *Reconciler) takeTurns(w *work, p *plan) (mine, afresh bool) {
	for _, id := range p.endpoints() {
		if w.turns[id] || w.res.Observes() { // who only looks is in nobody's way
			continue
		}
		if !r.takeTurn(w, id) {
			return false, false
		}
		if w.obs.isLive(id) {
			delete(w.obs.live, id)
			afresh = true
		}
	}
	return true, afresh
}

func (r *Reconciler) takeTurn(w *work, endpointID string) bool {
	if !r.turns.take(endpointID, client.ObjectKeyFromObject(w.res), r.Clock.Now()) {
		return false
	}
	w.turns[endpointID] = true
	return true
}

func (r *Reconciler) endTurns(w *work) {
	for id := range w.turns {
		r.turns.end(id, client.ObjectKeyFromObject(w.res), w.unclear[id], r.Clock.Now())
	}
}

// endpoints are those that a plan reads or writes.
func (p *plan) endpoints() []string {
	ids := slices.Clone(p.Needs.endpoints)
	for _, s := range p.Steps {
		if s.Action.atMedblocks() && s.EndpointID != "" {
			ids = append(ids, s.EndpointID)
		}
	}
	return ids
}
