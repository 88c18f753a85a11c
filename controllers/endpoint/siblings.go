// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// Of the resources of a namespace that use a MedblocksAccount, those that were created first have its places. So what one of them
// may do depends on others, which have to be told when one goes or comes.

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

// observeRank counts the resources that come before one. It is on the list of those without a place before it looks, so that whoever
// frees one after that tells it.
func (r *Reconciler) observeRank(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint, places int) (int, error) {
	who := client.ObjectKeyFromObject(res)
	r.limited.add(who)
	siblings, err := r.siblings(ctx, res.Namespace, res.UsesAccount())
	if err != nil {
		return 0, err
	}
	rank := 0
	for i := range siblings {
		if siblings[i].Name != res.Name && olderFirst(&siblings[i], res) < 0 {
			rank++
		}
	}
	if rank < places {
		r.limited.remove(who)
	}
	return rank, nil
}

// wakeSiblings has those reconciled whose rank a resource has changed by beginning to use a MedblocksAccount, or by ceasing to.
func (r *Reconciler) wakeSiblings(ctx context.Context, w *work) error {
	before, after := w.mem.usesAccount, w.res.UsesAccount()
	if before == after || r.WithoutAccounts {
		return nil
	}
	if before != "" {
		r.Enqueue(r.limited.of(w.res.Namespace)...)
	}
	// After a start all are reconciled anyway.
	if known := before == "" && w.res.Status.ObservedGeneration == w.res.Generation; after != "" && !known {
		if err := r.wakeYounger(ctx, w.res); err != nil {
			return err
		}
	}
	w.mem.usesAccount = after
	return nil
}

// wakeYounger has those reconciled that have lost their place to an older resource. A new one is the youngest, unless it shares
// its second of creation with others.
func (r *Reconciler) wakeYounger(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) error {
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
	ordered := make([]*v1alpha1.MedblocksWebhookEndpoint, 0, len(siblings))
	for i := range siblings {
		ordered = append(ordered, &siblings[i])
	}
	slices.SortFunc(ordered, olderFirst)
	for _, other := range ordered[min(int(*acct.Spec.MaxEndpointsPerNamespace), len(ordered)):] {
		if olderFirst(res, other) < 0 {
			r.Enqueue(client.ObjectKeyFromObject(other))
		}
	}
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

func (s *resourceSet) remove(who account.Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, who)
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
