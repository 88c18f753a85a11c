// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// redelivery says, beside the fact that the endpoint is active, whether it has got what it had missed.
func (c *conclusion) redelivery() string {
	is := c.status.Redelivery
	if is == nil {
		return ""
	}
	switch is.State {
	case v1alpha1.RedeliveryRunning:
		return "; events that it has missed are being redelivered"
	case v1alpha1.RedeliveryWaiting:
		return "; the receiver did not accept the events that it had missed: they are redelivered at the time in status.redelivery.nextTry"
	case v1alpha1.RedeliveryStopped:
		return "; the receiver did not accept the events that it had missed, and " + budgetUsedUp
	}
	return ""
}

// accountForRedelivered keeps redeliveries from being taken for attempts of Medblocks: an event that has had nine attempts with their
// help must not explain a later disable, which may be a person's.
func accountForRedelivered(r *v1alpha1.ReenableStatus, exhausted []string, reenabled metav1.Time) {
	for _, id := range exhausted {
		switch {
		case slices.Contains(r.AccountedEvents, id):
		case len(r.AccountedEvents) < maxAccounted:
			r.AccountedEvents = append(r.AccountedEvents, id)
		default:
			before := seconds(reenabled.Add(time.Second)) // all that is redelivered was created before that
			r.AccountedBefore = laterOf(r.AccountedBefore, before)
			return
		}
	}
}
