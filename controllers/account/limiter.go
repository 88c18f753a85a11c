// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// defaultPause is how long an account is left alone after a 429 that does not say how long.
const defaultPause = 10 * time.Second

// ErrNotSent says that a call was not made, because its turn did not come in time.
var ErrNotSent = errors.New("not sent")

// PausedError says that the vendor asked the whole account to slow down, and until when no call is made.
type PausedError struct {
	Until time.Time
}

// Error does not carry the time, so that it can stand in a condition message without changing it every time.
func (e *PausedError) Error() string {
	return "Medblocks asked this account to slow down (429)"
}

// admit waits for the account's turn. It refuses at once while the breaker is open or the account is paused, so that
// no worker is held up by one account.
func (a *Account) admit(ctx context.Context) error {
	if err := a.breaker.err(); err != nil {
		return err
	}
	if until := a.PausedUntil(); a.clock.Now().Before(until) {
		return &PausedError{Until: until}
	}
	if err := a.limiter.Wait(ctx); err != nil {
		return fmt.Errorf("%w: waiting for the account's turn: %w", ErrNotSent, err)
	}
	return nil
}

// noteError learns from the answer to a call: a 401 opens the breaker (for lists, see the poller, a 403 too), a 429
// pauses the whole account.
func (a *Account) noteError(err error) {
	switch {
	case medblocks.IsUnauthorized(err):
		a.breaker.open(err)
		a.wakePoller()
	case medblocks.IsRateLimited(err):
		pause, ok := medblocks.RetryAfter(err)
		if !ok || pause <= 0 {
			pause = defaultPause
		}
		a.pause(a.clock.Now().Add(pause))
	}
}

func (a *Account) pause(until time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if until.After(a.pausedUntil) {
		a.pausedUntil = until
	}
}

// PausedUntil is when the account may call again after a 429.
func (a *Account) PausedUntil() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pausedUntil
}

// breaker stops the calls of an account whose key the vendor refuses.
type breaker struct {
	mu      sync.Mutex
	refusal error
}

func (b *breaker) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refusal
}

// open keeps the first refusal: repeating it with another request id would only make noise.
func (b *breaker) open(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refusal == nil {
		b.refusal = err
	}
}

// close tells whether the breaker was open.
func (b *breaker) close() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	wasOpen := b.refusal != nil
	b.refusal = nil
	return wasOpen
}
