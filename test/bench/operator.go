// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"
)

// measureOperator runs all phases that are about the operator, one after another in one world.
func (b *bench) measureOperator(ctx context.Context) error {
	return b.inWorld(ctx, func(ctx context.Context, w *world) error {
		for _, phase := range []struct {
			name    string
			measure func(context.Context) error
		}{
			{phaseRegister, w.measureRegistration},
			{phaseUpdate, w.measureUpdates},
			{phaseRestart, w.measureRestart},
			{phaseSteady, w.measureSteadyState},
			{phaseDisable, w.measureDisables},
			{phaseDrift, w.measureDrift},
			{phaseLimit, w.measureLimits},
			{phaseDelete, w.measureDeletions},
		} {
			if !b.cfg.wants(phase.name) {
				continue
			}
			if err := phase.measure(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// measureCost is what something costs, from its beginning until nothing happens any more. It takes as long as do says.
func (w *world) measureCost(ctx context.Context, resources int, do func() (end time.Time, err error)) (cost, error) {
	before, err := w.settled(ctx)
	if err != nil {
		return cost{}, err
	}
	was, err := footprintOf(w.subject.PID())
	if err != nil {
		return cost{}, err
	}
	begun := time.Now()
	end, err := do()
	if err != nil {
		return cost{}, err
	}
	after, err := w.settled(ctx)
	if err != nil {
		return cost{}, err
	}
	is, err := footprintOf(w.subject.PID())
	return cost{resources: resources, took: end.Sub(begun), spent: after.minus(before), cpu: is.cpu - was.cpu}, err
}

// register applies all resources but the first, which is there, and waits until all are Ready.
func (w *world) register(ctx context.Context) (cost, error) {
	return w.measureCost(ctx, w.cfg.n-1, func() (time.Time, error) {
		if err := w.apply(ctx, namespace, 1, w.cfg.n, appliers); err != nil {
			return time.Time{}, err
		}
		return w.awaitReady(ctx, namespace, w.cfg.n)
	})
}

func (w *world) measureRegistration(ctx context.Context) (err error) {
	if err := w.startOperator(ctx); err != nil {
		return err
	}
	if err := w.warmUp(ctx, namespace); err != nil {
		return err
	}
	if err := w.idle(ctx); err != nil {
		return err
	}
	if w.out.base, err = w.footprint(ctx); err != nil {
		return err
	}
	w.say("registering %d resources", w.cfg.n)
	if w.out.registration, err = w.register(ctx); err != nil {
		return err
	}
	w.say("all Ready after %s", round(w.out.registration.took))
	if w.out.template, err = w.template(ctx); err != nil {
		return err
	}
	if err := w.idle(ctx); err != nil {
		return err
	}
	w.out.registered, err = w.footprint(ctx)
	return err
}

func (w *world) measureUpdates(ctx context.Context) (err error) {
	w.say("changing %d resources", w.cfg.updates)
	w.out.update, err = w.measureCost(ctx, w.cfg.updates, func() (time.Time, error) {
		if err := w.move(ctx, w.cfg.updates); err != nil {
			return time.Time{}, err
		}
		// The watch may be behind: until it has seen all changes, some look Ready as they were.
		if err := w.await(ctx, "changed", w.cfg.updates, func() int {
			changed, _ := w.seen.among(namespace, func(s sight) bool { return s.generation > 1 })
			return changed
		}); err != nil {
			return time.Time{}, err
		}
		return w.awaitReady(ctx, namespace, w.cfg.n)
	})
	return err
}

func (w *world) measureDeletions(ctx context.Context) (err error) {
	if err := w.startSettled(ctx); err != nil {
		return err
	}
	w.say("deleting all resources")
	w.out.deletion, err = w.measureCost(ctx, w.cfg.n, func() (time.Time, error) {
		err := w.remove(ctx, namespace, w.cfg.n)
		return time.Now(), err
	})
	return err
}

// startSettled starts the operator, and waits until it has seen all endpoints and found nothing to do.
func (w *world) startSettled(ctx context.Context, flags ...string) error {
	if err := w.stopOperator(); err != nil {
		return err
	}
	if err := w.vendor.ForgetCalls(ctx); err != nil {
		return err
	}
	if err := w.startOperator(ctx, flags...); err != nil {
		return err
	}
	sweep := int(pages(w.cfg.n))
	err := w.await(ctx, "listed pages", sweep, func() int {
		full, _, err := w.lists(ctx)
		if err != nil {
			return 0
		}
		return min(full, sweep) // the next one may have begun
	})
	if err != nil {
		return err
	}
	return w.idle(ctx)
}

// idle waits until the operator has no work left: reconciles that find nothing to do ask for nothing that could be counted.
func (w *world) idle(ctx context.Context) error {
	look := w.cfg.quiet
	busy := look / 10 // of CPU time
	if _, err := w.settled(ctx); err != nil {
		return err
	}
	was, err := footprintOf(w.subject.PID())
	if err != nil {
		return err
	}
	for begun := time.Now(); time.Since(begun) < stuck; {
		if err := pause(ctx, look); err != nil {
			return err
		}
		is, err := footprintOf(w.subject.PID())
		if err != nil {
			return err
		}
		if is.cpu-was.cpu < busy {
			break
		}
		was = is
	}
	_, err = w.settled(ctx)
	return err
}
