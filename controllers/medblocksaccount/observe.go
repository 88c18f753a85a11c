// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocksaccount

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// observation is all that a plan may know.
type observation struct {
	// account is nil without a key.
	account *account.Account
	// credentials is why there is no key.
	credentials error
	// refused is the answer with which Medblocks refuses the key, and listError why the last list failed.
	refused, listError error
	// pausedUntil is when the account may call again, after a 429.
	pausedUntil time.Time
	// endpoints of the workspace as the complete list of listedAt, and what was done since, shows them. Zero: there was none yet.
	endpoints []account.Listed
	listedAt  time.Time
	// orphaned are those of them that carry the mark of a resource or cluster that is gone, by id.
	orphaned map[string]bool
	// postponed are orphans whose deletion failed, by id, and until when they wait.
	postponed map[string]time.Time
	// resources is how many name the account.
	resources int
	// countedAt is when the numbers were last written in this life of the operator.
	countedAt time.Time
	readOnly  bool
}

// observe gathers what is known without a call to Medblocks.
func (r *Reconciler) observe(ctx context.Context, acct *v1alpha1.MedblocksAccount) (*observation, error) {
	r.mu.Lock()
	obs := &observation{readOnly: r.ReadOnly, countedAt: r.countedAt[acct.Name], postponed: maps.Clone(r.postponed[acct.Name])}
	r.mu.Unlock()
	users, err := r.resources(ctx, client.MatchingFields{endpoint.IndexAccount: acct.Name})
	if err != nil {
		return nil, err
	}
	obs.resources = len(users)
	if obs.account, obs.credentials, err = r.use(ctx, acct); obs.account == nil || err != nil {
		return obs, err
	}
	obs.refused, obs.listError, obs.pausedUntil = obs.account.Refused(), obs.account.ListError(), obs.account.PausedUntil()
	obs.endpoints, obs.listedAt = obs.account.Overview()
	return obs, r.observeOrphans(ctx, acct, obs)
}

// observeOrphans finds the endpoints whose owner is gone. The resources in the cache claim theirs: by being the owner, or by name.
func (r *Reconciler) observeOrphans(ctx context.Context, acct *v1alpha1.MedblocksAccount, obs *observation) error {
	judged := r.Orphans.Judged(obs.account.KeyHash)
	obs.orphaned = orphansOf(obs.endpoints, acct.Status.Orphans, judged, r.ClusterID, acct.Spec.Orphans.PrefixOrEmpty())
	if len(obs.orphaned) == 0 {
		return nil
	}
	all, err := r.resources(ctx)
	dropClaimed(obs, all, r.ClusterID)
	return err
}

// dropClaimed takes from the orphans what resources claim.
func dropClaimed(obs *observation, all []v1alpha1.MedblocksWebhookEndpoint, clusterID string) {
	unclaimed := map[string]string{}
	for _, e := range obs.endpoints {
		if obs.orphaned[e.ID] {
			unclaimed[e.ID] = e.Owner
		}
	}
	endpoint.DropClaimed(unclaimed, all, clusterID)
	maps.DeleteFunc(obs.orphaned, func(id string, _ bool) bool { _, is := unclaimed[id]; return !is })
}

// use makes the MedblocksAccount a user of the account that its key leads to, so that the account is swept also where no resource
// uses it. Without a key the last account would show the workspace of former days: it counts for nothing then.
func (r *Reconciler) use(ctx context.Context, acct *v1alpha1.MedblocksAccount) (is *account.Account, credentials, err error) {
	if r.OperatorNamespace == "" {
		return nil, &account.CredentialsError{Message: "the operator does not know its own namespace, where the API key is: start it with --operator-namespace"}, nil
	}
	who := account.Resource{Name: acct.Name}
	is, err = r.Accounts.Use(ctx, who, account.KeyRefOf(acct, r.OperatorNamespace))
	if missing := (*account.CredentialsError)(nil); errors.As(err, &missing) {
		r.Accounts.Release(who)
		return nil, err, nil
	}
	return is, nil, err
}

// resources are cached ones: read only.
func (r *Reconciler) resources(ctx context.Context, which ...client.ListOption) ([]v1alpha1.MedblocksWebhookEndpoint, error) {
	var all v1alpha1.MedblocksWebhookEndpointList
	if err := r.Client.List(ctx, &all, append(which, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, fmt.Errorf("listing resources: %w", err)
	}
	return all.Items, nil
}

// orphansOf are the endpoints whose owner is gone: those of this cluster that were judged so, and those of other clusters that the
// prefix says it of. What was listed before, and is not judged yet since the start, stays listed: its time must not begin anew. It is
// a pure function.
func orphansOf(endpoints []account.Listed, before []v1alpha1.OrphanedEndpoint, judged map[string]bool, clusterID, prefix string) map[string]bool {
	orphans := map[string]bool{}
	for _, e := range endpoints {
		switch is, known := judged[e.ID]; {
		case !strings.HasPrefix(e.Owner, clusterID+"/"):
			orphans[e.ID] = prefix != "" && strings.HasPrefix(e.Owner, prefix)
		case known:
			orphans[e.ID] = is
		default:
			orphans[e.ID] = slices.ContainsFunc(before, func(o v1alpha1.OrphanedEndpoint) bool { return o.ID == e.ID && o.Owner == e.Owner })
		}
	}
	maps.DeleteFunc(orphans, func(_ string, is bool) bool { return !is })
	return orphans
}
