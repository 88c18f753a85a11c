// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// measureBare measures the lower bound: a client that makes the operator's requests and decides nothing. It does so twice: with
// only the requests that a registration cannot do without, and with the Kubernetes events that the operator publishes too.
func (b *bench) measureBare(ctx context.Context) error {
	content, err := json.Marshal(b.out.template)
	if err != nil {
		return fmt.Errorf("encode the template: %w", err)
	}
	published := b.out.registration.per(b.out.registration.spent.sum(kubeEvents))
	for _, events := range []int{0, int(published + 0.5)} {
		err := b.inWorld(ctx, func(ctx context.Context, w *world) error {
			sample := filepath.Join(w.stack.Dir, "template.json")
			if err := os.WriteFile(sample, content, 0o600); err != nil {
				return err
			}
			err := w.startRole(roleBare, "--sample="+sample, "--concurrency="+strconv.Itoa(b.cfg.concurrency), "--events="+strconv.Itoa(events))
			if err != nil {
				return err
			}
			if err := w.warmUp(ctx, namespace); err != nil {
				return err
			}
			w.say("registering %d resources with a bare client (%d events each)", b.cfg.n, events)
			measured, err := w.register(ctx)
			if err != nil {
				return err
			}
			w.say("all Ready after %s", round(measured.took))
			b.out.bare = append(b.out.bare, bareResult{events: events, cost: measured})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// comparators are the ways in which the textbook controller is run.
func (b *bench) comparators() []comparator {
	return []comparator{
		{name: "defaults of the textbook", concurrency: 1, kubeQPS: 20, kubeBurst: 30, cost: cost{resources: min(b.cfg.comparatorN, 100)}},
		{name: "tuned like the operator", concurrency: b.cfg.concurrency, kubeQPS: -1, cost: cost{resources: b.cfg.comparatorN}},
	}
}

// measureComparators measures a textbook controller, which reads each endpoint by its id as often as the operator lists the
// disabled ones: it notices a silent disable as soon.
func (b *bench) measureComparators(ctx context.Context) error {
	for _, c := range b.comparators() {
		err := b.inWorld(ctx, func(ctx context.Context, w *world) error {
			return w.measureComparator(ctx, &c)
		})
		if err != nil {
			return err
		}
		b.out.comparators = append(b.out.comparators, c)
	}
	return nil
}

func (w *world) measureComparator(ctx context.Context, c *comparator) error {
	c.interval = w.cfg.scaled(defaultDisabledPoll)
	err := w.startRole(roleComparator, "--concurrency="+strconv.Itoa(c.concurrency), "--interval="+c.interval.String(),
		fmt.Sprintf("--kube-qps=%v", c.kubeQPS), "--kube-burst="+strconv.Itoa(c.kubeBurst))
	if err != nil {
		return err
	}
	if err := w.warmUp(ctx, namespace); err != nil {
		return err
	}
	w.say("registering %d resources with a controller of the textbook (%s)", c.resources, c.name)
	was, err := w.spent(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := w.apply(ctx, namespace, 1, c.resources, appliers); err != nil {
		return err
	}
	end, err := w.awaitReady(ctx, namespace, c.resources)
	if err != nil {
		return err
	}
	c.took = end.Sub(begun)
	is, err := w.spent(ctx)
	if err != nil {
		return err
	}
	c.spent = is.minus(was)
	return w.watchComparator(ctx, c)
}

// watchComparator counts what a settled comparator costs over two of its intervals.
func (w *world) watchComparator(ctx context.Context, c *comparator) error {
	if err := pause(ctx, c.interval); err != nil { // each resource has had its first turn
		return err
	}
	w.say("watching it for %s", 2*c.interval)
	before, err := w.spent(ctx)
	if err != nil {
		return err
	}
	was, err := footprintOf(w.subject.PID())
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := pause(ctx, 2*c.interval); err != nil {
		return err
	}
	after, err := w.spent(ctx)
	c.watched = time.Since(begun)
	is, footprintErr := footprintOf(w.subject.PID())
	c.atRest, c.cpu, c.footprint = after.minus(before), is.cpu-was.cpu, is
	return errors.Join(err, footprintErr)
}
