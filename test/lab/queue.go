// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// queue is a controller's work queue whose delays run on the world's clock, and that knows at any moment whether anything
// is queued or worked on.
type queue struct {
	workqueue.TypedInterface[reconcile.Request]
	limiter workqueue.TypedRateLimiter[reconcile.Request]
	clock   *Clock
	storage *storage
	// served: workers have begun to take from it. Before that, what the informers found first is not in it yet.
	served atomic.Bool

	mu  sync.Mutex
	due map[reconcile.Request]time.Time
}

var _ workqueue.TypedRateLimitingInterface[reconcile.Request] = (*queue)(nil)

func newQueue(clk *Clock, limiter workqueue.TypedRateLimiter[reconcile.Request]) *queue {
	s := &storage{Queue: workqueue.DefaultQueue[reconcile.Request]()}
	return &queue{
		TypedInterface: workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[reconcile.Request]{Queue: s}),
		limiter:        limiter, clock: clk, storage: s, due: map[reconcile.Request]time.Time{},
	}
}

// AddAfter adds an item when the clock has moved on that far.
func (q *queue) AddAfter(item reconcile.Request, d time.Duration) {
	if d <= 0 {
		q.Add(item)
		return
	}
	at := q.clock.Now().Add(d)
	q.mu.Lock()
	defer q.mu.Unlock()
	if was, waits := q.due[item]; !waits || at.Before(was) {
		q.due[item] = at
	}
}

// AddRateLimited adds an item after the delay that its failures have earned it.
func (q *queue) AddRateLimited(item reconcile.Request) { q.AddAfter(item, q.limiter.When(item)) }

// Forget says that an item did not fail.
func (q *queue) Forget(item reconcile.Request) { q.limiter.Forget(item) }

// NumRequeues is how often an item failed in a row.
func (q *queue) NumRequeues(item reconcile.Request) int { return q.limiter.NumRequeues(item) }

// Get hands out the next item.
func (q *queue) Get() (item reconcile.Request, shutdown bool) {
	q.served.Store(true)
	return q.TypedInterface.Get()
}

// idle tells whether nothing is queued or worked on, and the controller has started.
func (q *queue) idle() bool { return q != nil && q.served.Load() && q.storage.idle() }

// Done says that an item was worked on.
func (q *queue) Done(item reconcile.Request) {
	q.TypedInterface.Done(item)
	q.storage.done()
}

// release adds what is due by now.
func (q *queue) release() {
	now := q.clock.Now()
	q.mu.Lock()
	var items []reconcile.Request
	for item, at := range q.due {
		if !at.After(now) {
			items = append(items, item)
			delete(q.due, item)
		}
	}
	q.mu.Unlock()
	for _, item := range items {
		q.Add(item)
	}
}

// nextDue is when the next delayed item is due; zero without one.
func (q *queue) nextDue() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	var next time.Time
	for _, at := range q.due {
		next = earliest(next, at)
	}
	return next
}

// storage counts what goes through it. The queue calls Push and Pop under its own lock, so that there is no gap in which
// an item is neither queued nor worked on.
type storage struct {
	workqueue.Queue[reconcile.Request]
	mu   sync.Mutex
	busy int // queued or worked on
}

func (s *storage) Push(item reconcile.Request) {
	s.mu.Lock()
	s.busy++
	s.mu.Unlock()
	s.Queue.Push(item)
}

// Pop leaves the item busy until it is done.
func (s *storage) Pop() reconcile.Request { return s.Queue.Pop() }

func (s *storage) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
}

func (s *storage) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy == 0
}
