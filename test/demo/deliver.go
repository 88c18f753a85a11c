// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// deliver has Medblocks send an event, and the receiver say what it makes of it.
func (s *story) deliver(ctx context.Context) error {
	id, err := s.fire(ctx)
	if err != nil {
		return err
	}
	err = s.await(ctx, "the receiver to accept the event", func(ctx context.Context) error {
		report, err := s.Receiver.Report(ctx)
		if err != nil {
			return err
		}
		for _, e := range report.Events {
			if e.ID == id {
				s.screen.seen("the receiver has verified its signature with the %s secret, and accepted it", e.Secret)
				return nil
			}
		}
		return fmt.Errorf("it accepted %d events, but not %s", len(report.Events), id)
	})
	if err != nil {
		return err
	}
	return s.await(ctx, "Medblocks to see that", func(ctx context.Context) error {
		deliveries, err := s.Emulator.Deliveries(ctx, id)
		if err != nil {
			return err
		}
		if n := len(deliveries); n == 0 || deliveries[n-1].StatusCode != http.StatusOK {
			return fmt.Errorf("%d attempts, none answered with 200", n)
		}
		s.screen.seen("Medblocks got the answer %d at attempt %d: delivered", http.StatusOK, len(deliveries))
		return nil
	})
}

func (s *story) fire(ctx context.Context) (id string, err error) {
	fired, err := s.Emulator.Fire(ctx, s.APIKey, eventType)
	if err != nil {
		return "", err
	}
	if len(fired) != 1 {
		return "", fmt.Errorf("there are %d events, and not one", len(fired))
	}
	s.screen.at(time.Now(), fmt.Sprintf("a patient completes a flow: Medblocks makes %s, a %s", fired[0].ID, eventType))
	return fired[0].ID, nil
}
