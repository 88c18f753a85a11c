// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

// Miss puts events at Medblocks that could not be delivered to a resource's endpoint and are not tried any more, as a disable leaves
// them.
func Miss(w *World, name string, count int) {
	w.T.Helper()
	for i := range count {
		_, err := w.Vendor.AddEvent(w.Key, emulator.EventRecord{
			WebhookEndpointID: w.Remote(name).ID, Attempts: 4, CreatedAt: w.Clock.Now().Add(-time.Hour + time.Duration(i)*time.Second),
		})
		w.Expect(err).NotTo(HaveOccurred())
	}
}
