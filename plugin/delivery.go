// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// Delivery is how far Medblocks has come with one event. What the event is about, and what the receiver's answer said, is in no result:
// it is about patients.
type Delivery struct {
	Event string `json:"event"`
	Type  string `json:"type"`
	// State is Delivered; Retrying: there will be another attempt; GivenUp: there was the last one; or Undelivered: neither is known.
	State string `json:"state"`
	// Attempts made so far.
	Attempts int `json:"attempts"`
	// LastStatusCode is the receiver's last answer; absent where it did not answer.
	LastStatusCode    *int         `json:"lastStatusCode,omitempty"`
	CreatedAt         metav1.Time  `json:"createdAt"`
	DeliveredAt       *metav1.Time `json:"deliveredAt,omitempty"`
	NextAttemptAt     *metav1.Time `json:"nextAttemptAt,omitempty"`
	LastRedeliveredAt *metav1.Time `json:"lastRedeliveredAt,omitempty"`
}

// States of a delivery.
const (
	deliveryDone     = "Delivered"
	deliveryRetrying = "Retrying"
	deliveryGivenUp  = "GivenUp"
	deliveryUnknown  = "Undelivered"
)

func deliveryOf(event medblocks.EventRecord) Delivery {
	is := Delivery{
		Event: event.ID, Type: event.Type, State: deliveryUnknown, Attempts: event.Attempts, LastStatusCode: event.LastStatusCode,
		CreatedAt:   metav1.NewTime(event.CreatedAt.Time),
		DeliveredAt: timeOf(event.DeliveredAt), NextAttemptAt: timeOf(event.NextAttemptAt), LastRedeliveredAt: timeOf(event.LastRedeliveredAt),
	}
	switch {
	case is.DeliveredAt != nil:
		is.State = deliveryDone
	case is.NextAttemptAt != nil:
		is.State = deliveryRetrying
	case is.Attempts >= medblocks.MaxAttempts:
		is.State = deliveryGivenUp
	}
	return is
}

// timeOf is nil for what Medblocks leaves out, and for what cannot be read.
func timeOf(at *medblocks.Timestamp) *metav1.Time {
	if at == nil || at.IsZero() {
		return nil
	}
	return &metav1.Time{Time: at.Time}
}

// answer is the receiver's last one, in a word.
func (d *Delivery) answer() string {
	switch {
	case d.LastStatusCode != nil:
		return strconv.Itoa(*d.LastStatusCode)
	case d.Attempts > 0 && d.DeliveredAt == nil:
		return "none"
	}
	return "-"
}

// outlook says what will become of it.
func (d *Delivery) outlook(now time.Time) string {
	switch d.State {
	case deliveryDone:
		return "-"
	case deliveryRetrying:
		return in(now, d.NextAttemptAt.Time)
	case deliveryGivenUp:
		return "given up"
	}
	return "none"
}
