// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/go-logr/logr"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// Bounds of the delay before a list that failed is tried again.
const (
	listRetryInitial = 5 * time.Second
	listRetryMax     = 10 * time.Minute
	// relapseInitial is how long a key that lists accept and other calls do not is left alone; the delay doubles up to listRetryMax.
	relapseInitial = 30 * time.Second
)

// poller keeps one account's snapshot current. Its lists run one after another in one goroutine, so that sweeps never
// overlap.
type poller struct {
	account *Account
	opts    Options
	log     logr.Logger

	// refreshKeys reads the API key Secrets of the account again: once per full sweep, and more often while the vendor
	// refuses the key.
	refreshKeys func(ctx context.Context)

	nextFull     time.Time
	nextDisabled time.Time
	failures     int  // of the full list, in a row
	toldRefused  bool // the users know that the vendor refuses the key
	relapses     int  // how often in a row a list was accepted after another call was refused
}

func (r *Registry) pollerOf(account *Account, log logr.Logger) *poller {
	return &poller{
		account: account, opts: r.opts, log: log,
		refreshKeys: func(ctx context.Context) { r.refreshKeys(ctx, account.KeyHash) },
	}
}

// ListNow lists all endpoints of an account that nobody polls. The account tells whether that has failed, as after any other list; an
// error is that of the context.
func (r *Registry) ListNow(ctx context.Context, account *Account) error {
	r.pollerOf(account, r.opts.Log).fullSweep(ctx)
	return ctx.Err()
}

// run polls until the context ends. The first full list comes at once.
func (p *poller) run(ctx context.Context) {
	p.nextFull = p.opts.Clock.Now()
	p.nextDisabled = p.nextFull.Add(p.opts.DisabledPollInterval)
	for ctx.Err() == nil {
		if wait := p.untilNext(); wait > 0 {
			p.sleep(ctx, wait)
			continue
		}
		p.tick(ctx)
	}
}

// sleep waits until something is due, or somebody needs a list.
func (p *poller) sleep(ctx context.Context, wait time.Duration) {
	timer := p.opts.Clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-p.account.listDue:
		p.hurry()
	case <-timer.C():
	}
}

// untilNext is how long there is nothing to do: the vendor's Retry-After counts for lists too.
func (p *poller) untilNext() time.Duration {
	next := p.nextFull
	if pause := p.account.PausedUntil(); pause.After(next) {
		next = pause
	}
	if p.nextDisabled.Before(next) {
		next = p.nextDisabled
	}
	return max(next.Sub(p.opts.Clock.Now()), 0)
}

// hurry brings the full list forward because somebody waits for it. After failures the retry delay stands.
func (p *poller) hurry() {
	next := p.opts.Clock.Now()
	switch {
	case p.failures > 0:
		return
	case p.relapses > 0 && p.account.Refused() != nil:
		next = next.Add(min(relapseInitial<<min(p.relapses-1, 10), listRetryMax))
	}
	if next.Before(p.nextFull) {
		p.nextFull = next
	}
}

func (p *poller) tick(ctx context.Context) {
	now := p.opts.Clock.Now()
	disabledDue, paused := !now.Before(p.nextDisabled), now.Before(p.account.PausedUntil())
	switch {
	case !paused && !now.Before(p.nextFull):
		p.fullSweep(ctx)
	case disabledDue && (paused || p.account.Refused() != nil):
		// No call during a pause or with a refused key, but a new key may be there.
		p.nextDisabled = now.Add(p.opts.DisabledPollInterval)
		p.refreshKeys(ctx)
	case paused:
	case disabledDue:
		p.disabledSweep(ctx)
	}
}

// fullSweep lists all endpoints. A list that failed or stopped half-way changes nothing.
func (p *poller) fullSweep(ctx context.Context) {
	p.refreshKeys(ctx)
	at, begun := p.opts.Clock.Now(), p.account.store.begin()
	listed, err := p.account.list(ctx, medblocks.ListEndpointsOptions{})
	if ctx.Err() != nil {
		return
	}
	everybody := false
	if err != nil {
		p.failures++
		p.nextFull = p.opts.Clock.Now().Add(p.retryDelay())
		p.log.Info("Listing the endpoints failed", "error", err.Error(), "failures", p.failures)
	} else {
		everybody = p.takeOver(begun, at, listed)
	}
	p.serve(err)
	concerned := p.account.noteList(err)
	if refused := p.account.Refused() != nil; everybody || refused != p.toldRefused {
		p.toldRefused = refused
		concerned = p.account.allUsers()
	}
	p.account.enqueue(concerned...)
	if err == nil && p.opts.Witness != nil {
		p.opts.Witness.Swept(ctx, p.account, p.account.unclaimed(p.opts.ClusterID))
	}
	p.account.enqueue(p.account.overseers()...) // after the witness, whose findings they tell
}

// takeOver takes over a complete list, and tells whether it concerns all users of the account.
func (p *poller) takeOver(begun int64, at time.Time, listed map[string]medblocks.Endpoint) (everybody bool) {
	p.failures = 0
	p.swept(sweepFull, at)
	p.nextFull = at.Add(jitter(p.opts.PollInterval))
	accepted := p.account.breaker.close() // whoever met the refusal waits to be told that it is over
	if accepted {
		p.relapses++
	} else {
		p.relapses = 0
	}
	changes, settled := p.account.store.replace(begun, at, listed, p.account.tracked())
	p.announce(changes)
	return accepted || settled
}

// serve ends what was asked for by now: who asked is told of this list, and asks again if it was begun too early for them.
func (p *poller) serve(err error) {
	select {
	case <-p.account.listDue:
	default:
	}
	if err == nil && p.account.Refused() != nil {
		p.hurry() // the key was refused again while the list was taken over, and nobody else would ask
	}
}

// disabledSweep asks for the disabled endpoints only: no event announces that an endpoint was disabled.
func (p *poller) disabledSweep(ctx context.Context) {
	p.nextDisabled = p.opts.Clock.Now().Add(jitter(p.opts.DisabledPollInterval))
	if p.account.store.look("", "").ListedAt.IsZero() {
		return
	}
	at, begun := p.opts.Clock.Now(), p.account.store.begin()
	listed, err := p.account.list(ctx, medblocks.ListEndpointsOptions{Status: medblocks.EndpointStatusDisabled})
	if err != nil {
		if ctx.Err() == nil {
			p.log.Info("Listing the disabled endpoints failed", "error", err.Error())
		}
		return
	}
	p.swept(sweepDisabled, at)
	if changes := p.account.store.merge(begun, listed); len(changes) > 0 {
		p.announce(changes)
		p.account.enqueue(p.account.overseers()...)
	}
}

func (p *poller) announce(changes []Change) {
	for _, c := range changes {
		p.account.enqueue(p.account.affected(c)...)
	}
}

func (p *poller) retryDelay() time.Duration {
	delay := listRetryInitial << min(p.failures-1, 10)
	return min(delay, listRetryMax, p.opts.PollInterval)
}

// jitter spreads the sweeps of many operators and accounts: ±10 %.
func jitter(interval time.Duration) time.Duration {
	return time.Duration(float64(interval) * (0.9 + 0.2*rand.Float64())) //nolint:gosec // not a secret
}

// list reads all pages. It returns nothing at all where one of them fails.
func (a *Account) list(ctx context.Context, opts medblocks.ListEndpointsOptions) (map[string]medblocks.Endpoint, error) {
	listed := map[string]medblocks.Endpoint{}
	if err := a.admitPage(ctx, opts); err != nil {
		return nil, err
	}
	for endpoint, err := range a.api.ListEndpoints(ctx, opts) {
		if err != nil {
			a.noteError(err)
			if medblocks.IsForbidden(err) {
				a.breaker.open(err)
			}
			return nil, err
		}
		if endpoint.Metadata == nil {
			// Every read shows the metadata. Without them ours would be nobody's, and be registered a second time.
			return nil, fmt.Errorf("the list shows endpoint %s without its metadata", endpoint.ID)
		}
		listed[endpoint.ID] = a.store.keep(endpoint)
		// The next page is another call, which has to wait for its turn too.
		if len(listed)%medblocks.DefaultPageSize == 0 {
			a.noteError(nil)
			if err := a.admitPage(ctx, opts); err != nil {
				return nil, err
			}
		}
	}
	a.noteError(nil)
	return listed, nil
}

// noteList keeps the outcome of a full list and returns the resources that waited for it.
func (a *Account) noteList(err error) []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listErr = err
	waiting := make([]Resource, 0, len(a.waiting))
	for who := range a.waiting {
		waiting = append(waiting, who)
	}
	clear(a.waiting)
	return waiting
}

// tracked are the ids of the endpoints that resources manage.
func (a *Account) tracked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.users.ids()
}

func (a *Account) allUsers() []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Keys(a.users.tracked))
}
