// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// How the sample receiver answers a probe, which is a GET without a signature, in the words of the condition.
const (
	brokenAnswer = "when last probed, it answered 503"
	wellAnswer   = "when last probed, it answered 405"
)

// recover shows that the operator probes the receiver, and brings the endpoint back once that is well again.
func (s *story) recover(ctx context.Context) error {
	if _, err := s.awaitProbe(ctx, brokenAnswer); err != nil {
		return err
	}
	endpoint, err := s.onlyEndpoint(ctx)
	if err != nil {
		return err
	}
	if endpoint.Status != emulator.StatusDisabled {
		return fmt.Errorf("the receiver is broken, and the endpoint %s", endpoint.Status)
	}
	s.screen.seen("after the backoff of %s, the operator has asked the receiver itself. It is broken, and the endpoint stays disabled", backoff)
	if err := s.Receiver.Recover(ctx); err != nil {
		return err
	}
	s.screen.at(time.Now(), "the receiver is mended; nobody touches the endpoint")
	s.screen.prose("Healthy is what answers two probes in a row, 15 s apart. These seconds are real: only Medblocks' clock is fast. " +
		"So the next half minute is quiet.")
	well, err := s.awaitProbe(ctx, wellAnswer)
	if err != nil {
		return err
	}
	s.screen.seen("one good answer (a GET is not what the receiver is for, but it is there); the next one decides")
	return s.showRecovered(ctx, well)
}

func (s *story) awaitProbe(ctx context.Context, answer string) (probed change, err error) {
	err = s.await(ctx, "the operator to probe the receiver", func(context.Context) error {
		var found bool
		if probed, found = s.following.said(s.outage.disabledAt, v1alpha1.ConditionEnabled, answer); !found {
			return fmt.Errorf("condition Enabled does not say %q", answer)
		}
		return nil
	})
	return probed, err
}

func (s *story) showRecovered(ctx context.Context, well change) error {
	var back change
	err := s.await(ctx, "the second good answer", func(context.Context) error {
		var found bool
		back, found = s.following.since(s.outage.disabledAt, v1alpha1.ConditionEnabled, metav1.ConditionTrue, v1alpha1.ReasonActive)
		_, ready := s.following.since(s.outage.disabledAt, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonRegistered)
		if !found || !ready {
			return errors.New("conditions Enabled and Ready are not True")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.checkRecovered(ctx, well); err != nil {
		return err
	}
	s.screen.seen("the endpoint is active again at Medblocks, %.1f s after the first good answer, and the resource is Ready", back.at.Sub(well.at).Seconds())
	s.screen.seen("the attempt was in the status before it was made: a crash cannot lead to more attempts than the policy allows")
	return s.terminal.kubectl(ctx, "get", "mwe")
}

// checkRecovered sees that the endpoint was enabled once, after the first good answer, and after that was recorded.
func (s *story) checkRecovered(ctx context.Context, well change) error {
	endpoint, err := s.onlyEndpoint(ctx)
	if err != nil {
		return err
	}
	if endpoint.ID != s.endpointID || endpoint.Status != emulator.StatusActive {
		return fmt.Errorf("at Medblocks, %s has status %s", endpoint.ID, endpoint.Status)
	}
	enabled, err := s.enables(ctx)
	if err != nil {
		return err
	}
	if len(enabled) != 1 || enabled[0].Before(well.at) {
		return fmt.Errorf("the endpoint was enabled %d times (%v), and the first good answer came at %v", len(enabled), enabled, well.at)
	}
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	if r := status.Reenable; r == nil || len(r.Attempts) != 1 || r.Attempts[0].After(enabled[0]) || s.following.attemptsRecorded() != 1 {
		return fmt.Errorf("status.reenable is %+v, and not one attempt that was recorded before it was made", r)
	}
	return s.await(ctx, "the event about it", func(ctx context.Context) error {
		return s.hasEvent(ctx, corev1.EventTypeNormal, "Reenabled")
	})
}

// enables are the times of the calls that enabled the endpoint.
func (s *story) enables(ctx context.Context) ([]time.Time, error) {
	calls, err := s.Emulator.Calls(ctx)
	if err != nil {
		return nil, err
	}
	var times []time.Time
	for i := range calls {
		if call := &calls[i]; call.Operation == emulator.OperationUpdateEndpoint && call.Body == `{"status":"active"}` && call.Status == http.StatusOK {
			times = append(times, call.At)
		}
	}
	return times, nil
}
