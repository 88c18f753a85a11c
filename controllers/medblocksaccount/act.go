// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocksaccount

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// errOutdated: the MedblocksAccount does not say any more what the deletions rest on.
var errOutdated = errors.New("the MedblocksAccount has changed")

// outcome is what became of the deletions that were not made.
type outcome struct {
	// refuted are no orphans, as it turned out: should they be some later, their time begins anew.
	refuted []string
	// failed could not be deleted, or nothing could be found out.
	failed []string
}

// act deletes orphans: all that can be deleted, whatever becomes of the others, as long as the policy stays the same.
func (r *Reconciler) act(ctx context.Context, acct *v1alpha1.MedblocksAccount, obs *observation, orphans []v1alpha1.OrphanedEndpoint) (is outcome, err error) {
	named, err := r.Deleter.NamedEndpoints(ctx)
	if err != nil {
		return is, fmt.Errorf("before deleting orphans: %w", err)
	}
	incarnations := map[string]string{}
	for _, e := range obs.endpoints {
		incarnations[e.ID] = e.Incarnation
	}
	var failures []error
	for _, o := range orphans {
		if named[o.ID] {
			is.refuted = append(is.refuted, o.ID)
			continue
		}
		deleted, err := r.Deleter.DeleteOrphan(ctx, obs.account, endpoint.Orphan{
			EndpointID: o.ID, Owner: o.Owner, Incarnation: incarnations[o.ID], By: account.Resource{Name: acct.Name},
			Objection: func(ctx context.Context) error { return r.outdated(ctx, acct, o) },
		})
		switch {
		case errors.Is(err, errOutdated):
			return is, errors.Join(append(failures, err)...)
		case err != nil:
			failures, is.failed = append(failures, err), append(is.failed, o.ID)
		case !deleted:
			is.refuted = append(is.refuted, o.ID)
		default:
			r.Events.Eventf(acct, nil, corev1.EventTypeNormal, "OrphanDeleted", "Sweep",
				"Deleted endpoint %s of %s, orphaned since %s, as spec.orphans asks for", o.ID, o.Owner, o.Since.UTC().Format("2006-01-02T15:04:05Z"))
		}
	}
	return is, errors.Join(failures...)
}

// outdated is errOutdated where the MedblocksAccount, read live, is not what was acted upon any more: a batch of deletions takes a while,
// and a person who withdraws the policy means at once.
func (r *Reconciler) outdated(ctx context.Context, acct *v1alpha1.MedblocksAccount, o v1alpha1.OrphanedEndpoint) error {
	var live v1alpha1.MedblocksAccount
	switch err := r.Live.Get(ctx, client.ObjectKeyFromObject(acct), &live); {
	case apierrors.IsNotFound(err):
		return errOutdated
	case err != nil:
		return fmt.Errorf("reading the MedblocksAccount live: %w", err)
	case !stillDeletes(acct, &live, o):
		return errOutdated
	}
	return nil
}

// stillDeletes tells whether a MedblocksAccount still says what it said, and still lists the orphan: a cache may show a list of before the
// orphan turned out to be none.
func stillDeletes(acct, live *v1alpha1.MedblocksAccount, o v1alpha1.OrphanedEndpoint) bool {
	same := live.UID == acct.UID && live.Generation == acct.Generation && live.DeletionTimestamp.IsZero()
	return same && slices.ContainsFunc(live.Status.Orphans, func(is v1alpha1.OrphanedEndpoint) bool {
		return is.ID == o.ID && is.Owner == o.Owner && is.Since.Equal(&o.Since)
	})
}
