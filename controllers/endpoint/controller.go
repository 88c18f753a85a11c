// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package endpoint reconciles MedblocksWebhookEndpoints. Data flows one way: observe reads, makePlan decides (a pure
// function), act writes, record stores the status. Deletion has a plan of its own.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/probe"
	"github.com/medblocks/webhook-operator/controllers/redelivery"
)

// Reconciler brings MedblocksWebhookEndpoints and the endpoints at Medblocks together. All fields are required, except
// ReadOnly, SecretsByName, OperatorNamespace and WithoutAccounts.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// APIReader reads live.
	APIReader client.Reader
	// Accounts finds the account of a resource.
	Accounts *account.Registry
	// Events publishes Kubernetes events.
	Events events.EventRecorder
	// Prober probes receivers, and Courier has events redelivered, while a plan wants it.
	Prober  *probe.Prober
	Courier *redelivery.Courier
	// Orphans learns of resources that vanished.
	Orphans *Orphans
	Clock   clock.Clock
	// ClusterID is the first part of the owner mark.
	ClusterID string
	// APITimeout bounds a call to Medblocks: as long as that, one may be in flight.
	APITimeout time.Duration
	// PollInterval is how often a Secret of the user's is read again that a signing secret is copied from.
	PollInterval time.Duration
	// ReadOnly plans and reports, and writes nothing to Medblocks.
	ReadOnly bool
	// SecretsByName: Secrets may not be listed and watched. They are read live, once per reconcile, and each resource is reconciled once
	// per PollInterval, because nobody tells when a Secret is changed.
	SecretsByName bool
	// OperatorNamespace is where the API keys of MedblocksAccounts are; empty: not known.
	OperatorNamespace string
	// WithoutAccounts: this operator may not read MedblocksAccounts and namespaces, and refuses resources that name one.
	WithoutAccounts bool
	// Enqueue has resources reconciled.
	Enqueue func(...account.Resource)

	// previews: it only says what it would do, see Previewer.
	previews bool
	memories memories
	turns    turns
	// limited are the resources that a limit of their MedblocksAccount leaves without a place.
	limited resourceSet
	// reserved are those that have taken a place, and are about to have an endpoint.
	reserved reservations
	// beginning is when the first reconcile began.
	once      sync.Once
	beginning time.Time
}

// reconcileTimeout bounds one reconcile, in addition to its calls to Medblocks.
const reconcileTimeout = time.Minute

// maxRounds bounds how often one reconcile plans: each round learns or does something.
const maxRounds = 20

// unsettledRetry is how soon an endpoint is looked at again that does not show what was asked for.
const unsettledRetry = 30 * time.Second

// Reconcile runs observe, plan, act and record for one resource. Once begun it is not cut short by a shutdown: that would
// lose the answer to a registration or a rotation, and with it the secret. The manager waits for it.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reconcileTimeout+4*r.APITimeout)
	defer cancel()
	var res v1alpha1.MedblocksWebhookEndpoint
	if err := r.Client.Get(ctx, req.NamespacedName, &res); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return ctrl.Result{}, r.forget(ctx, req.NamespacedName)
		}
		return ctrl.Result{}, fmt.Errorf("reading the resource: %w", err)
	}
	w := newWork(&res, r.memories.of(&res))
	defer r.endTurns(w)
	defer r.leaveLine(w)
	r.endUnwanted(&res)
	if w.mem.isAhead(&res) {
		return r.retryStale(w), nil
	}
	if err := errors.Join(r.wakeRivals(ctx, w), r.wakeSiblings(ctx, w)); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.observe(ctx, w); err != nil {
		return r.recordUnobserved(ctx, w, err)
	}
	if !res.DeletionTimestamp.IsZero() {
		return r.finalize(ctx, w)
	}
	p, err := r.settle(ctx, w, makePlan)
	return r.record(ctx, w, p, err)
}

// planFunc is makePlan, or makeDeletionPlan for a resource that is being deleted.
type planFunc = func(*v1alpha1.MedblocksWebhookEndpoint, *observation, time.Time) plan

// settle plans and acts until nothing is left to do, or something stands in the way. It returns the last plan.
func (r *Reconciler) settle(ctx context.Context, w *work, makePlan planFunc) (plan, error) {
	for {
		p, err := r.decide(ctx, w, makePlan)
		if err != nil {
			return p, err
		}
		if r.ReadOnly {
			p.withhold(w.res)
		}
		if len(p.Steps) == 0 {
			return p, nil
		}
		if id, again := w.repeats(p.Steps); again {
			if id != "" && !w.reread[id] {
				w.reread[id] = true
				delete(w.obs.live, id) // the answer may not have been the whole truth: read it
				continue
			}
			return p.unsettled(r.Clock.Now()), nil
		}
		if err := r.confirm(ctx, w, p.Steps[0]); err != nil {
			return p, err
		}
		if err := r.act(ctx, w, p.Steps); err != nil {
			return p, err
		}
	}
}

// decide plans, and observes what the plan asks for, until there is one that can be carried out. It writes nothing.
func (r *Reconciler) decide(ctx context.Context, w *work, makePlan planFunc) (plan, error) {
	for {
		p := makePlan(w.res, w.obs, r.Clock.Now())
		if w.rounds++; w.rounds > maxRounds {
			return p.unsettled(r.Clock.Now()), nil
		}
		w.note(p)
		switch again, err := r.prepare(ctx, w, &p); {
		case errors.Is(err, errBusy):
			return p.postpone(r.Clock.Now().Add(busyRetry)), nil
		case err != nil || !again:
			return p, err
		}
	}
}

// unsettled returns a plan of which nothing is done any more, because Medblocks does not show what was done.
func (p *plan) unsettled(now time.Time) plan {
	h := transient(v1alpha1.ReasonAPIUnavailable, "Medblocks accepted a change and does not show it; the operator looks again")
	h.Wake = now.Add(unsettledRetry)
	later := *p
	later.Needs, later.Steps, later.Done = needs{}, nil, false
	later.Holds = append([]hold{*h}, p.Holds...)
	later.wakeAt(h.Wake)
	return later
}

// begun is when this process has begun to reconcile: as the leader, that is.
func (r *Reconciler) begun() time.Time {
	r.once.Do(func() { r.beginning = r.Clock.Now() })
	return r.beginning
}

// prepare takes the turns that a plan needs, and observes what it asks for. It tells whether to plan again.
func (r *Reconciler) prepare(ctx context.Context, w *work, p *plan) (again bool, err error) {
	mine, afresh := r.takeTurns(w, p)
	switch {
	case !mine:
		return false, errBusy
	case afresh:
		return true, nil
	case p.Needs.any():
		return true, r.deepen(ctx, w, p.Needs)
	}
	return false, nil
}

// busyRetry is how soon an endpoint is looked at again that is another resource's turn.
const busyRetry = 2 * time.Second

// errBusy: it is another resource's turn at an endpoint.
var errBusy = errors.New("another resource is at work on the endpoint")

// postpone returns a plan of which nothing can be done right now.
func (p *plan) postpone(until time.Time) plan {
	later := *p
	h := transient(v1alpha1.ReasonPending, "%s, which this one has to wait for", errBusy)
	h.Wake = until
	later.Needs, later.Steps, later.Done, later.Postponed = needs{}, nil, false, true
	later.Holds = append([]hold{*h}, p.Holds...)
	later.wakeAt(until)
	return later
}

// finalize lets go of a resource that is being deleted, once its endpoint is gone or released.
func (r *Reconciler) finalize(ctx context.Context, w *work) (ctrl.Result, error) {
	p, err := r.settle(ctx, w, makeDeletionPlan)
	if err != nil || !p.Done {
		return r.record(ctx, w, p, err)
	}
	if w.released != "" {
		r.announceRelease(ctx, w)
	}
	r.publish(w)
	r.endErrands(client.ObjectKeyFromObject(w.res))
	return ctrl.Result{}, nil // what is kept in memory goes when the cache has seen the resource go
}

// forget frees what is kept about a resource that is gone, or no longer this operator's. One that went without this
// operator's doing may have left its endpoint behind.
func (r *Reconciler) forget(ctx context.Context, who account.Resource) error {
	if err := r.wakeOthers(ctx, who, r.memories.claims(who)); err != nil {
		return err
	}
	r.leavePlaces(who)
	r.endErrands(who)
	r.Enqueue(r.limited.of(who.Namespace)...) // a place may be free
	finished := r.memories.forget(who)
	acct, id := r.Accounts.Tracked(who)
	if id != "" && !finished && acct.IsOnlyUser(who) { // the next sweep finds all others
		r.Orphans.vanished(ctx, acct, account.Marked{ID: id, Owner: who})
	}
	r.Accounts.Release(who)
	return nil
}
