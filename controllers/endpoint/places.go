// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// Whoever has an endpoint through a MedblocksAccount keeps its place there, however old others are: an endpoint lives on when its
// resource is not allowed any more, so that a tenant who could push one resource after the other out of its place would have no limit.

// tenure is by what right a resource claims a place. The smaller one goes first.
type tenure int

const (
	// holder: it has an endpoint through the account, or may have one.
	holder tenure = iota
	// mover: it has an endpoint, which another API key has seen.
	mover
	// newcomer: it has none yet.
	newcomer
)

// holdsEndpoint tells whether a resource has an endpoint, or may have one: its registration has begun. The hash is of the key that it has
// it through.
func holdsEndpoint(res *v1alpha1.MedblocksWebhookEndpoint) (keyHash string, holds bool) {
	if res.Status.EndpointID != "" {
		return res.Status.KeyHash, true
	}
	if i := intentOf(res); i.open("") {
		return i.KeyHash, true
	}
	return "", false
}

// freesPlace tells whether a resource had an endpoint and has none any more, for which others may have waited.
func freesPlace(before, after client.Object) bool {
	was, ok := before.(*v1alpha1.MedblocksWebhookEndpoint)
	is, too := after.(*v1alpha1.MedblocksWebhookEndpoint)
	if !ok || !too || is.UsesAccount() == "" {
		return false
	}
	_, held := holdsEndpoint(was)
	_, holds := holdsEndpoint(is)
	return held && !holds
}

// seniority orders the resources of a namespace that use one account. It is a pure function of what is stored, and of what is reserved.
type seniority struct {
	// keyHash of the account's key; empty: it has none, and whoever has an endpoint counts as having it through the account.
	keyHash string
	// reserved are those that are about to have an endpoint.
	reserved map[account.Resource]bool
}

func (s seniority) tenureOf(res *v1alpha1.MedblocksWebhookEndpoint) tenure {
	hash, holds := holdsEndpoint(res)
	switch {
	case s.reserved[client.ObjectKeyFromObject(res)]:
		return holder
	case !holds:
		return newcomer
	case hash == "" || s.keyHash == "" || hash == s.keyHash:
		return holder
	}
	return mover
}

func (s seniority) compare(a, b *v1alpha1.MedblocksWebhookEndpoint) int {
	return cmp.Or(cmp.Compare(s.tenureOf(a), s.tenureOf(b)), olderFirst(a, b))
}

// rankOf counts the siblings that come before a resource. It stops where there is no place left.
func (s seniority) rankOf(res *v1alpha1.MedblocksWebhookEndpoint, siblings []v1alpha1.MedblocksWebhookEndpoint, places int) int {
	rank := 0
	for i := range siblings {
		if siblings[i].Name == res.Name || s.compare(&siblings[i], res) >= 0 {
			continue
		}
		if rank++; rank >= places {
			break
		}
	}
	return rank
}

// pushedOut are those that a resource which has come keeps from a place.
func (s seniority) pushedOut(by *v1alpha1.MedblocksWebhookEndpoint, siblings []v1alpha1.MedblocksWebhookEndpoint, places int) []account.Resource {
	ordered := make([]*v1alpha1.MedblocksWebhookEndpoint, 0, len(siblings))
	for i := range siblings {
		ordered = append(ordered, &siblings[i])
	}
	slices.SortFunc(ordered, s.compare)
	var out []account.Resource
	for _, other := range ordered[min(places, len(ordered)):] {
		if s.compare(by, other) < 0 {
			out = append(out, client.ObjectKeyFromObject(other))
		}
	}
	return out
}

// seniorityIn is how the resources that use a MedblocksAccount are ordered now.
func (r *Reconciler) seniorityIn(ctx context.Context, spec *v1alpha1.MedblocksAccountSpec, name string) (seniority, error) {
	ref := account.KeyRefOf(&v1alpha1.MedblocksAccount{Spec: *spec}, r.OperatorNamespace)
	ref.Account = name
	hash, err := r.Accounts.HashOf(ctx, ref)
	if missing := (*account.CredentialsError)(nil); err != nil && !errors.As(err, &missing) {
		return seniority{}, err
	}
	return seniority{keyHash: hash, reserved: r.reserved.copied()}, nil
}

// takePlace comes before a resource gets an endpoint. Of several that are reconciled at the same time each one may have found the last
// place free, because the cache does not show yet what the others have begun: so they look again, one after the other.
func (r *Reconciler) takePlace(ctx context.Context, w *work, s step) error {
	g := w.obs.guardrails
	if (s.Action != actionWriteIntent && s.Action != actionAdopt) || g == nil || g.spec.MaxEndpointsPerNamespace == nil {
		return nil
	}
	defer r.reserved.enter()()
	places := int(*g.spec.MaxEndpointsPerNamespace)
	rank, err := r.rank(ctx, w.res, g, places)
	if err != nil {
		return err
	}
	if rank >= places {
		return errStale
	}
	r.reserved.add(client.ObjectKeyFromObject(w.res))
	return nil
}
