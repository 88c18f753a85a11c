// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/medblocks/webhook-operator/controllers/account"
)

// verdict is what was found out about an endpoint that no user of an account claims.
type verdict int

const (
	// unclear: nothing could be found out, or there is nothing to remember.
	unclear verdict = iota
	// claimed: its resource exists, and another operator is responsible for it (--watch-label-selector).
	claimed
	// orphaned: its resource does not exist.
	orphaned
)

// finding is what is remembered of an endpoint, so that it is looked into and reported once.
type finding struct {
	verdict   verdict
	namespace string // of its owner mark
}

// findings are kept by the account that lists the endpoint (its key hash), and by the endpoint's id.
type findings struct {
	mu       sync.Mutex
	accounts map[string]map[string]finding
	shown    map[string]bool // the namespaces that the metric shows
	// asked is the round in which each endpoint was last looked into, also those of which nothing is remembered.
	asked map[string]map[string]int
	round int
}

// due picks those that a sweep looks into: those that never were, and then those that were the longest ago. So nothing that was found out
// is believed for ever, and nothing that stays unclear keeps others from their turn.
func (f *findings) due(keyHash string, candidates []account.Marked, most int) map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, now, due := f.asked[keyHash], map[string]int{}, map[string]bool{}
	ordered := slices.Clone(candidates)
	slices.SortFunc(ordered, func(a, b account.Marked) int {
		return cmp.Or(cmp.Compare(before[a.ID], before[b.ID]), cmp.Compare(a.ID, b.ID))
	})
	f.round++
	for i, m := range ordered {
		if now[m.ID] = before[m.ID]; i < most {
			now[m.ID], due[m.ID] = f.round, true
		}
	}
	if f.asked == nil {
		f.asked = map[string]map[string]int{}
	}
	if f.asked[keyHash] = now; len(now) == 0 {
		delete(f.asked, keyHash)
	}
	return due
}

// drop forgets a finding that has proved wrong, so that the endpoint is looked into anew before all others.
func (f *findings) drop(keyHash, endpointID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.accounts[keyHash], endpointID)
	delete(f.asked[keyHash], endpointID)
	f.show()
}

// of returns a copy of an account's findings.
func (f *findings) of(keyHash string) map[string]finding {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]finding{}
	maps.Copy(all, f.accounts[keyHash])
	return all
}

// set replaces an account's findings.
func (f *findings) set(keyHash string, all map[string]finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.accounts == nil {
		f.accounts = map[string]map[string]finding{}
	}
	delete(f.accounts, keyHash)
	if len(all) > 0 {
		f.accounts[keyHash] = all
	}
	f.show()
}

// show counts the orphans per namespace. Two accounts may list the same endpoint. A namespace without orphans has no series.
func (f *findings) show() {
	orphans := map[string]map[string]bool{}
	for _, all := range f.accounts {
		for id, is := range all {
			if is.verdict != orphaned {
				continue
			}
			if orphans[is.namespace] == nil {
				orphans[is.namespace] = map[string]bool{}
			}
			orphans[is.namespace][id] = true
		}
	}
	for namespace := range f.shown {
		if len(orphans[namespace]) == 0 {
			orphanedEndpoints.DeleteLabelValues(namespace)
		}
	}
	f.shown = map[string]bool{}
	for namespace, ids := range orphans {
		orphanedEndpoints.WithLabelValues(namespace).Set(float64(len(ids)))
		f.shown[namespace] = true
	}
}

// turnstile keeps two from judging the endpoints of one account at the same time, and so from reporting one twice. It is held during
// calls: accounts do not wait for each other.
type turnstile struct {
	mu  sync.Mutex
	all map[string]*sync.Mutex // one for each key that was ever used: they are few
}

func (t *turnstile) enter(keyHash string) (leave func()) {
	t.mu.Lock()
	if t.all == nil {
		t.all = map[string]*sync.Mutex{}
	}
	if t.all[keyHash] == nil {
		t.all[keyHash] = &sync.Mutex{}
	}
	one := t.all[keyHash]
	t.mu.Unlock()
	one.Lock()
	return one.Unlock
}
