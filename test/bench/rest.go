// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/emulator"
)

// pollFlags are the operator's default intervals or, where the steady state is watched for a shorter time than ten minutes,
// shorter ones in proportion.
func (w *world) pollFlags() []string {
	return []string{"--poll-interval=" + w.cfg.scaled(defaultPoll).String(), "--disabled-poll-interval=" + w.cfg.scaled(defaultDisabledPoll).String()}
}

// lists counts the lists of an account: those of all endpoints, and those of the disabled ones.
func (w *world) lists(ctx context.Context) (full, disabled int, err error) {
	calls, err := w.vendor.Calls(ctx)
	for _, call := range calls {
		switch {
		case call.Operation != emulator.OperationListEndpoints || call.APIKey != apiKey:
		case strings.Contains(call.Path, "status=disabled"):
			disabled++
		default:
			full++
		}
	}
	return full, disabled, err
}

// measureRestart replaces the operator by another one, as an upgrade does, and applies a new resource meanwhile.
func (w *world) measureRestart(ctx context.Context) (err error) {
	w.say("restarting the operator")
	if err := w.stopOperator(); err != nil {
		return err
	}
	if err := w.vendor.ForgetCalls(ctx); err != nil {
		return err
	}
	before, err := w.spent(ctx)
	if err != nil {
		return err
	}
	key := client.ObjectKey{Namespace: namespace, Name: newcomerName + "1"}
	begun, applied := time.Now(), make(chan error, 1)
	var at time.Time
	go func() {
		err := pause(ctx, 300*time.Millisecond) // the new process is at work by then, and has not seen the others yet
		at = time.Now()
		if err == nil {
			err = w.api.Create(ctx, newResource(key.Namespace, key.Name))
		}
		applied <- err
	}()
	err = w.startOperator(ctx)
	if applyErr := <-applied; applyErr != nil {
		return applyErr
	}
	if err != nil {
		return err
	}
	if _, err := w.awaitReady(ctx, namespace, w.cfg.n+1); err != nil {
		return err
	}
	newcomer, _ := w.seen.of(key)
	w.out.restart = restart{newcomer: newcomer.readyAt.Sub(at)}
	if err := w.idle(ctx); err != nil {
		return err
	}
	if err := w.noteRestart(ctx, before, begun); err != nil {
		return err
	}
	return w.dismiss(ctx, key)
}

// dismiss deletes a newcomer: the other phases count on the resources that were there before.
func (w *world) dismiss(ctx context.Context, key client.ObjectKey) error {
	if err := w.api.Delete(ctx, newResource(key.Namespace, key.Name)); err != nil {
		return err
	}
	err := w.await(ctx, "left of what is deleted", 0, func() int {
		if _, there := w.seen.of(key); there {
			return 1
		}
		return 0
	})
	if err != nil {
		return err
	}
	_, err = w.settled(ctx)
	return err
}

func (w *world) noteRestart(ctx context.Context, before tally, begun time.Time) error {
	after, err := w.spent(ctx)
	if err != nil {
		return err
	}
	out := &w.out.restart
	out.took, out.spent = time.Since(begun), after.minus(before)
	if out.full, out.disabled, err = w.lists(ctx); err != nil {
		return err
	}
	out.footprint, err = w.footprint(ctx)
	return err
}

// measureSteadyState watches a settled system. It begins after a sweep, so that no more of them fall into its time than belong there.
func (w *world) measureSteadyState(ctx context.Context) error {
	if !w.cfg.wants(phaseRestart) || w.cfg.scale() < 1 {
		if err := w.startSettled(ctx, w.pollFlags()...); err != nil {
			return err
		}
	}
	w.say("watching the settled system for %s", w.cfg.steady)
	if err := w.vendor.ForgetCalls(ctx); err != nil {
		return err
	}
	before, err := w.spent(ctx)
	if err != nil {
		return err
	}
	was, err := w.footprint(ctx)
	if err != nil {
		return err
	}
	if err := pause(ctx, w.cfg.steady); err != nil {
		return err
	}
	out := &w.out.steady
	if out.full, out.disabled, err = w.lists(ctx); err != nil {
		return err
	}
	after, err := w.spent(ctx)
	if err != nil {
		return err
	}
	out.watched, out.spent = w.cfg.steady, after.minus(before)
	if out.footprint, err = w.footprint(ctx); err != nil {
		return err
	}
	out.cpu = out.footprint.cpu - was.cpu
	return nil
}
