// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

const (
	prefixEndpoint = "wh_"
	prefixEvent    = "evt_"
	prefixRequest  = "req_"
	prefixSecret   = "whsec_"
)

var (
	endpointIDPattern = regexp.MustCompile(`^wh_[0-9A-Za-z]+$`)
	eventIDPattern    = regexp.MustCompile(`^evt_[0-9A-Za-z]+$`)
	// apiKeyPattern: the two prefixes are the vendor's [doc], the rest is assumed.
	apiKeyPattern = regexp.MustCompile(`^mb_sk_(sbx|live)_[0-9A-Za-z_-]+$`)
)

// ulids makes ids that sort by creation even within one millisecond, or on a
// clock that stands still.
type ulids struct {
	mu      sync.Mutex
	entropy io.Reader
}

func newULIDs() *ulids { return &ulids{entropy: ulid.Monotonic(rand.Reader, 0)} }

func (u *ulids) next(prefix string, now time.Time) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	id, err := ulid.New(ulid.Timestamp(now), u.entropy)
	if err != nil {
		// Monotonic entropy overflows about once in 2^80 ids; start again.
		u.entropy = ulid.Monotonic(rand.Reader, 0)
		id = ulid.MustNew(ulid.Timestamp(now), u.entropy)
	}
	return prefix + id.String()
}

func newSecret() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return prefixSecret + hex.EncodeToString(b[:])
}
