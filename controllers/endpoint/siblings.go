// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// Of the resources of a namespace that use a MedblocksAccount, those that have an endpoint have its places, and then those that were
// created first. So what one of them may do depends on others, which have to be told when one goes or comes, or loses its endpoint.

// siblings are the cached resources of a namespace that name a MedblocksAccount; in an empty namespace: those of all. They are the
// cache's own objects: read only.
func (r *Reconciler) siblings(ctx context.Context, namespace, accountName string) ([]v1alpha1.MedblocksWebhookEndpoint, error) {
	var all v1alpha1.MedblocksWebhookEndpointList
	err := r.Client.List(ctx, &all, client.InNamespace(namespace), client.MatchingFields{IndexAccount: accountName}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("looking for the resources that use MedblocksAccount %s: %w", accountName, err)
	}
	return all.Items, nil
}

// rank counts the resources that come before one, up to that many.
func (r *Reconciler) rank(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint, g *guardrails, places int) (int, error) {
	order, err := r.seniorityIn(ctx, &g.spec, g.account)
	if err != nil {
		return 0, err
	}
	siblings, err := r.siblings(ctx, res.Namespace, g.account)
	return order.rankOf(res, siblings, places), err
}

// observeRank counts the resources that come before one. It is on the list of those without a place before it looks, so that whoever
// frees one after that tells it. What it had reserved before is over: by now the cache shows what came of it.
func (r *Reconciler) observeRank(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint, g *guardrails, places int) (int, error) {
	who := client.ObjectKeyFromObject(res)
	r.limited.add(who)
	if _, holds := holdsEndpoint(res); r.reserved.remove(who) && !holds {
		r.Enqueue(r.limited.of(res.Namespace)...)
	}
	rank, err := r.rank(ctx, res, g, places)
	if err == nil && rank < places {
		r.limited.remove(who)
	}
	return rank, err
}

// leavePlaces forgets what a resource has reserved or waits for.
func (r *Reconciler) leavePlaces(who account.Resource) {
	r.reserved.remove(who)
	r.limited.remove(who)
}

// wakeSiblings has those reconciled whose rank a resource has changed by beginning to use a MedblocksAccount, or by ceasing to,
// or by losing its endpoint. (Getting one changes nothing: it had a place before.)
func (r *Reconciler) wakeSiblings(ctx context.Context, w *work) error {
	before, after := w.mem.usesAccount, w.res.UsesAccount()
	held := w.mem.holdsEndpoint
	_, w.mem.holdsEndpoint = holdsEndpoint(w.res)
	lost := held && !w.mem.holdsEndpoint
	if r.WithoutAccounts || (before == after && !lost) {
		return nil
	}
	if before != "" {
		r.Enqueue(r.limited.of(w.res.Namespace)...)
	}
	// After a start all are reconciled anyway.
	if known := before == "" && w.res.Status.ObservedGeneration == w.res.Generation; after != "" && before != after && !known {
		if err := r.wakePushedOut(ctx, w.res); err != nil {
			return err
		}
	}
	w.mem.usesAccount = after
	return nil
}

// wakePushedOut has those reconciled that have lost their place to another resource. A new one is the youngest, unless it shares
// its second of creation with others.
func (r *Reconciler) wakePushedOut(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) error {
	var acct v1alpha1.MedblocksAccount
	switch err := r.Client.Get(ctx, client.ObjectKey{Name: res.UsesAccount()}, &acct); {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("reading the MedblocksAccount: %w", err)
	case acct.Spec.MaxEndpointsPerNamespace == nil:
		return nil
	}
	siblings, err := r.siblings(ctx, res.Namespace, acct.Name)
	if err != nil {
		return err
	}
	order, err := r.seniorityIn(ctx, &acct.Spec, acct.Name)
	if err != nil {
		return err
	}
	r.Enqueue(order.pushedOut(res, siblings, int(*acct.Spec.MaxEndpointsPerNamespace))...)
	return nil
}

// resourceSet is a set of resources. The zero value is empty; its methods are safe for concurrent use.
type resourceSet struct {
	mu  sync.Mutex
	all map[account.Resource]struct{}
}

func (s *resourceSet) add(who account.Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[account.Resource]struct{}{}
	}
	s.all[who] = struct{}{}
}

// remove tells whether it was there.
func (s *resourceSet) remove(who account.Resource) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, was := s.all[who]
	delete(s.all, who)
	return was
}

// copied is the set as it is now; nil: it is empty, as it is at rest.
func (s *resourceSet) copied() map[account.Resource]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all map[account.Resource]bool
	for who := range s.all {
		if all == nil {
			all = map[account.Resource]bool{}
		}
		all[who] = true
	}
	return all
}

// reservations are the resources that are about to have an endpoint, which the cache may not show yet.
type reservations struct {
	resourceSet

	taking sync.Mutex
}

// enter has one resource at a time take a place.
func (r *reservations) enter() (leave func()) {
	r.taking.Lock()
	return r.taking.Unlock
}

// of returns those of a namespace.
func (s *resourceSet) of(namespace string) []account.Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []account.Resource
	for who := range s.all {
		if who.Namespace == namespace {
			found = append(found, who)
		}
	}
	return found
}
