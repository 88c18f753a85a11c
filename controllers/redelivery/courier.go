// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// Options of a Courier. All are required.
type Options struct {
	Clock clock.Clock
	// Enqueue has resources reconciled. It is called by the goroutines of the jobs, and may call the Courier.
	Enqueue func(...types.NamespacedName)
	Log     logr.Logger
}

// Courier looks after the jobs of all resources: one for each at most. Its methods are safe for concurrent use, and none but Start blocks.
type Courier struct {
	opts Options

	ctx    context.Context //nolint:containedctx // the jobs' lifetime is the courier's, not a caller's
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	runs  map[types.NamespacedName]*run
	ended bool
}

// New makes a courier without a job.
func New(opts Options) *Courier {
	ctx, cancel := context.WithCancel(context.Background())
	return &Courier{opts: opts, ctx: ctx, cancel: cancel, runs: map[types.NamespacedName]*run{}}
}

// Start runs until the context ends, then ends all jobs and waits for them (manager.Runnable).
func (c *Courier) Start(ctx context.Context) error {
	<-ctx.Done()
	c.mu.Lock()
	c.ended = true // so that no job begins after the wait has begun
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
	return nil
}

// Go begins a job. Nothing happens where the one with the same EndpointID, Begun and account is known already, at work or at its end;
// another one of the resource's is ended and forgotten.
func (c *Courier) Go(who types.NamespacedName, acct Account, job Job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	if is, known := c.runs[who]; known {
		if is.acct == acct && is.job.EndpointID == job.EndpointID && is.job.Begun.Equal(job.Begun) {
			return
		}
		is.stop()
	}
	ctx, stop := context.WithCancel(c.ctx)
	r := &run{
		courier: c, who: who, acct: acct, job: job, stop: stop,
		due: c.opts.Clock.Now().Add(publishInterval), log: c.opts.Log.WithValues("namespace", who.Namespace, "name", who.Name),
	}
	c.runs[who] = r
	c.wg.Go(func() {
		defer stop()
		r.work(ctx)
	})
}

// Stop ends and forgets a resource's job, if there is one. What becomes known of it later is not recorded.
func (c *Courier) Stop(who types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if is, known := c.runs[who]; known {
		is.stop()
		delete(c.runs, who)
	}
}

// Progress is how far a resource's job with that beginning has come; false: it is not known, or not yet.
func (c *Courier) Progress(who types.NamespacedName, begun time.Time) (Progress, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	is, known := c.runs[who]
	if !known || !is.job.Begun.Equal(begun) || is.published == nil {
		return Progress{}, false
	}
	p := *is.published
	p.Exhausted = slices.Clone(p.Exhausted)
	return p, true
}

// show records how far a job has come, and tells whether that is news.
func (c *Courier) show(r *run, p Progress) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs[r.who] != r || reflect.DeepEqual(r.published, &p) {
		return false
	}
	r.published = &p
	return true
}
