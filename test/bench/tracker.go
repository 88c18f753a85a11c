// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// sight is what was last seen of a resource, and when.
type sight struct {
	endpointID string
	ready      bool
	readyAt    time.Time // when it became Ready in its present generation
	generation int64
	enabled    bool
	disabledAt time.Time // when it was first seen not Enabled, after it was
}

// tracker watches all resources, as a person with kubectl get --watch would.
type tracker struct {
	mu     sync.Mutex
	sights map[client.ObjectKey]sight
	broken error
}

// follow begins to watch, until the context ends.
func follow(ctx context.Context, api client.WithWatch) (*tracker, error) {
	t := &tracker{sights: map[client.ObjectKey]sight{}}
	started, err := api.Watch(ctx, &v1alpha1.MedblocksWebhookEndpointList{})
	if err != nil {
		return nil, fmt.Errorf("watch the resources: %w", err)
	}
	go t.keepWatching(ctx, api, started)
	return t, nil
}

// keepWatching begins again where the API server ends a watch, as it does now and then.
func (t *tracker) keepWatching(ctx context.Context, api client.WithWatch, current watch.Interface) {
	for {
		for event := range current.ResultChan() {
			t.take(event)
		}
		current.Stop()
		if ctx.Err() != nil {
			return
		}
		var err error
		if current, err = api.Watch(ctx, &v1alpha1.MedblocksWebhookEndpointList{}); err != nil {
			t.mu.Lock()
			t.broken = err
			t.mu.Unlock()
			return
		}
	}
}

func (t *tracker) take(event watch.Event) {
	res, ok := event.Object.(*v1alpha1.MedblocksWebhookEndpoint)
	if !ok {
		return
	}
	now, key := time.Now(), client.ObjectKeyFromObject(res)
	t.mu.Lock()
	defer t.mu.Unlock()
	if event.Type == watch.Deleted {
		delete(t.sights, key)
		return
	}
	was := t.sights[key]
	is := sight{
		endpointID: res.Status.EndpointID, generation: res.Generation, readyAt: was.readyAt, disabledAt: was.disabledAt,
		ready:   res.Status.ObservedGeneration == res.Generation && meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady),
		enabled: meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionEnabled),
	}
	if is.ready && (!was.ready || was.generation != is.generation) {
		is.readyAt = now
	}
	if was.enabled && !is.enabled {
		is.disabledAt = now
	}
	t.sights[key] = is
}

func (t *tracker) of(key client.ObjectKey) (sight, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, known := t.sights[key]
	return s, known
}

// among counts the resources of a namespace of which something is true. The second result is when the last of them became Ready.
func (t *tracker) among(namespace string, is func(sight) bool) (count int, last time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, s := range t.sights {
		if key.Namespace == namespace && is(s) {
			count++
			if s.readyAt.After(last) {
				last = s.readyAt
			}
		}
	}
	return count, last
}

func (t *tracker) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.broken
}

// await waits until so many are done, and tells those who wait how far it is. It gives up when nothing happens for long.
func (w *world) await(ctx context.Context, what string, want int, done func() int) error {
	was, since, told := -1, time.Now(), time.Now()
	for {
		count := done()
		if count != was {
			was, since = count, time.Now()
		}
		if count == want {
			return nil
		}
		switch {
		case time.Since(since) > stuck:
			return fmt.Errorf("%s: stuck at %d of %d", what, count, want)
		case w.seen.err() != nil:
			return fmt.Errorf("%s: the watch has ended: %w", what, w.seen.err())
		case w.subject != nil && !w.subject.Running():
			return w.subject.EndedError()
		}
		if time.Since(told) > 10*time.Second {
			w.say("%s: %d, to become %d", what, count, want)
			told = time.Now()
		}
		if err := pause(ctx, often); err != nil {
			return err
		}
	}
}

// awaitReady waits until that many resources of a namespace are Ready, and returns when the last of them became so.
func (w *world) awaitReady(ctx context.Context, namespace string, want int) (last time.Time, err error) {
	err = w.await(ctx, "Ready", want, func() (count int) {
		count, last = w.seen.among(namespace, func(s sight) bool { return s.ready })
		return count
	})
	return last, err
}
