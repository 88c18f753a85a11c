// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/receiver"
)

// outage is what is known of the time when the receiver was broken.
type outage struct {
	// events that were not delivered, oldest first. The attempts of the first one are told.
	events     []string
	told       int
	scheduled  time.Duration
	disabledAt time.Time
	// counts of the receiver at the end.
	counts receiver.Counts
}

// missedAfter are the attempts of the first event after which another one fires, so that they have had different numbers of attempts
// when the endpoint is disabled.
var missedAfter = []int{6, 7, 8}

// tellAttempts shows the attempts as they are made, and lets further events fire meanwhile.
func (s *story) tellAttempts(ctx context.Context) error {
	deliveries, err := s.Emulator.Deliveries(ctx, s.outage.events[0])
	if err != nil {
		return err
	}
	delays := emulator.RetryDelays()
	for s.outage.told < min(len(deliveries), len(delays)) {
		d := deliveries[s.outage.told]
		s.outage.scheduled += delays[s.outage.told]
		s.outage.told++
		s.outage.disabledAt = d.At
		note := ""
		if d.StatusCode == http.StatusGatewayTimeout {
			note = "  (handled all the same)"
		}
		s.screen.at(d.At, fmt.Sprintf("  attempt %d  %s→ %d%s", d.Attempt, pad(afterText(s.outage.scheduled), 16), d.StatusCode, note))
		if slices.Contains(missedAfter, d.Attempt) {
			id, err := s.fire(ctx)
			if err != nil {
				return err
			}
			s.outage.events = append(s.outage.events, id)
		}
	}
	return nil
}

// afterText says when an attempt is due, in the vendor's time.
func afterText(d time.Duration) string {
	switch hours := d.Hours(); {
	case d == 0:
		return "at once"
	case hours < 1:
		return fmt.Sprintf("after %.0f min", d.Minutes())
	case hours < 24:
		return fmt.Sprintf("after %.1f h", hours)
	default:
		return fmt.Sprintf("after %.1f days", hours/24)
	}
}

// breakDown waits until an event has failed nine times, and until the resource tells.
func (s *story) breakDown(ctx context.Context) error {
	start := time.Now()
	s.screen.prose("The warning is not heard. More events fire, and fail; the first one runs out of attempts.")
	if err := s.awaitNineFailures(ctx); err != nil {
		return err
	}
	s.screen.seen("Medblocks has set the endpoint to disabled. It told nobody: no event, no call, no mail")
	var noticed change
	err := s.await(ctx, "the operator to notice", func(context.Context) error {
		var found bool
		noticed, found = s.following.since(start, v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled)
		_, unready := s.following.since(start, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled)
		if !found || !unready {
			return errors.New("conditions Enabled and Ready are not False with reason AutoDisabled")
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.screen.seen("the resource says so, %.1f s later", noticed.at.Sub(s.outage.disabledAt).Seconds())
	if err := s.showDisabled(ctx); err != nil {
		return err
	}
	return s.showMissed(ctx)
}

func (s *story) awaitNineFailures(ctx context.Context) error {
	return s.await(ctx, "nine failed attempts", func(ctx context.Context) error {
		if err := s.tellAttempts(ctx); err != nil {
			return err
		}
		endpoint, err := s.onlyEndpoint(ctx)
		if err != nil {
			return err
		}
		if s.outage.told != len(emulator.RetryDelays()) || endpoint.Status != emulator.StatusDisabled {
			return fmt.Errorf("%d attempts, endpoint %s", s.outage.told, endpoint.Status)
		}
		return nil
	})
}

func (s *story) showDisabled(ctx context.Context) error {
	if err := s.terminal.kubectl(ctx, "get", "mwe"); err != nil {
		return err
	}
	err := s.await(ctx, "the Warning event", func(ctx context.Context) error {
		return s.hasEvent(ctx, corev1.EventTypeWarning, v1alpha1.ReasonAutoDisabled)
	})
	if err != nil {
		return err
	}
	return s.terminal.kubectlFrom(ctx, "Events:", "describe", "mwe", resourceName)
}

// hasEvent tells whether there is a Kubernetes event about the resource.
func (s *story) hasEvent(ctx context.Context, kind, reason string) error {
	var events corev1.EventList
	if err := s.api.List(ctx, &events, client.InNamespace(ResourceKey.Namespace)); err != nil {
		return err
	}
	for i := range events.Items {
		if e := &events.Items[i]; e.InvolvedObject.Name == resourceName && e.Type == kind && e.Reason == reason {
			return nil
		}
	}
	return fmt.Errorf("no %s event %s about %s", kind, reason, resource)
}

// showMissed shows what is lost, and what only seems to be.
func (s *story) showMissed(ctx context.Context) error {
	fired, err := s.Emulator.Fire(ctx, s.APIKey, eventType)
	if err != nil {
		return err
	}
	if len(fired) > 0 {
		return fmt.Errorf("event %s was made for an endpoint that is disabled", fired[0].ID)
	}
	s.screen.seen("a patient completes a flow now: Medblocks makes no event, and nobody will ever see it. So what counts is to notice soon")
	deliveries, err := s.Emulator.DeliveriesTo(ctx, s.endpointID)
	if err != nil {
		return err
	}
	attempts := map[string]int{}
	for i := range deliveries {
		attempts[deliveries[i].EventID] = deliveries[i].Attempt
	}
	numbers := make([]string, len(s.outage.events))
	for i, id := range s.outage.events {
		numbers[i] = strconv.Itoa(attempts[id])
	}
	report, err := s.Receiver.Report(ctx)
	if err != nil {
		return err
	}
	s.outage.counts = report.Counts
	s.screen.seen("of the %d events before that, which failed %s times, Medblocks keeps a record, and sends none of them again by itself",
		len(numbers), strings.Join(numbers[:len(numbers)-1], ", ")+" and "+numbers[len(numbers)-1])
	return nil
}
