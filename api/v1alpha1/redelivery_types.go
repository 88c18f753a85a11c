// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// RedeliveryStatus is the progress of the redelivery that follows a re-enable.
type RedeliveryStatus struct {
	// startedAt is when the endpoint was seen to be active again. Events created
	// before it, and no longer before it than maxAge, are redelivered.
	// +required
	StartedAt metav1.Time `json:"startedAt"`
	// begunAt is when the present try was begun. A try that ends early, because
	// the receiver does not accept the events, is followed by another one.
	// +required
	BegunAt metav1.Time `json:"begunAt"`
	// state is Running; Waiting for nextTry, because the receiver did not accept
	// the events; Completed; or Stopped, because the attempts of the
	// reenablePolicy are used up.
	// +required
	State string `json:"state"`
	// pending events, still to be redelivered.
	// +optional
	Pending int32 `json:"pending,omitempty"`
	// delivered events.
	// +optional
	Delivered int32 `json:"delivered,omitempty"`
	// failed events: the receiver refused them again.
	// +optional
	Failed int32 `json:"failed,omitempty"`
	// cursor is the id of the last event that was redelivered in the present try.
	// +optional
	Cursor string `json:"cursor,omitempty"`
	// canary is the id of the event that was redelivered first, to see whether
	// the receiver accepts it.
	// +optional
	Canary string `json:"canary,omitempty"`
	// nextTry is when the next try begins, in the states Waiting and Stopped.
	// +optional
	NextTry *metav1.Time `json:"nextTry,omitempty"`
}

// States of a redelivery.
const (
	RedeliveryRunning   = "Running"
	RedeliveryWaiting   = "Waiting"
	RedeliveryCompleted = "Completed"
	RedeliveryStopped   = "Stopped"
)

// What a receiver makes of deliveries signed with the new secret.
const (
	DeliveriesAwaited  = "Awaited"
	DeliveriesAccepted = "Accepted"
	DeliveriesRefused  = "Refused"
)
