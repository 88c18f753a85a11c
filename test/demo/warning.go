// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// enoughFailures are the failed attempts after which an event counts for the early warning.
const enoughFailures = 3

// warn breaks the receiver, and shows that whoever has asked for it is warned while the endpoint is still active.
func (s *story) warn(ctx context.Context) error {
	if err := s.loseAnAnswer(ctx); err != nil {
		return err
	}
	if err := s.Receiver.Fail(ctx); err != nil {
		return err
	}
	s.screen.at(time.Now(), "… and then it breaks: it answers everything with 503")
	err := s.await(ctx, "three failed attempts", func(ctx context.Context) error {
		if err := s.tellAttempts(ctx); err != nil {
			return err
		}
		if s.outage.told < enoughFailures {
			return fmt.Errorf("%d attempts", s.outage.told)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.terminal.kubectl(ctx, "get", "mwe"); err != nil {
		return err
	}
	if err := s.tellAttempts(ctx); err != nil {
		return err
	}
	s.screen.prose("Nothing is to be seen of it: the endpoint is active, and for Medblocks it will be for days. The operator can look at the " +
		"endpoint's events now and then, which costs one call each time. So the team adds this to its manifest:")
	switchedOn := time.Now()
	if err := s.addMonitoring(ctx); err != nil {
		return err
	}
	warned, err := s.awaitWarning(ctx, switchedOn)
	if err != nil {
		return err
	}
	return s.checkWarning(ctx, warned)
}

// loseAnAnswer has the receiver handle the first event of the outage, and Medblocks take it for failed.
func (s *story) loseAnAnswer(ctx context.Context) error {
	if err := s.Receiver.LoseAnswers(ctx); err != nil {
		return err
	}
	s.screen.at(time.Now(), "the receiver handles what comes, but its answers get lost: a proxy in front of it says 504 …")
	id, err := s.fire(ctx)
	if err != nil {
		return err
	}
	s.outage.events = []string{id}
	err = s.await(ctx, "the receiver to handle the event", func(ctx context.Context) error {
		handled, err := s.handled(ctx)
		if err != nil {
			return err
		}
		if handled[id] == 0 {
			return fmt.Errorf("it has not handled %s", id)
		}
		return s.tellAttempts(ctx)
	})
	if err != nil {
		return err
	}
	s.screen.seen("the receiver has handled it, and Medblocks does not know: it will come again")
	return nil
}

// handled counts how often the receiver has handled each event.
func (s *story) handled(ctx context.Context) (map[string]int, error) {
	report, err := s.Receiver.Report(ctx)
	if err != nil {
		return nil, err
	}
	times := map[string]int{}
	for _, e := range report.Events {
		times[e.ID]++
	}
	return times, nil
}

func (s *story) addMonitoring(ctx context.Context) error {
	s.screen.typed("cat >>" + manifestFile + " <<END")
	s.screen.output(monitoring + "END")
	if err := os.WriteFile(filepath.Join(s.terminal.dir, manifestFile), []byte(s.manifest()+monitoring), 0o600); err != nil {
		return err
	}
	return s.terminal.kubectl(ctx, "apply", "-f", manifestFile)
}

func (s *story) awaitWarning(ctx context.Context, after time.Time) (warned change, err error) {
	err = s.await(ctx, "the early warning", func(ctx context.Context) error {
		if err := s.tellAttempts(ctx); err != nil {
			return err
		}
		var found bool
		warned, found = s.following.since(after, v1alpha1.ConditionDeliveriesHealthy, metav1.ConditionFalse, v1alpha1.ReasonDeliveriesFailing)
		if !found {
			return errors.New("condition DeliveriesHealthy is not False")
		}
		return s.hasEvent(ctx, corev1.EventTypeWarning, v1alpha1.ReasonDeliveriesFailing)
	})
	return warned, err
}

// checkWarning sees that the warning came in time.
func (s *story) checkWarning(ctx context.Context, warned change) error {
	deliveries, err := s.Emulator.Deliveries(ctx, s.outage.events[0])
	if err != nil {
		return err
	}
	failed := 0
	for i := range deliveries {
		if deliveries[i].At.Before(warned.at) {
			failed++
		}
	}
	endpoint, err := s.onlyEndpoint(ctx)
	if err != nil {
		return err
	}
	if failed < enoughFailures || failed >= len(emulator.RetryDelays()) || endpoint.Status != emulator.StatusActive {
		return fmt.Errorf("the warning came after %d attempts, and the endpoint is %s", failed, endpoint.Status)
	}
	s.screen.seen("the operator warns after %d failed attempts of nine, with a condition and a Warning event, while the endpoint is still active", failed)
	s.screen.prose("(It has looked at once, and from now on it does once a minute. The date is that of Medblocks' real schedule: the operator does " +
		"not know that this clock is fast.)")
	return nil
}
