// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// intent is the annotation that is written before an endpoint is registered. POST has no idempotency key, so a
// registration whose answer never arrived can only be found again by whoever knows that it was attempted.
type intent struct {
	// UID of the resource: the annotation of a restored or copied resource is somebody else's.
	UID types.UID `json:"uid"`
	// Time of the attempt, for people. Nothing is decided by it: clocks differ.
	Time metav1.Time `json:"time"`
	// Attempt counts from 1.
	Attempt int `json:"attempt"`
	// Nonce is the secret-generation mark that the endpoint is registered with.
	Nonce string `json:"nonce"`
	// KeyHash names the API key of the attempt: what it may have created is seen by keys of that workspace only.
	KeyHash string `json:"keyHash,omitempty"`
	// Refused: Medblocks' answer proved that the attempt created nothing.
	Refused bool `json:"refused,omitempty"`
	// Replaces is the id of the endpoint that is gone and registered again; empty for the first registration.
	Replaces string `json:"replaces,omitempty"`
}

// intentOf reads the intent of this incarnation of the resource; nil where there is none.
func intentOf(res *v1alpha1.MedblocksWebhookEndpoint) *intent {
	raw, ok := res.Annotations[v1alpha1.AnnotationRegistration]
	if !ok {
		return nil
	}
	var i intent
	if err := json.Unmarshal([]byte(raw), &i); err != nil {
		// Somebody damaged it. An endpoint may exist: that is what an intent without a known nonce says.
		return &intent{UID: res.UID}
	}
	if i.UID != res.UID {
		return nil
	}
	return &i
}

// open tells whether an endpoint may exist that the status does not name: the outcome of the attempt was not recorded.
func (i *intent) open(endpointID string) bool {
	return i != nil && (endpointID == "" || i.Replaces == endpointID)
}

// underAnotherKey tells whether the attempt was made with a key other than that one.
func (i *intent) underAnotherKey(keyHash string) bool {
	return i.KeyHash != "" && i.KeyHash != keyHash
}

// next is the intent of a new attempt.
func (i *intent) next(res *v1alpha1.MedblocksWebhookEndpoint, nonce, keyHash string, now metav1.Time) intent {
	attempt := 1
	if i.open(res.Status.EndpointID) {
		attempt = i.Attempt + 1
	}
	return intent{UID: res.UID, Time: now, Attempt: attempt, Nonce: nonce, KeyHash: keyHash, Replaces: res.Status.EndpointID}
}

func (i intent) encode() string {
	raw, err := json.Marshal(i)
	if err != nil {
		panic(err) // a struct of strings, a number and a time
	}
	return string(raw)
}
