// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// desired is what the endpoint should look like at Medblocks, but for its status and its secret-generation mark, which
// have rules of their own.
type desired struct {
	URL         string            `json:"url"`
	Events      []string          `json:"events"` // sorted
	Description string            `json:"description"`
	Metadata    map[string]string `json:"metadata"` // with the marks owner and incarnation
}

func desiredOf(res *v1alpha1.MedblocksWebhookEndpoint, owner string) desired {
	d := desired{
		URL:         res.Spec.URL,
		Description: res.Spec.Description,
		Metadata: map[string]string{
			v1alpha1.MarkOwner:       owner,
			v1alpha1.MarkIncarnation: string(res.UID),
		},
	}
	for _, event := range res.Spec.Events {
		d.Events = append(d.Events, string(event))
	}
	slices.Sort(d.Events)
	for key, value := range res.Spec.Metadata {
		d.Metadata[key] = string(value)
	}
	return d
}

// projectionOf is the endpoint seen through the same fields.
func projectionOf(endpoint *medblocks.Endpoint) desired {
	d := desired{
		URL: endpoint.URL, Events: slices.Sorted(slices.Values(endpoint.Events)),
		Description: endpoint.Description, Metadata: map[string]string{},
	}
	for key, value := range endpoint.Metadata {
		if key != v1alpha1.MarkSecretGeneration {
			d.Metadata[key] = value
		}
	}
	return d
}

// hashVersion is raised when the meaning of a hash changes. An older version then reads as unknown, and unknown is
// settled by comparing fields, so that an upgrade patches nothing that is right already.
const hashVersion = "v1:"

// hash is stable under the order of events and metadata.
func (d desired) hash() string {
	raw, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings only
	}
	sum := sha256.Sum256(raw)
	return hashVersion + hex.EncodeToString(sum[:16])
}

// sameVersion tells whether a hash can be compared with today's.
func sameVersion(hash string) bool { return strings.HasPrefix(hash, hashVersion) }

// withNonce is the complete metadata map: every write of metadata carries all three marks.
func (d desired) withNonce(nonce string) map[string]string {
	metadata := maps.Clone(d.Metadata)
	if nonce != "" {
		metadata[v1alpha1.MarkSecretGeneration] = nonce
	}
	return metadata
}

// diff is the smallest request that makes the endpoint match. The secret-generation mark is kept as it is.
func (d desired) diff(endpoint *medblocks.Endpoint) medblocks.UpdateEndpointRequest {
	is := projectionOf(endpoint)
	var update medblocks.UpdateEndpointRequest
	if is.URL != d.URL {
		update.URL = &d.URL
	}
	if !slices.Equal(is.Events, d.Events) {
		update.Events = d.Events
	}
	if is.Description != d.Description {
		update.Description = &d.Description
	}
	if !maps.Equal(is.Metadata, d.Metadata) {
		update.Metadata = d.withNonce(endpoint.Metadata[v1alpha1.MarkSecretGeneration])
	}
	return update
}

// taking is d with those fields that a request sent as they came back.
func (d desired) taking(sent *medblocks.UpdateEndpointRequest, answer desired) desired {
	if sent.URL != nil {
		d.URL = answer.URL
	}
	if sent.Events != nil {
		d.Events = answer.Events
	}
	if sent.Description != nil {
		d.Description = answer.Description
	}
	if sent.Metadata != nil {
		d.Metadata = answer.Metadata
	}
	return d
}

// create is the request that registers it.
func (d desired) create(res *v1alpha1.MedblocksWebhookEndpoint, nonce string) medblocks.CreateEndpointRequest {
	request := medblocks.CreateEndpointRequest{
		URL: d.URL, Events: d.Events, Metadata: d.withNonce(nonce), APIVersion: res.Spec.MedblocksAPIVersion,
	}
	if d.Description != "" {
		request.Description = &d.Description
	}
	return request
}
