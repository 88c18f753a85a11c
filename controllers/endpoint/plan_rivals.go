// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// Two resources may ask for what only one of them can have. Whoever holds it keeps it; where neither does, the resource that was
// created first has the older claim, whatever order they are reconciled in. The other one does nothing about it and says so.

// claimedByRival tells whether the endpoint to adopt is another adopter's. One that was never adopted, but registered by its
// resource, may be taken over: that is what adoption is for.
func (p *planner) claimedByRival(target *medblocks.Endpoint) bool {
	if p.obs.endpointRivals == nil {
		p.plan.Needs.rivals = true
		return true
	}
	for _, other := range p.obs.endpointRivals {
		if other.claims(target.Metadata[v1alpha1.MarkOwner]) {
			h := stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonConflict,
				"endpoint %s is claimed by %s too, whose claim is the older one: remove spec.adopt from that resource to take the endpoint over, or delete this one", target.ID, p.nameOf(other))
			h.Wake = p.now.Add(slowRetry) // a key of theirs that does not show the endpoint any more tells nobody
			p.stop(h)
			return true
		}
	}
	return false
}

// nameOf names a rival. Who shares an account with other tenants learns nothing of their resources.
func (p *planner) nameOf(other rival) string {
	if p.obs.guardrails != nil && other.account != "" && other.who.Namespace != p.res.Namespace {
		return "another resource"
	}
	return "MedblocksWebhookEndpoint " + other.who.String()
}

// secretOfRival tells whether the signing Secret is another resource's to write.
func (p *planner) secretOfRival() bool {
	for _, other := range p.obs.secretRivals {
		if !p.hasSecret(other) {
			continue
		}
		if !p.obs.secret.exists && !p.obs.secret.live {
			p.plan.Needs.secret = true // one of ours that lost its label is not in the cache
			return true
		}
		h := stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonConflict,
			"Secret %q is the signing Secret of MedblocksWebhookEndpoint %q too, whose claim is the older one: set spec.signingSecret.name of one of the two to another name", p.obs.secret.name, other.who.Name)
		h.Wake = p.now.Add(slowRetry)
		ready := *h
		ready.Condition, ready.Reason = v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonNotOwned
		p.stop(h)
		p.stop(&ready)
		return true
	}
	return false
}

// hasSecret tells whether a signing Secret is the other resource's: by what it says itself or, where it is gone, by who has
// published there, or else by the age of the claims.
func (p *planner) hasSecret(other rival) bool {
	view, s := &p.obs.secret, p.res.Status.SigningSecret
	published := s != nil && s.Name == view.name
	switch {
	case view.exists:
		return view.owner == other.who.String()
	case published != other.published:
		return other.published
	}
	return other.older
}
