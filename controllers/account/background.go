// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"iter"

	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// What is done in the background is work that takes many calls and that nobody waits for. However many do such work with an account,
// one of their calls at a time stands in the line for the account's turn or is under way; the others wait for that one.

// RedeliverEvent has Medblocks make one more attempt to deliver an event, in the background, and returns its record after that. A 429
// does not pause the account: one event can be redelivered once a minute, and others at once.
func (a *Account) RedeliverEvent(ctx context.Context, eventID string) (medblocks.EventRecord, error) {
	if err := a.enterBackground(ctx); err != nil {
		return medblocks.EventRecord{}, err
	}
	defer a.leaveBackground()
	record, err := a.api.RedeliverEvent(ctx, eventID)
	if !medblocks.IsRateLimited(err) {
		a.noteError(err)
	}
	return record, err
}

// ListUndelivered reads the events of an endpoint that were not delivered, newest first, page by page, in the background. An error ends
// the list; it may be read again, from its start.
func (a *Account) ListUndelivered(ctx context.Context, endpointID string) iter.Seq2[medblocks.EventRecord, error] {
	return func(yield func(medblocks.EventRecord, error) bool) {
		calling := false
		answered := func(err error) {
			if calling {
				calling = false
				a.leaveBackground()
				a.noteError(err)
			}
		}
		defer answered(nil) // a page without events
		opts := medblocks.ListEventsOptions{Delivered: ptr.To(false), BeforeCall: func(ctx context.Context) error {
			answered(nil)
			err := a.enterBackground(ctx)
			calling = err == nil
			return err
		}}
		for event, err := range a.api.ListEvents(ctx, endpointID, opts) {
			answered(err)
			if !yield(event, err) || err != nil {
				return
			}
		}
	}
}

// enterBackground waits for the end of the background call that is under way, and for the account's turn. It refuses at once while the
// breaker is open or the account is paused.
func (a *Account) enterBackground(ctx context.Context) error {
	if err := a.barred(); err != nil {
		return err
	}
	select {
	case a.slot <- struct{}{}: // a channel serves first who has waited longest
	case <-ctx.Done():
		return fmt.Errorf("%w: waiting for other background calls: %w", ErrNotSent, ctx.Err())
	}
	err := a.admitAs(ctx, routine)
	if err != nil {
		a.leaveBackground()
	}
	return err
}

func (a *Account) leaveBackground() { <-a.slot }
