// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// pageSize bounds how many resources are read live at a time.
const pageSize = 500

// DeleteOrphan deletes an endpoint with that owner mark, on behalf of a MedblocksAccount whose policy says so. Nothing that was
// seen before counts: it is this endpoint's turn, its resource does not exist and no other one names it, all of it read live, and
// after that the endpoint still carries the mark. It tells whether the endpoint was deleted; where not, it is no orphan (any more).
func (r *Reconciler) DeleteOrphan(ctx context.Context, acct *account.Account, by account.Resource, endpointID, owner string) (deleted bool, err error) {
	if !r.turns.take(endpointID, by, r.Clock.Now()) {
		return false, nil // whoever is at work on it has a resource
	}
	var inFlight time.Time
	defer func() { r.turns.end(endpointID, by, inFlight, r.Clock.Now()) }()
	if claimed, err := r.isClaimed(ctx, endpointID, owner); claimed || err != nil {
		return false, err
	}
	endpoint, err := acct.GetEndpoint(ctx, endpointID)
	if medblocks.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, &vendorError{action: actionRead, err: err}
	}
	if owner == "" || endpoint.Metadata[v1alpha1.MarkOwner] != owner {
		return false, nil
	}
	requestID, err := acct.DeleteEndpoint(ctx, endpointID)
	if err != nil && !medblocks.IsNotFound(err) {
		if mayBeAtWork(err) {
			inFlight = r.Clock.Now().Add(r.APITimeout)
		}
		return false, &vendorError{action: actionDelete, err: err}
	}
	log.FromContext(ctx).Info("Wrote to Medblocks", "action", actionDelete, "endpointID", endpointID, "trigger", triggerOrphan, "requestID", requestID, "owner", owner)
	vendorWrites.WithLabelValues(string(actionDelete), string(triggerOrphan)).Inc()
	return true, nil
}

// isClaimed tells whether the resource that an owner mark names exists, or any resource names the endpoint. (Another shard's resources
// are in no cache of ours.)
func (r *Reconciler) isClaimed(ctx context.Context, endpointID, owner string) (bool, error) {
	if who, ours := account.OwnerOf(owner, r.ClusterID); ours {
		var resource metav1.PartialObjectMetadata
		resource.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.Kind))
		if err := r.APIReader.Get(ctx, who, &resource); !apierrors.IsNotFound(err) {
			return true, client.IgnoreNotFound(err)
		}
	}
	for token, more := "", true; more; more = token != "" {
		var page v1alpha1.MedblocksWebhookEndpointList
		if err := r.APIReader.List(ctx, &page, client.Limit(pageSize), client.Continue(token)); err != nil {
			return false, fmt.Errorf("looking for resources that name an orphaned endpoint: %w", err)
		}
		for i := range page.Items {
			if Names(&page.Items[i], endpointID) {
				return true, nil
			}
		}
		token = page.Continue
	}
	return false, nil
}

// Names tells whether a resource names an endpoint: because it manages it, or wants to adopt it.
func Names(res *v1alpha1.MedblocksWebhookEndpoint, endpointID string) bool {
	return res.Status.EndpointID == endpointID || (res.Spec.Adopt != nil && res.Spec.Adopt.EndpointID == endpointID)
}
