// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package medblocksaccount reconciles MedblocksAccounts: whether their API keys work, what is in their workspaces, and what becomes of
// endpoints whose owners are gone. It makes no call of its own to find that out: it reads what the account's sweeps have seen, and
// being a user of the account it keeps those going. Data flows as in package endpoint: observe, plan, act, record.
package medblocksaccount

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// Orphans knows the endpoints of this cluster whose resource does not exist.
type Orphans interface {
	// Judged are those that the account's sweeps have looked into, by id: whether they are orphans. It begins anew after a start, and
	// takes more than one sweep where there are many.
	Judged(keyHash string) map[string]bool
}

// Deleter deletes orphans, after it has made sure that they are.
type Deleter interface {
	// NamedEndpoints are those that any resource names, read live.
	NamedEndpoints(ctx context.Context) (map[string]bool, error)
	DeleteOrphan(ctx context.Context, acct *account.Account, orphan endpoint.Orphan) (deleted bool, err error)
}

// Reconciler reports on MedblocksAccounts, and deletes orphans where they say so. All fields are required, except Selector,
// OperatorNamespace and ReadOnly.
type Reconciler struct {
	// Client reads from the cache, and writes the status.
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Accounts finds the account of an API key.
	Accounts *account.Registry
	Orphans  Orphans
	Deleter  Deleter
	Events   events.EventRecorder
	Clock    clock.Clock
	// ClusterID is the first part of this cluster's owner marks.
	ClusterID string
	// OperatorNamespace is where the API keys are; empty: not known.
	OperatorNamespace string
	// Selector selects the accounts that this shard reports on; nil: all.
	Selector labels.Selector
	// ReadOnly deletes nothing.
	ReadOnly bool

	mu sync.Mutex
	// countedAt is when the numbers of an account were last written.
	countedAt map[string]time.Time
	// postponed are the orphans of an account whose deletion failed, and until when they wait.
	postponed map[string]map[string]time.Time
}

// Reconcile brings the status of one MedblocksAccount up to date.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var acct v1alpha1.MedblocksAccount
	switch err := r.Client.Get(ctx, req.NamespacedName, &acct); {
	case apierrors.IsNotFound(err):
		r.forget(req.Name)
		return ctrl.Result{}, nil
	case err != nil:
		return ctrl.Result{}, fmt.Errorf("reading the MedblocksAccount: %w", err)
	case r.Selector != nil && !r.Selector.Matches(labels.Set(acct.Labels)):
		r.forget(req.Name)
		return ctrl.Result{}, nil
	}
	obs, err := r.observe(ctx, &acct)
	if err != nil {
		return ctrl.Result{}, err
	}
	p := makePlan(&acct, obs, r.Clock.Now())
	if len(p.Delete) == 0 {
		return r.record(ctx, &acct, p)
	}
	became, failure := r.act(ctx, &acct, obs, p.Delete)
	r.postpone(acct.Name, became.failed)
	if obs, err = r.observe(ctx, &acct); err != nil {
		return ctrl.Result{}, err
	}
	for _, id := range became.refuted {
		delete(obs.orphaned, id)
	}
	p = makePlan(&acct, obs, r.Clock.Now())
	if len(p.Delete) > 0 {
		p.wakeAt(r.Clock.Now().Add(deletionRetry)) // more of them, or some that turned out not to be orphans
	}
	result, err := r.record(ctx, &acct, p)
	if err == nil && failure != nil {
		ctrl.LoggerFrom(ctx).Info("Deleting orphans failed", "error", failure.Error())
	}
	return result, err
}

// forget frees what is kept about an account that is gone, or not this shard's.
func (r *Reconciler) forget(name string) {
	r.Accounts.Release(account.Resource{Name: name})
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.countedAt, name)
	delete(r.postponed, name)
}

// postpone has orphans wait whose deletion failed. Those that have waited are forgotten.
func (r *Reconciler) postpone(name string, failed []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, waiting := r.Clock.Now(), map[string]time.Time{}
	maps.Copy(waiting, r.postponed[name])
	maps.DeleteFunc(waiting, func(_ string, until time.Time) bool { return !now.Before(until) })
	for _, id := range failed {
		waiting[id] = now.Add(deletionPause)
	}
	if r.postponed == nil {
		r.postponed = map[string]map[string]time.Time{}
	}
	if r.postponed[name] = waiting; len(waiting) == 0 {
		delete(r.postponed, name)
	}
}
