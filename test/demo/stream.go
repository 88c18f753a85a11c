// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/receiver"
)

const (
	// streamInterval is the pause between two events of a stream.
	streamInterval = 150 * time.Millisecond
	// streamLength bounds it: all events of the story fit on one page, which is what the operator looks at.
	streamLength = 85
)

// stream fires one event after another.
type stream struct {
	mu  sync.Mutex
	ids []string
	// stop ends it and returns the ids of all events.
	stop func() ([]string, error)
}

// fired are the ids so far.
func (s *stream) fired() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.ids...)
}

func (s *stream) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *story) keepFiring(ctx context.Context) *stream {
	var (
		events = &stream{}
		end    = make(chan struct{})
		done   sync.WaitGroup
		failed error
	)
	done.Go(func() { failed = s.fireUntil(ctx, end, events) })
	events.stop = sync.OnceValues(func() ([]string, error) {
		close(end) // a call that is under way is not cut off: nobody would know what came of it
		done.Wait()
		return events.fired(), failed
	})
	return events
}

func (s *story) fireUntil(ctx context.Context, end <-chan struct{}, events *stream) error {
	ticker := time.NewTicker(streamInterval)
	defer ticker.Stop()
	for range streamLength {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return nil
		case <-ticker.C:
		}
		fired, err := s.Emulator.Fire(ctx, s.APIKey, eventType)
		if err != nil {
			return err
		}
		if len(fired) != 1 {
			return fmt.Errorf("there are %d events, and not one", len(fired))
		}
		events.add(fired[0].ID)
	}
	return nil
}

// attempts are those to deliver some events.
func (s *story) attempts(ctx context.Context, ids []string) ([]emulator.Delivery, error) {
	deliveries, err := s.Emulator.DeliveriesTo(ctx, s.endpointID)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	var attempts []emulator.Delivery
	for i := range deliveries {
		if wanted[deliveries[i].EventID] {
			attempts = append(attempts, deliveries[i])
		}
	}
	return attempts, nil
}

// awaitAccepted waits until so many events of a stream have been accepted that were signed with that secret.
func (s *story) awaitAccepted(ctx context.Context, what string, events *stream, secret string, enough int) error {
	return s.await(ctx, what, func(ctx context.Context) error {
		attempts, err := s.attempts(ctx, events.fired())
		if err != nil {
			return err
		}
		if n := count(attempts, func(d *emulator.Delivery) bool { return isAccepted(d) && isSigned(d, secret) }); n < enough {
			return fmt.Errorf("%d were accepted", n)
		}
		return nil
	})
}

func (s *story) awaitDelivered(ctx context.Context, ids []string) error {
	return s.await(ctx, "all events to be accepted", func(ctx context.Context) error {
		attempts, err := s.attempts(ctx, ids)
		if err != nil {
			return err
		}
		if n := count(attempts, isAccepted); n != len(ids) {
			return fmt.Errorf("%d events of %d were accepted", n, len(ids))
		}
		return nil
	})
}

func count(attempts []emulator.Delivery, is func(*emulator.Delivery) bool) (n int) {
	for i := range attempts {
		if is(&attempts[i]) {
			n++
		}
	}
	return n
}

func isAccepted(d *emulator.Delivery) bool { return d.StatusCode == http.StatusOK }

// judge counts what was signed with which secret, and compares that with the receiver's report.
func (s *story) judge(ctx context.Context, r *rotation, ids []string, old, now string, before receiver.Counts) error {
	attempts, err := s.attempts(ctx, ids)
	if err != nil {
		return err
	}
	r.signedOld = count(attempts, func(d *emulator.Delivery) bool { return isAccepted(d) && isSigned(d, old) })
	r.signedNew = count(attempts, func(d *emulator.Delivery) bool { return isAccepted(d) && isSigned(d, now) })
	r.refused = len(attempts) - count(attempts, isAccepted)
	report, err := s.Receiver.Report(ctx)
	if err != nil {
		return err
	}
	r.counts = receiver.Counts{
		Accepted: report.Counts.Accepted - before.Accepted, Duplicates: report.Counts.Duplicates - before.Duplicates,
		Rejected: report.Counts.Rejected - before.Rejected, Failed: report.Counts.Failed - before.Failed, Waited: report.Counts.Waited - before.Waited,
	}
	if r.signedOld+r.signedNew != len(ids) || r.counts.Accepted != len(ids) || r.counts.Rejected+r.counts.Failed != r.refused || r.counts.Duplicates > 0 {
		return fmt.Errorf("of %d events, %d were accepted with the old secret and %d with the new one, and %d attempts refused; the receiver reports %+v",
			len(ids), r.signedOld, r.signedNew, r.refused, r.counts)
	}
	return nil
}

// isSigned tells whether a delivery was signed with a secret.
func isSigned(d *emulator.Delivery, secret string) bool {
	_, err := event.ConstructEvent([]byte(d.Body), d.Signature, secret)
	return err == nil
}
