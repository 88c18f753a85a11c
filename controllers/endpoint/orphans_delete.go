// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// pageSize bounds how many resources are read live at a time.
const pageSize = 500

// Orphan is an endpoint that is to be deleted on behalf of a MedblocksAccount whose policy says so.
type Orphan struct {
	EndpointID string
	// Owner and Incarnation are its marks, as they were when it was found to be an orphan.
	Owner, Incarnation string
	// By is the MedblocksAccount.
	By account.Resource
	// Objection is asked last of all: why the policy does not hold any more; nil: it does.
	Objection func(context.Context) error
}

// errNoOrphan: somebody may have a claim to the endpoint.
var errNoOrphan = errors.New("the endpoint is no orphan, or none any more")

// DeleteOrphan deletes an orphan. Nothing that was seen before counts: it is this endpoint's turn, and it still carries the same marks.
// After that, and after all waiting, its resource does not exist, no other one adopts it, and the policy holds. It tells whether the
// endpoint was deleted; where not, it is no orphan (any more), and is judged anew.
func (r *Reconciler) DeleteOrphan(ctx context.Context, acct *account.Account, o Orphan) (deleted bool, err error) {
	if !r.turns.take(o.EndpointID, o.By, r.Clock.Now()) {
		return false, nil // whoever is at work on it has a resource
	}
	var inFlight time.Time
	defer func() { r.turns.end(o.EndpointID, o.By, inFlight, r.Clock.Now()) }()
	requestID, err := r.deleteOrphan(ctx, acct, o)
	switch vendor := (*vendorError)(nil); {
	case errors.Is(err, errNoOrphan):
		r.Orphans.known.drop(acct.KeyHash, o.EndpointID)
		return false, nil
	case errors.As(err, &vendor) && vendor.action == actionDelete && mayBeAtWork(vendor.err):
		inFlight = r.Clock.Now().Add(r.APITimeout)
		return false, err
	case err != nil:
		return false, err
	}
	log.FromContext(ctx).Info("Wrote to Medblocks", "action", actionDelete, "endpointID", o.EndpointID, "trigger", triggerOrphan, "requestID", requestID, "owner", o.Owner)
	vendorWrites.WithLabelValues(string(actionDelete), string(triggerOrphan)).Inc()
	return true, nil
}

func (r *Reconciler) deleteOrphan(ctx context.Context, acct *account.Account, o Orphan) (requestID string, err error) {
	if err := r.claimTo(ctx, o); err != nil {
		return "", err // which spares Medblocks a call
	}
	endpoint, err := acct.GetEndpoint(ctx, o.EndpointID)
	switch {
	case medblocks.IsNotFound(err):
		return "", errNoOrphan
	case err != nil:
		return "", &vendorError{action: actionRead, err: err}
	case o.Owner == "" || endpoint.Metadata[v1alpha1.MarkOwner] != o.Owner || endpoint.Metadata[v1alpha1.MarkIncarnation] != o.Incarnation:
		return "", errNoOrphan // a resource that has come back writes its own incarnation
	}
	var objection error
	requestID, err = acct.DeleteEndpointIf(ctx, o.EndpointID, func(ctx context.Context) error {
		objection = r.objectionTo(ctx, o)
		return objection
	})
	switch {
	case objection != nil:
		return "", objection
	case err != nil && !medblocks.IsNotFound(err):
		return "", &vendorError{action: actionDelete, err: err}
	}
	return requestID, nil
}

// objectionTo is why an endpoint must not be deleted after all, when it is about to be.
func (r *Reconciler) objectionTo(ctx context.Context, o Orphan) error {
	if err := o.Objection(ctx); err != nil {
		return err
	}
	return r.claimTo(ctx, o)
}

// claimTo is errNoOrphan where the resource that an owner mark names exists, which is read live, or one in the cache claims the endpoint.
func (r *Reconciler) claimTo(ctx context.Context, o Orphan) error {
	others, err := r.claimants(ctx, claimOfEndpoint(o.EndpointID), "", account.Resource{})
	if err != nil {
		return err
	}
	who, ours := account.OwnerOf(o.Owner, r.ClusterID)
	if len(others) > 0 {
		return errNoOrphan
	}
	if !ours {
		return nil
	}
	switch exists, err := existsLive(ctx, r.APIReader, who); {
	case err != nil:
		return fmt.Errorf("reading the resource of an orphaned endpoint: %w", err)
	case exists:
		return errNoOrphan
	}
	return nil
}

// NamedEndpoints are those that any resource names, read live: another shard's resources are in no cache of ours.
func (r *Reconciler) NamedEndpoints(ctx context.Context) (map[string]bool, error) {
	named := map[string]bool{}
	for token, more := "", true; more; more = token != "" {
		var page v1alpha1.MedblocksWebhookEndpointList
		if err := r.APIReader.List(ctx, &page, client.Limit(pageSize), client.Continue(token)); err != nil {
			return nil, fmt.Errorf("looking for resources that name an orphaned endpoint: %w", err)
		}
		for i := range page.Items {
			for _, id := range Names(&page.Items[i]) {
				named[id] = true
			}
		}
		token = page.Continue
	}
	return named, nil
}

// DropClaimed takes from endpoints, of which it is given the owner marks by id, those that resources claim: by being the owner, or by
// naming them. It is a pure function, one pass over both.
func DropClaimed(owners map[string]string, all []v1alpha1.MedblocksWebhookEndpoint, clusterID string) {
	byOwner := map[string][]string{}
	for id, owner := range owners {
		byOwner[owner] = append(byOwner[owner], id)
	}
	for i := range all {
		for _, id := range byOwner[account.OwnerMark(clusterID, client.ObjectKeyFromObject(&all[i]))] {
			delete(owners, id)
		}
		for _, id := range Names(&all[i]) {
			delete(owners, id)
		}
	}
}

// Names are the endpoints that a resource names: because it manages them, or wants to adopt them.
func Names(res *v1alpha1.MedblocksWebhookEndpoint) []string {
	names := []string{res.Status.EndpointID}
	if res.Spec.Adopt != nil {
		names = append(names, res.Spec.Adopt.EndpointID)
	}
	return slices.DeleteFunc(names, func(id string) bool { return id == "" })
}
