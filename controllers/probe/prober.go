// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// interval is from the end of a probe to the beginning of the next, so that two of them are never closer than that.
	interval = 15 * time.Second
	// longestInterval is that between the probes of a receiver that has been failing for long.
	longestInterval = time.Minute
	// probesAtOnce bounds what the probes of a large fleet use. Who has to wait is served in the order of coming.
	probesAtOnce = 32
	// successesInARow make a receiver healthy.
	successesInARow = 2
)

// Options of a prober. All are required, except Allowed.
type Options struct {
	// Services reads Services live, from the API server.
	Services client.Reader
	// Allowed are the networks that probes may reach although they are loopback, link-local or private.
	Allowed []netip.Prefix
	Clock   clock.Clock
	// Enqueue has resources reconciled. It must not call the prober, which waits for it.
	Enqueue func(...types.NamespacedName)
	Log     logr.Logger
}

// Prober probes receivers for as long as somebody wants to know, each in a goroutine of its own.
type Prober struct {
	opts  Options
	ask   func(ctx context.Context, namespace string, t Target) outcome
	turns chan struct{} // holds one value per probe that is under way

	ctx    context.Context //nolint:containedctx // the probes' lifetime is the prober's, not a caller's
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	probed map[types.NamespacedName]*receiver
}

// receiver is a target that is being probed for a resource.
type receiver struct {
	who       types.NamespacedName
	target    Target
	stop      context.CancelFunc
	result    Result
	successes int // in a row
	failures  int // in a row
}

// New makes a prober that probes nothing yet.
func New(opts Options) *Prober {
	ctx, cancel := context.WithCancel(context.Background())
	asker := &asker{services: opts.Services, allowed: opts.Allowed, limit: timeLimit}
	return &Prober{
		opts: opts, ask: asker.ask, turns: make(chan struct{}, probesAtOnce), ctx: ctx, cancel: cancel,
		probed: map[types.NamespacedName]*receiver{},
	}
}

// Start runs until the context ends, ends all probing and waits for it (manager.Runnable).
func (p *Prober) Start(ctx context.Context) error {
	<-ctx.Done()
	p.mu.Lock()
	p.cancel() // whoever holds the lock next starts nothing any more
	p.mu.Unlock()
	p.wg.Wait()
	return nil
}

// Watch begins to probe a target for a resource. It goes on where that target is being probed already, and begins anew where another one
// is. It never blocks.
func (p *Prober) Watch(who types.NamespacedName, t Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return
	}
	if r, ok := p.probed[who]; ok {
		if r.target.Equal(t) {
			return
		}
		r.stop()
	}
	ctx, stop := context.WithCancel(p.ctx)
	r := &receiver{who: who, target: t.clone(), stop: stop}
	p.probed[who] = r
	p.wg.Go(func() { p.run(ctx, r) })
}

// Stop ends the probing for a resource, if there is any. It never blocks; a probe that is under way is cancelled, and forgotten.
func (p *Prober) Stop(who types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.probed[who]; ok {
		r.stop()
		delete(p.probed, who)
	}
}

// Result is what is known about a target; nothing where it is not being probed.
func (p *Prober) Result(who types.NamespacedName, t Target) Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.probed[who]; ok && r.target.Equal(t) {
		return r.result
	}
	return Result{}
}

// run probes a receiver until the context ends. The first probe comes at once.
func (p *Prober) run(ctx context.Context, r *receiver) {
	for p.takeTurn(ctx) {
		ended := p.ask(ctx, r.who.Namespace, r.target)
		<-p.turns
		p.note(ctx, r, ended)
		p.sleep(ctx, r.untilNext())
	}
}

// takeTurn waits until there are not too many probes at once; false: the context ended.
func (p *Prober) takeTurn(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case p.turns <- struct{}{}:
	}
	if ctx.Err() != nil { // where both were the case, either may have been seen
		<-p.turns
		return false
	}
	return true
}

// note keeps the outcome of a probe, and has the resource reconciled if it tells something new. That happens under the lock, so that
// nothing does once a call of Stop or Watch has ended the probing.
func (p *Prober) note(ctx context.Context, r *receiver, ended outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	if ended.expected {
		r.successes, r.failures = r.successes+1, 0
	} else {
		r.successes, r.failures = 0, r.failures+1
	}
	count(ended)
	result := Result{Healthy: r.successes >= successesInARow, Last: ended.words}
	if result == r.result {
		return
	}
	r.result = result
	log := p.opts.Log.WithValues("resource", r.who, "healthy", result.Healthy, "last", result.Last)
	if ended.cause != nil {
		log = log.WithValues("cause", ended.cause.Error())
	}
	log.Info("A receiver was probed, with a new result")
	p.opts.Enqueue(r.who)
}

func (p *Prober) sleep(ctx context.Context, d time.Duration) {
	timer := p.opts.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C():
	}
}

// untilNext is how long the receiver is left alone. A healthy one is not for longer than at first, so that the verdict does not grow old.
func (r *receiver) untilNext() time.Duration {
	if r.failures < 2 {
		return interval
	}
	return jitter(min(interval<<min(r.failures-1, 10), longestInterval))
}

// jitter spreads the probes of receivers that failed together: ±10 %.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64())) //nolint:gosec // not a secret
}
