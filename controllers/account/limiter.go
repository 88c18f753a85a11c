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

// longestPauseInList is how long a list is held up between two of its pages. After a longer pause it begins anew.
const longestPauseInList = time.Minute

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
func (a *Account) admit(ctx context.Context) error { return a.admitAs(ctx, urgent) }

func (a *Account) admitAs(ctx context.Context, who rank) error {
	if err := a.barred(); err != nil {
		return err
	}
	if err := a.pace.wait(ctx, who); err != nil {
		return fmt.Errorf("%w: waiting for the account's turn: %w", ErrNotSent, err)
	}
	return a.barred() // what became known meanwhile counts for all that wait
}

// barred is why no call may be made now; nil: it may.
func (a *Account) barred() error {
	if err := a.breaker.err(); err != nil {
		return err
	}
	if until := a.PausedUntil(); a.clock.Now().Before(until) {
		return &PausedError{Until: until}
	}
	return nil
}

// admitPage waits for the turn of one page of a list, which may have to wait for the end of a pause too. The breaker does not
// stop a list: it is what finds out whether the key is accepted again.
func (a *Account) admitPage(ctx context.Context, opts medblocks.ListEndpointsOptions) error {
	who := routine
	if opts.Status == "" && a.isAwaited() {
		who = urgent
	}
	for {
		if err := a.pace.wait(ctx, who); err != nil {
			return err
		}
		pause := a.PausedUntil().Sub(a.clock.Now())
		if pause <= 0 {
			return nil
		}
		if pause > longestPauseInList {
			return &PausedError{Until: a.PausedUntil()}
		}
		timer := a.clock.NewTimer(pause)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// isAwaited tells whether a resource cannot go on without a complete list.
func (a *Account) isAwaited() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting) > 0 || a.store.look("", "").ListedAt.IsZero()
}

// noteError learns from the answer to a call (for a list: to a page), nil where it was as asked for: a 401 opens the breaker (for
// lists, see the poller, a 403 too), a 429 pauses the whole account.
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
		if !a.clock.Now().Before(a.PausedUntil()) {
			a.pace.slowDown() // once for all calls that were under way
		}
		a.pause(a.clock.Now().Add(pause))
	case err == nil, medblocks.IsNotFound(err):
		a.pace.speedUp()
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
