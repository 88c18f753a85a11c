// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// OwnerMark is the value of the owner mark of a resource: its identity at Medblocks.
func OwnerMark(clusterID string, who Resource) string {
	return clusterID + "/" + who.Namespace + "/" + who.Name
}

// ownerOf is the resource of this cluster that an endpoint's owner mark names.
func ownerOf(endpoint *medblocks.Endpoint, clusterID string) (Resource, bool) {
	if endpoint == nil {
		return Resource{}, false
	}
	return OwnerOf(endpoint.Metadata[v1alpha1.MarkOwner], clusterID)
}

// OwnerOf is the resource of this cluster that an owner mark names.
func OwnerOf(mark, clusterID string) (Resource, bool) {
	rest, ok := strings.CutPrefix(mark, clusterID+"/")
	if !ok {
		return Resource{}, false
	}
	namespace, name, ok := strings.Cut(rest, "/")
	return Resource{Namespace: namespace, Name: name}, ok && namespace != "" && !strings.Contains(name, "/") // no resource has such a name
}

// affected names the users of the account that a change concerns: those that look at the endpoint, and those that
// manage it, by the owner mark before and after it and by its id.
func (a *Account) affected(c Change) []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	concerned := a.users.of(c.ID)
	for _, endpoint := range []*medblocks.Endpoint{c.Old, c.New} {
		if who, ok := ownerOf(endpoint, a.clusterID); ok && a.users.has(who) && !slices.Contains(concerned, who) {
			concerned = append(concerned, who)
		}
	}
	return concerned
}
