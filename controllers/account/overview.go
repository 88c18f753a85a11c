// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// Listed is an endpoint as a list of the whole workspace shows it.
type Listed struct {
	ID string
	// Owner is its owner mark; empty: it has none.
	Owner string
	// Incarnation is its incarnation mark.
	Incarnation string
	Disabled    bool
}

// Overview returns all endpoints of the workspace, by id, and when the complete list that they rest on was begun; zero: there was none yet.
func (a *Account) Overview() (endpoints []Listed, listedAt time.Time) {
	a.store.mu.RLock()
	defer a.store.mu.RUnlock()
	endpoints = make([]Listed, 0, len(a.store.endpoints))
	for id, e := range a.store.endpoints {
		endpoints = append(endpoints, Listed{ID: id, Owner: e.Metadata[v1alpha1.MarkOwner], Incarnation: e.Metadata[v1alpha1.MarkIncarnation], Disabled: e.Status == medblocks.EndpointStatusDisabled})
	}
	slices.SortFunc(endpoints, func(a, b Listed) int { return cmp.Compare(a.ID, b.ID) })
	return endpoints, a.store.listedAt
}

// overseers are the MedblocksAccounts that use the account: they look at the whole workspace, and at every list of it.
func (a *Account) overseers() []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []Resource
	for who := range a.users.tracked {
		if who.Namespace == "" {
			all = append(all, who)
		}
	}
	return all
}

// IsOurs tells whether an owner mark is of that cluster.
func IsOurs(owner, clusterID string) bool {
	return strings.HasPrefix(owner, clusterID+"/")
}
