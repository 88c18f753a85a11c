// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"maps"
	"slices"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// Change is an endpoint that differs between two views of an account.
type Change struct {
	ID string
	// Old is nil for an endpoint that was not known before.
	Old *medblocks.Endpoint
	// New is nil for an endpoint that vanished.
	New *medblocks.Endpoint
}

// diff returns what differs between two views. It is a pure function.
func diff(before, after map[string]medblocks.Endpoint) []Change {
	var changes []Change
	for id, was := range before {
		if is, known := after[id]; !known || !sameEndpoint(was, is) {
			changes = append(changes, change(id, before, after))
		}
	}
	for id := range after {
		if _, known := before[id]; !known {
			changes = append(changes, change(id, before, after))
		}
	}
	return changes
}

func change(id string, before, after map[string]medblocks.Endpoint) Change {
	c := Change{ID: id}
	if was, known := before[id]; known {
		c.Old = &was
	}
	if is, known := after[id]; known {
		c.New = &is
	}
	return c
}

// sameEndpoint compares what a reconcile can depend on: updated_at and the request id are not part of it.
func sameEndpoint(a, b medblocks.Endpoint) bool {
	return a.ID == b.ID && a.URL == b.URL && a.Status == b.Status && a.Description == b.Description &&
		a.APIVersion == b.APIVersion && slices.Equal(a.Events, b.Events) && maps.Equal(a.Metadata, b.Metadata)
}
