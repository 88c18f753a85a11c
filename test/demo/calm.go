// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// calmDown delivers one more event, and waits for the next look at the events, if it was not made yet.
func (s *story) calmDown(ctx context.Context) error {
	if err := s.deliver(ctx); err != nil {
		return err
	}
	err := s.await(ctx, "the next look at the events, a minute after the first", func(context.Context) error {
		_, found := s.following.since(s.outage.disabledAt, v1alpha1.ConditionDeliveriesHealthy, metav1.ConditionTrue, v1alpha1.ReasonDelivering)
		if !found {
			return errors.New("condition DeliveriesHealthy is not True")
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.screen.seen("the operator has looked again, and nothing fails any more")
	return nil
}
