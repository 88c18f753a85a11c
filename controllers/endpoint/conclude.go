// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// conclude derives the status from what is now known: a pure function of the resource, the observation as it is after
// the last step, the plan and, where a step failed, the hold that its error means.
func conclude(res *v1alpha1.MedblocksWebhookEndpoint, obs *observation, p plan, failure *hold, now time.Time) *v1alpha1.MedblocksWebhookEndpointStatus {
	status := res.Status.DeepCopy()
	status.ObservedGeneration = res.Generation
	c := conclusion{res: res, obs: obs, plan: p, failure: failure, now: now, status: status}
	id := p.EndpointID
	if obs.registered != "" {
		id = obs.registered // by a step of this plan, or one before
	}
	if c.target = obs.endpoint(id); c.target != nil && !res.Observes() && c.isUnadopted() {
		c.target = nil // it is somebody else's until then
	}
	switch {
	case res.Observes():
		c.watched()
	case c.target != nil && !p.Fenced && !c.isUntaken() && !c.leavesDuplicate():
		c.identity()
	}
	c.mirror()
	c.suspended()
	c.tokens()
	c.conditions()
	return status
}

type conclusion struct {
	res     *v1alpha1.MedblocksWebhookEndpoint
	obs     *observation
	plan    plan
	failure *hold
	now     time.Time
	target  *medblocks.Endpoint
	status  *v1alpha1.MedblocksWebhookEndpointStatus
}

// blocking is what stands in the way of a condition: the failure of a step comes first.
func (c *conclusion) blocking(condition string) *hold {
	if c.failure != nil && c.failure.Condition == condition {
		return c.failure
	}
	return c.plan.hold(condition)
}

// identity keeps which endpoint is ours, which key saw it, and what we asked and were told.
func (c *conclusion) identity() {
	if c.isResumed() {
		if was := c.status.SigningSecret; was != nil {
			c.status.SigningSecret = &v1alpha1.SigningSecretStatus{Name: was.Name} // it may have to be moved or deleted
		}
		c.status.Reenable = nil
		if c.res.Status.EndpointID == "" {
			markAllHandled(c.res, c.status)
		}
	}
	c.status.EndpointID = c.target.ID
	if c.obs.credentials == nil {
		c.status.KeyHash = c.obs.keyHash
	}
	c.status.AppliedHash, c.status.AcceptedHash = c.obs.appliedHash, c.obs.acceptedHash
	if want := desiredOf(c.res, c.obs.owner); want.diff(c.target).IsEmpty() {
		c.status.AppliedHash, c.status.AcceptedHash = want.hash(), projectionOf(c.target).hash()
	}
	c.signingSecret()
	c.reenable()
}

func (c *conclusion) signingSecret() {
	if !c.obs.secret.holds(c.target.Metadata[v1alpha1.MarkSecretGeneration]) {
		return
	}
	is := &v1alpha1.SigningSecretStatus{Name: c.obs.secret.name}
	if was := c.status.SigningSecret; was != nil {
		is.LastRotated, is.LastHealed = was.LastRotated, was.LastHealed
		for _, former := range c.obs.former {
			if former.name == was.Name && former.exists && former.owned {
				is.Name = was.Name // until it is deleted: nothing else would remember it, if it has lost its label
			}
		}
	}
	if issued := c.obs.secret.rotatedAt; !issued.IsZero() {
		at := seconds(issued)
		is.LastRotated = &at
	}
	if healed := c.obs.lastHealed(c.status.SigningSecret, c.now); !healed.IsZero() {
		at := seconds(healed)
		is.LastHealed = &at
	}
	c.sinceRotation(c.status.SigningSecret, is)
	c.status.SigningSecret = is
}

// reenable keeps the record of attempts and of accounted events.
func (c *conclusion) reenable() {
	r, account := &v1alpha1.ReenableStatus{}, accountFor(c.status.Reenable, c.obs.evidence)
	if c.isResumed() || isBaselineDue(c.res) {
		account = accountForAll(c.status.Reenable, c.obs.evidence, seconds(c.now))
	}
	if account != nil {
		r = account.DeepCopy()
	}
	if g := c.obs.courier; g != nil && c.res.Status.Redelivery != nil {
		accountForRedelivered(r, g.Exhausted, c.res.Status.Redelivery.StartedAt)
	}
	r.BaselineDue = r.BaselineDue && c.obs.evidence == nil
	r.NextAttempt = c.plan.NextAttempt
	switch {
	case c.reenableServed() && !c.isResumed() && c.reenableToken() != c.res.Status.LastHandledReenableAt:
		r.Attempts = nil // a person's re-enable starts the policy's budget anew
	case r.NextAttempt != nil:
		r.Attempts = attemptsSince(r, c.now.Add(-c.res.Spec.ReenablePolicy.WindowOrDefault()))
	}
	c.status.Reenable = r
	if equality.Semantic.DeepEqual(r, &v1alpha1.ReenableStatus{}) {
		c.status.Reenable = nil
	}
}

// suspended keeps that nobody looks.
func (c *conclusion) suspended() {
	if !c.res.Spec.Suspend || c.status.EndpointID == "" {
		return
	}
	if c.status.Reenable == nil {
		c.status.Reenable = &v1alpha1.ReenableStatus{}
	}
	c.status.Reenable.BaselineDue = true
}

// isResumed tells whether the endpoint is new to the status.
func (c *conclusion) isResumed() bool {
	return c.target.ID != c.res.Status.EndpointID
}

// isUntaken tells whether the endpoint still has the mark of the incarnation that it is being taken over from. Once the status
// names it, that mark would be another resource's.
func (c *conclusion) isUntaken() bool {
	incarnation := c.target.Metadata[v1alpha1.MarkIncarnation]
	return c.isResumed() && incarnation != "" && incarnation != string(c.res.UID)
}

// leavesDuplicate tells whether there is a duplicate from before the resource was restored that is still to be deleted. Once the status
// names an endpoint, its mark would be another resource's.
func (c *conclusion) leavesDuplicate() bool {
	return c.isResumed() && slices.ContainsFunc(c.obs.owned(), func(e *medblocks.Endpoint) bool {
		incarnation := e.Metadata[v1alpha1.MarkIncarnation]
		return e.ID != c.target.ID && incarnation != "" && incarnation != string(c.res.UID)
	})
}

// isUnadopted tells whether the endpoint is one that is still to be adopted.
func (c *conclusion) isUnadopted() bool {
	return c.res.Spec.Adopt != nil && c.isResumed() && c.target.ID != c.obs.registered &&
		c.target.Metadata[v1alpha1.MarkOwner] != c.obs.owner
}

// mirror shows the endpoint to people.
func (c *conclusion) mirror() {
	if c.target == nil {
		if c.obs.isLive(c.plan.EndpointID) && !c.obs.lists(c.plan.EndpointID) {
			c.status.Endpoint, c.status.Disabled = nil, nil // it is gone
		}
		return
	}
	c.status.Disabled, c.status.Redelivery = c.disabledAt(), c.plan.Redelivery
	c.status.Endpoint = &v1alpha1.ObservedEndpoint{
		Status: string(c.target.Status), URL: c.target.URL, APIVersion: c.target.APIVersion,
		Events: slices.Sorted(slices.Values(c.target.Events)),
	}
	if !c.target.CreatedAt.IsZero() {
		at := seconds(c.target.CreatedAt.Time)
		c.status.Endpoint.CreatedAt = &at
	}
}

// disabledAt is the verdict on a disable, about the endpoint as the operator has left it.
func (c *conclusion) disabledAt() *v1alpha1.DisabledStatus {
	if c.plan.Disabled == nil || c.plan.Disabled.EndpointUpdatedAt == "" || !c.obs.ownUpdates[c.target.ID] {
		return c.plan.Disabled
	}
	is := c.plan.Disabled.DeepCopy()
	is.EndpointUpdatedAt = ""
	if c.obs.isLive(c.target.ID) {
		is.EndpointUpdatedAt = updatedAt(c.target)
	}
	return is
}

// tokens keeps which requests were served. A request that could not be served yet stays pending.
func (c *conclusion) tokens() {
	if c.res.Spec.Suspend {
		return
	}
	if c.res.Observes() {
		c.ignoreTokens()
	}
	if c.plan.Postponed || c.plan.InLine || (c.failure != nil && c.failure.KeepReady) {
		return
	}
	markReconcileHandled(c.res, c.status)
	if c.target != nil {
		c.servedTokens()
	}
}

func (c *conclusion) servedTokens() {
	if token := c.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt]; token != "" && token == c.obs.secret.rotatedFor &&
		c.obs.secret.holds(c.target.Metadata[v1alpha1.MarkSecretGeneration]) {
		c.status.LastHandledRotateSecretAt = token
	}
	if c.reenableServed() {
		c.status.LastHandledReenableAt = c.reenableToken()
	}
	if token := c.res.Annotations[v1alpha1.AnnotationReregisterRequestedAt]; token != "" && c.blocking(v1alpha1.ConditionSynced) == nil {
		c.status.LastHandledReregisterAt = token
	}
}

func (c *conclusion) reenableToken() string {
	return c.res.Annotations[v1alpha1.AnnotationReenableRequestedAt]
}

// reenableServed tells whether the endpoint is as a request to re-enable it, if there is one, wants it.
func (c *conclusion) reenableServed() bool {
	return c.reenableToken() != "" && c.target != nil && c.target.Status == medblocks.EndpointStatusActive && !c.res.WantsDisabled()
}
