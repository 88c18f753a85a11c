// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"slices"
	"sync"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/intern"
)

// View is what is known of one resource's endpoints at one moment: the last complete list, and the operator's own reads
// and writes since.
type View struct {
	// ListedAt is when the complete list that it rests on was begun; zero before the first one. Before that, absence
	// means nothing.
	ListedAt time.Time
	// Matures is when a list must have been begun at least for an absence to count: an account that was just begun does not know
	// yet how many resources miss their endpoints.
	Matures time.Time
	// Seen is true where the endpoint with the id that was asked for was there once, in this life of the account.
	Seen bool
	// Suspect is true when so many endpoints vanished at once that a fault is likelier than an intent.
	Suspect bool
	// Endpoint has the id that was asked for; nil where there is none.
	Endpoint *medblocks.Endpoint
	// Owned are the endpoints that carry the owner mark that was asked for, oldest first.
	Owned []medblocks.Endpoint
}

// Look returns what is known of the endpoint with that id and of the endpoints with that owner mark, without a call.
func (a *Account) Look(id, owner string) View { return a.store.look(id, owner) }

// OlderFirst orders endpoints by the time of their registration, then by id (which a vendor's ULID orders by time too).
func OlderFirst(a, b medblocks.Endpoint) int {
	if c := a.CreatedAt.Compare(b.CreatedAt.Time); c != 0 {
		return c
	}
	if a.ID < b.ID {
		return -1
	}
	return 1
}

// store holds the endpoints of an account. A sweep takes a while; what the operator itself reads or writes meanwhile
// is newer than the page that the sweep may have read before it. So each such edit is numbered, and a sweep that
// began earlier does not undo it.
type store struct {
	// confirmAfter is how much later a list has to be to confirm that many endpoints vanished at once.
	confirmAfter time.Duration

	mu       sync.RWMutex
	listedAt time.Time
	// firstListedAt is when the first complete list was begun, and absent are the ids that resources know and that were missing
	// from the last one.
	firstListedAt time.Time
	absent        map[string]bool
	// gone are the ids that were there once, until that matters no more.
	gone      map[string]bool
	suspectAt time.Time // when many endpoints vanished at once; zero: never, or confirmed
	endpoints map[string]medblocks.Endpoint
	owners    map[string][]string // owner mark → ids
	edits     map[string]int64    // id → number of the last own read or write since the last sweep
	lastEdit  int64
}

func (s *store) look(id, owner string) View {
	s.mu.RLock()
	defer s.mu.RUnlock()
	view := View{ListedAt: s.listedAt, Matures: s.firstListedAt.Add(s.confirmAfter), Suspect: !s.suspectAt.IsZero()}
	if endpoint, known := s.endpoints[id]; known {
		view.Endpoint = &endpoint
	}
	view.Seen = view.Endpoint != nil || s.gone[id]
	for _, owned := range s.owners[owner] {
		view.Owned = append(view.Owned, s.endpoints[owned])
	}
	slices.SortFunc(view.Owned, OlderFirst)
	return view
}

// begin returns the number that a sweep which starts now has to pass to replace or merge.
func (s *store) begin() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.lastEdit
}

// fold keeps the answer to an own read or write, and returns what is new in it.
func (s *store) fold(endpoint medblocks.Endpoint) []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edited(endpoint.ID)
	endpoint = slim(endpoint)
	c := Change{ID: endpoint.ID, New: &endpoint}
	if was, known := s.endpoints[endpoint.ID]; known {
		c.Old = &was
	}
	s.put(endpoint)
	if c.Old != nil && sameEndpoint(*c.Old, endpoint) {
		return nil
	}
	return []Change{c}
}

// forget keeps that an endpoint was deleted, and returns what is new in that.
func (s *store) forget(id string) []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edited(id)
	was, known := s.endpoints[id]
	s.remove(id)
	s.miss(id)
	if !known {
		return nil
	}
	return []Change{{ID: id, Old: &was}}
}

// isMature tells whether absence counts without more ado.
func (s *store) isMature(at time.Time) bool {
	return !s.firstListedAt.IsZero() && !at.Before(s.firstListedAt.Add(s.confirmAfter))
}

func (s *store) miss(id string) {
	if s.isMature(s.listedAt) {
		return
	}
	if s.gone == nil {
		s.gone = map[string]bool{}
	}
	s.gone[id] = true
}

// replace takes over a complete list that was begun at that time and edit number. It returns what changed, and whether
// an earlier suspicion was settled by this list. Expected are the ids that resources know: one that is in no list has vanished too,
// while the operator was away.
func (s *store) replace(begun int64, at time.Time, listed map[string]medblocks.Endpoint, expected []string) (changes []Change, settled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, edit := range s.edits {
		if edit <= begun {
			delete(s.edits, id)
			continue
		}
		if endpoint, known := s.endpoints[id]; known {
			listed[id] = endpoint
		} else {
			delete(listed, id)
		}
	}
	changes = diff(s.endpoints, listed)
	settled = s.judge(max(len(s.endpoints), len(expected)), s.vanished(changes, listed, expected), at)
	if s.listedAt.IsZero() {
		s.firstListedAt = at
	}
	s.endpoints, s.owners = listed, map[string][]string{}
	for id, endpoint := range listed {
		s.index(id, endpoint)
	}
	if s.listedAt = at; s.isMature(at) {
		s.gone = nil
	}
	return changes, settled
}

// merge takes over a partial list (of the disabled endpoints): it adds and updates, and proves no absence.
func (s *store) merge(begun int64, listed map[string]medblocks.Endpoint) []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changes []Change
	for id, endpoint := range listed {
		if s.edits[id] > begun {
			continue
		}
		if old, known := s.endpoints[id]; !known || !sameEndpoint(old, endpoint) {
			changes = append(changes, change(id, s.endpoints, listed))
			s.put(endpoint)
		}
	}
	return changes
}

// judge suspects a sweep in which more than a tenth, and at least three, of the known endpoints vanished at once. A list
// that comes long enough after it without such a loss settles the suspicion, whether they are back or not.
func (s *store) judge(known, vanished int, at time.Time) (settled bool) {
	switch {
	case vanished >= 3 && vanished*10 > known:
		s.suspectAt = at
	case !s.suspectAt.IsZero() && at.Sub(s.suspectAt) >= s.confirmAfter:
		s.suspectAt = time.Time{}
		return true
	}
	return false
}

// vanished counts what is missing from a list and was not from the one before, or was not known to be expected then.
func (s *store) vanished(changes []Change, listed map[string]medblocks.Endpoint, expected []string) int {
	count, absent := 0, map[string]bool{}
	for _, c := range changes {
		if c.New == nil {
			count++
			absent[c.ID] = true
			s.miss(c.ID)
		}
	}
	for _, id := range expected {
		if _, there := listed[id]; there || absent[id] {
			continue
		}
		if !s.absent[id] {
			count++
		}
		absent[id] = true
	}
	s.absent = absent
	return count
}

func (s *store) edited(id string) {
	if s.edits == nil {
		s.edits = map[string]int64{}
	}
	s.lastEdit++
	s.edits[id] = s.lastEdit
}

// slim is what is kept of an endpoint: what many of them say is kept once, and the id of the answer that it came in not at all.
func slim(endpoint medblocks.Endpoint) medblocks.Endpoint {
	endpoint.RequestID = ""
	intern.Strings(&endpoint)
	return endpoint
}

// keep is what is to be kept of a listed endpoint. Where the list shows nothing new, that is what is kept already, so that a sweep
// does not need the memory of a second snapshot.
func (s *store) keep(listed medblocks.Endpoint) medblocks.Endpoint {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if known, ok := s.endpoints[listed.ID]; ok && sameEndpoint(known, listed) && known.CreatedAt.Equal(listed.CreatedAt.Time) {
		return known
	}
	return slim(listed)
}

func (s *store) put(endpoint medblocks.Endpoint) {
	if s.endpoints == nil {
		s.endpoints = map[string]medblocks.Endpoint{}
	}
	s.remove(endpoint.ID)
	s.endpoints[endpoint.ID] = endpoint
	s.index(endpoint.ID, endpoint)
}

func (s *store) remove(id string) {
	old, known := s.endpoints[id]
	if !known {
		return
	}
	delete(s.endpoints, id)
	owner := old.Metadata[v1alpha1.MarkOwner]
	s.owners[owner] = slices.DeleteFunc(s.owners[owner], func(other string) bool { return other == id })
	if len(s.owners[owner]) == 0 {
		delete(s.owners, owner)
	}
}

func (s *store) index(id string, endpoint medblocks.Endpoint) {
	if owner := endpoint.Metadata[v1alpha1.MarkOwner]; owner != "" {
		s.owners[owner] = append(s.owners[owner], id)
	}
}
