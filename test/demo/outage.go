// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// breakDown lets an event fail nine times, and waits until the resource tells.
func (s *story) breakDown(ctx context.Context) error {
	start := time.Now()
	if err := s.receiver.Fail(ctx); err != nil {
		return err
	}
	s.screen.at(time.Now(), "the receiver is told to fail: it answers everything with 503")
	id, err := s.fire(ctx)
	if err != nil {
		return err
	}
	if err := s.awaitNineFailures(ctx, id); err != nil {
		return err
	}
	s.screen.seen("Medblocks has set the endpoint to disabled. It told nobody: no event, no call, no mail")
	var noticed change
	err = s.await(ctx, "the operator to notice", func(context.Context) error {
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
	s.screen.seen("the resource says so, %.1f s later", noticed.at.Sub(s.disabledAt).Seconds())
	return s.showDisabled(ctx)
}

// awaitNineFailures shows the attempts as they are made.
func (s *story) awaitNineFailures(ctx context.Context, eventID string) error {
	told, scheduled := 0, time.Duration(0)
	delays := emulator.RetryDelays()
	return s.await(ctx, "nine failed attempts", func(ctx context.Context) error {
		deliveries, err := s.emulator.Deliveries(ctx, eventID)
		if err != nil {
			return err
		}
		for ; told < min(len(deliveries), len(delays)); told++ {
			d := deliveries[told]
			scheduled += delays[told]
			s.screen.at(d.At, fmt.Sprintf("  attempt %d  %s→ %d", d.Attempt, pad(afterText(scheduled), 16), d.StatusCode))
			s.disabledAt = d.At
		}
		endpoint, err := s.onlyEndpoint(ctx)
		if err != nil {
			return err
		}
		if told != len(delays) || endpoint.Status != emulator.StatusDisabled {
			return fmt.Errorf("%d attempts, endpoint %s", told, endpoint.Status)
		}
		return nil
	})
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
	if err := s.terminal.kubectlFrom(ctx, "Events:", "describe", "mwe", resourceName); err != nil {
		return err
	}
	return s.terminal.kubectl(ctx, "get", "mwe", resourceName, "-o", `jsonpath=now disabled since {.status.disabled.since}, next attempt {.status.reenable.nextAttempt}{"\n"}`)
}

// hasEvent tells whether there is a Kubernetes event about the resource.
func (s *story) hasEvent(ctx context.Context, kind, reason string) error {
	var events corev1.EventList
	if err := s.api.List(ctx, &events, client.InNamespace(resourceKey.Namespace)); err != nil {
		return err
	}
	for i := range events.Items {
		if e := &events.Items[i]; e.InvolvedObject.Name == resourceName && e.Type == kind && e.Reason == reason {
			return nil
		}
	}
	return fmt.Errorf("no %s event %s about %s", kind, reason, resource)
}

// recover mends the receiver and waits for the policy to do its part.
func (s *story) recover(ctx context.Context) error {
	if err := s.receiver.Recover(ctx); err != nil {
		return err
	}
	s.screen.at(time.Now(), "the receiver is mended; nobody touches the endpoint. The operator waits for the end of the backoff")
	var back change
	err := s.await(ctx, "the operator to bring the endpoint back", func(context.Context) error {
		var found bool
		back, found = s.following.since(s.disabledAt, v1alpha1.ConditionEnabled, metav1.ConditionTrue, v1alpha1.ReasonActive)
		_, ready := s.following.since(s.disabledAt, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonRegistered)
		if !found || !ready {
			return errors.New("conditions Enabled and Ready are not True")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.checkRecovered(ctx); err != nil {
		return err
	}
	s.screen.seen("the endpoint is active again at Medblocks, %.1f s after it was disabled, and the resource is Ready", back.at.Sub(s.disabledAt).Seconds())
	if err := s.terminal.kubectl(ctx, "get", "mwe"); err != nil {
		return err
	}
	return s.terminal.kubectl(ctx, "get", "mwe", resourceName, "-o", `jsonpath={range .status.history[*]}{.time}  {.action}  {.trigger}{"\n"}{end}`)
}

func (s *story) checkRecovered(ctx context.Context) error {
	endpoint, err := s.onlyEndpoint(ctx)
	if err != nil {
		return err
	}
	if endpoint.ID != s.endpointID || endpoint.Status != emulator.StatusActive {
		return fmt.Errorf("at Medblocks, %s has status %s", endpoint.ID, endpoint.Status)
	}
	var mwe v1alpha1.MedblocksWebhookEndpoint
	if err := s.api.Get(ctx, resourceKey, &mwe); err != nil {
		return err
	}
	if r := mwe.Status.Reenable; r == nil || len(r.Attempts) != 1 {
		return fmt.Errorf("status.reenable is %+v, and not one attempt", r)
	}
	return s.await(ctx, "the event about it", func(ctx context.Context) error {
		return s.hasEvent(ctx, corev1.EventTypeNormal, "Reenabled")
	})
}
