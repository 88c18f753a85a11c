// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"context"
	"slices"
)

// Marked is an endpoint that carries the owner mark of a resource of this cluster.
type Marked struct {
	ID    string
	Owner Resource
}

// Witness learns about endpoints that carry a mark of this cluster and that nobody claims.
type Witness interface {
	// Swept is called after each full list of an account with those endpoints that none of its users claims.
	Swept(ctx context.Context, account *Account, unclaimed []Marked)
	// Abandoned is called when an account has lost its last user, and is not listed any more.
	Abandoned(keyHash string)
}

// unclaimed are the endpoints with a mark of this cluster that is no user's, and that no user tracks, oldest id first.
func (a *Account) unclaimed(clusterID string) []Marked {
	marked := a.store.marked(clusterID)
	a.mu.Lock()
	defer a.mu.Unlock()
	marked = slices.DeleteFunc(marked, func(m Marked) bool {
		return a.users.has(m.Owner) || a.users.isTracked(m.ID)
	})
	slices.SortFunc(marked, func(a, b Marked) int { return cmp.Compare(a.ID, b.ID) })
	return marked
}

// marked are the endpoints with a mark of that cluster.
func (s *store) marked(clusterID string) []Marked {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var marked []Marked
	for _, ids := range s.owners {
		for _, id := range ids {
			endpoint := s.endpoints[id]
			if owner, ok := ownerOf(&endpoint, clusterID); ok {
				marked = append(marked, Marked{ID: id, Owner: owner})
			}
		}
	}
	return marked
}
