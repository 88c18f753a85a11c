// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"strings"
	"time"

	catalogue "github.com/medblocks/webhook-operator/api/medblocks/event"
)

// SignatureHeader carries the signature of a delivery [doc].
const SignatureHeader = "Medblocks-Signature"

// signature is the header's value: t=<unix seconds>,v1=<hex HMAC-SHA256 of
// "<t>.<body>"> [doc], with one v1 per secret.
func signature(body []byte, at time.Time, secrets []string) string {
	var parts []string
	for _, secret := range secrets {
		t, v1, _ := strings.Cut(catalogue.Sign(body, secret, at), ",")
		if len(parts) == 0 {
			parts = append(parts, t)
		}
		parts = append(parts, v1)
	}
	return strings.Join(parts, ",")
}
