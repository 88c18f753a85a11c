// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// redeliver shows that the endpoint gets what it has missed, once it is active again.
func (s *story) redeliver(ctx context.Context) error {
	err := s.await(ctx, "the end of the redelivery", func(ctx context.Context) error {
		status, err := s.status(ctx)
		if err != nil {
			return err
		}
		is := status.Redelivery
		if is == nil || is.State != v1alpha1.RedeliveryCompleted {
			return fmt.Errorf("status.redelivery is %+v", is)
		}
		if int(is.Delivered) != len(s.outage.events) || is.Failed > 0 || is.Pending > 0 {
			return fmt.Errorf("%d events of %d were delivered, %d failed", is.Delivered, len(s.outage.events), is.Failed)
		}
		return s.hasEvent(ctx, corev1.EventTypeNormal, "Redelivered")
	})
	if err != nil {
		return err
	}
	if err := s.tellRedeliveries(ctx); err != nil {
		return err
	}
	if err := s.checkHandledOnce(ctx); err != nil {
		return err
	}
	if err := s.terminal.kubectl(ctx, "get", "mwe", resourceName, "-o", `jsonpath={.status.redelivery}{"\n"}`); err != nil {
		return err
	}
	return s.terminal.kubectl(ctx, "get", "mwe", resourceName, "-o", `jsonpath={range .status.history[*]}{.time}  {.action}  {.trigger}{"\n"}{end}`)
}

// inOrder are the events that were missed as they are to be redelivered: the newest, which is the canary, then oldest first.
func (s *story) inOrder() []string {
	newest := len(s.outage.events) - 1
	return slices.Concat(s.outage.events[newest:], s.outage.events[:newest])
}

// tellRedeliveries shows the attempts that the operator has asked for, and checks their order.
func (s *story) tellRedeliveries(ctx context.Context) error {
	deliveries, err := s.Emulator.DeliveriesTo(ctx, s.endpointID)
	if err != nil {
		return err
	}
	again := slices.DeleteFunc(deliveries, func(d emulator.Delivery) bool { return !d.Redelivery })
	ids := make([]string, len(again))
	for i := range again {
		d := &again[i]
		note := ""
		switch d.EventID {
		case s.inOrder()[0]:
			note = "  (the canary: the newest)"
		case s.outage.events[0]:
			note = "  (then oldest first)"
		}
		s.screen.at(d.At, fmt.Sprintf("→ operator calls Medblocks: POST /events/%s/redeliver, receiver: %d%s", d.EventID, d.StatusCode, note))
		if d.StatusCode != http.StatusOK {
			return fmt.Errorf("the receiver answered %d", d.StatusCode)
		}
		ids[i] = d.EventID
	}
	if !slices.Equal(ids, s.inOrder()) {
		return fmt.Errorf("the events should have been redelivered in the order %v", s.inOrder())
	}
	s.screen.seen("all that was missed has arrived. Had the receiver refused the canary, the others would have been spared for the next attempt")
	return nil
}

// checkHandledOnce asks the receiver.
func (s *story) checkHandledOnce(ctx context.Context) error {
	handled, err := s.handled(ctx)
	if err != nil {
		return err
	}
	for _, id := range s.outage.events {
		if handled[id] != 1 {
			return fmt.Errorf("the receiver has handled %s %d times", id, handled[id])
		}
	}
	report, err := s.Receiver.Report(ctx)
	if err != nil {
		return err
	}
	accepted, duplicates := report.Counts.Accepted-s.outage.counts.Accepted, report.Counts.Duplicates-s.outage.counts.Duplicates
	if accepted != len(s.outage.events)-1 || duplicates != 1 {
		return errors.New("the receiver's report does not tell one duplicate from the other events")
	}
	s.screen.seen("the receiver has handled each of them once: %d now, and the first one long ago, before its answer was lost. "+
		"It knew that by its id, and counts %d duplicate", accepted, duplicates)
	return nil
}
