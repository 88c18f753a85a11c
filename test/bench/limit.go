// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// measureLimits registers resources with an account that the vendor allows few calls: once as the operator is shipped, and once
// with its own limit lifted, so that only the vendor's answers slow it down.
func (w *world) measureLimits(ctx context.Context) error {
	for _, variant := range []struct {
		name  string
		flags []string
	}{
		{"as shipped", []string{"--api-qps=10", "--api-burst=20"}},
		{"without a limit of its own", nil},
	} {
		if err := w.startSettled(ctx, variant.flags...); err != nil {
			return err
		}
		if err := w.warmUp(ctx, limitedNamespace); err != nil {
			return err
		}
		w.say("registering %d resources with an account that may make %v calls per second (%s)", w.cfg.limited, w.cfg.limit, variant.name)
		outcome, err := w.measureLimit(ctx)
		if err != nil {
			return err
		}
		outcome.variant = variant.name
		w.out.limits = append(w.out.limits, *outcome)
		if err := w.clearLimited(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) measureLimit(ctx context.Context) (*limited, error) {
	if err := w.vendor.LimitRate(ctx, limitedKey, w.cfg.limit); err != nil {
		return nil, err
	}
	var begun time.Time
	spent, err := w.measureCost(ctx, w.cfg.limited-1, func() (time.Time, error) {
		begun = time.Now()
		if err := w.apply(ctx, limitedNamespace, 1, w.cfg.limited, 1); err != nil { // one after another: it is known who is oldest
			return time.Time{}, err
		}
		return w.awaitReady(ctx, limitedNamespace, w.cfg.limited)
	})
	if err != nil {
		return nil, err
	}
	out := &limited{cost: spent}
	calls, err := w.vendor.Calls(ctx)
	if err != nil {
		return nil, err
	}
	for _, call := range calls {
		if call.APIKey != limitedKey || call.At.Before(begun) {
			continue
		}
		out.window = call.At.Sub(begun)
		out.calls++
		if call.Status == http.StatusTooManyRequests {
			out.refused++
		}
	}
	out.overtaken, err = w.overtaken(ctx)
	return out, err
}

// overtaken is how many younger resources were registered before an older one, at most.
func (w *world) overtaken(ctx context.Context) (int, error) {
	endpoints, err := w.vendor.Endpoints(ctx, limitedKey) // oldest first
	if err != nil {
		return 0, err
	}
	order := make([]string, 0, len(endpoints))
	for _, endpoint := range endpoints {
		owner := fmt.Sprint(endpoint.Metadata[v1alpha1.MarkOwner])
		order = append(order, owner[strings.LastIndexByte(owner, '/')+1:])
	}
	return mostOvertaken(order), nil
}

// mostOvertaken is how many greater names come before a name, at most.
func mostOvertaken(order []string) int {
	most := 0
	for i, name := range order {
		before := 0
		for _, other := range order[:i] {
			if other > name {
				before++
			}
		}
		most = max(most, before)
	}
	return most
}

func (w *world) clearLimited(ctx context.Context) error {
	if err := w.vendor.LimitRate(ctx, limitedKey, 0); err != nil {
		return err
	}
	return w.remove(ctx, limitedNamespace, w.cfg.limited)
}
