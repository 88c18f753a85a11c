// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// never is an interval that does not come round in a phase.
const never = "1h"

// samplesPerInterval is how many endpoints are changed in one interval of the operator, at random times.
const samplesPerInterval = 5

// atRandomTimes does something for each sample, spread evenly over as many intervals as they need.
func (w *world) atRandomTimes(ctx context.Context, interval time.Duration, do func(ctx context.Context, i int) error) error {
	span := interval * time.Duration(max(w.cfg.samples/samplesPerInterval, 2))
	times := make([]time.Duration, w.cfg.samples)
	for i := range times {
		times[i] = rand.N(span)
	}
	slices.Sort(times)
	begun := time.Now()
	return each(ctx, w.cfg.samples, 1, func(ctx context.Context, i int) error {
		if err := pause(ctx, time.Until(begun.Add(times[i]))); err != nil {
			return err
		}
		return do(ctx, i)
	})
}

// endpointOf is the id of a resource's endpoint.
func (w *world) endpointOf(key client.ObjectKey) (string, error) {
	s, known := w.seen.of(key)
	if !known || s.endpointID == "" {
		return "", fmt.Errorf("%s has no endpoint", key)
	}
	return s.endpointID, nil
}

// measureDisables disables endpoints without a word, and waits until their resources show it.
func (w *world) measureDisables(ctx context.Context) error {
	if err := w.startSettled(ctx, "--disabled-poll-interval="+w.cfg.disabledPoll.String(), "--poll-interval="+never); err != nil {
		return err
	}
	w.say("disabling %d endpoints without a word", w.cfg.samples)
	latencies, err := w.disableSome(ctx, w.cfg.disabledPoll)
	w.out.disable = latency{interval: w.cfg.disabledPoll, measured: latencies}
	return err
}

func (w *world) disableSome(ctx context.Context, interval time.Duration) ([]time.Duration, error) {
	of := func(i int) client.ObjectKey { // the last ones: the first are for the drift
		return client.ObjectKey{Namespace: namespace, Name: name(w.cfg.n - 1 - i)}
	}
	at := make([]time.Time, w.cfg.samples)
	err := w.atRandomTimes(ctx, interval, func(ctx context.Context, i int) error {
		id, err := w.endpointOf(of(i))
		if err != nil {
			return err
		}
		at[i] = time.Now()
		return w.vendor.Disable(ctx, id)
	})
	if err != nil {
		return nil, err
	}
	err = w.await(ctx, "noticed", w.cfg.samples, func() int {
		noticed, _ := w.seen.among(namespace, func(s sight) bool { return !s.disabledAt.IsZero() })
		return noticed
	})
	latencies := make([]time.Duration, w.cfg.samples)
	for i := range latencies {
		s, _ := w.seen.of(of(i))
		latencies[i] = s.disabledAt.Sub(at[i])
	}
	slices.Sort(latencies)
	return latencies, err
}

// measureDrift changes endpoints as a person in the dashboard would, and waits until they are put back.
func (w *world) measureDrift(ctx context.Context) error {
	if err := w.startSettled(ctx, "--poll-interval="+w.cfg.poll.String(), "--disabled-poll-interval="+never); err != nil {
		return err
	}
	if err := w.vendor.ForgetCalls(ctx); err != nil {
		return err
	}
	w.say("changing %d endpoints at Medblocks", w.cfg.samples)
	person, err := medblocks.New(medblocks.Config{BaseURL: w.vendor.URL, APIKey: apiKey})
	if err != nil {
		return err
	}
	err = w.atRandomTimes(ctx, w.cfg.poll, func(ctx context.Context, i int) error {
		id, err := w.endpointOf(client.ObjectKey{Namespace: namespace, Name: name(i)})
		if err != nil {
			return err
		}
		_, err = person.UpdateEndpoint(ctx, id, medblocks.UpdateEndpointRequest{URL: ptr.To("https://elsewhere.example.com/hook")})
		return err
	})
	if err != nil {
		return err
	}
	err = w.await(ctx, "put back", w.cfg.samples, func() int {
		counters, err := w.vendor.Counters(ctx)
		if err != nil {
			return 0
		}
		return counters.Calls[emulator.OperationUpdateEndpoint] - w.cfg.samples
	})
	if err != nil {
		return err
	}
	calls, err := w.vendor.Calls(ctx)
	latencies := betweenUpdates(calls)
	slices.Sort(latencies)
	w.out.drift = latency{interval: w.cfg.poll, measured: latencies}
	return err
}

// betweenUpdates is the time from the first PATCH of each endpoint, the person's, to the next, the operator's.
func betweenUpdates(calls []emulator.Call) []time.Duration {
	first, seen := map[string]time.Time{}, map[string]bool{}
	var between []time.Duration
	for _, call := range calls {
		if call.Operation != emulator.OperationUpdateEndpoint || seen[call.Path] {
			continue
		}
		if at, changed := first[call.Path]; changed {
			seen[call.Path] = true
			between = append(between, call.At.Sub(at))
			continue
		}
		first[call.Path] = call.At
	}
	return between
}
