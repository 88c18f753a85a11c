// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// watched concludes about an endpoint that is only observed. The status names it as the resource's only where it carries our
// marks: whoever goes back to Manage must not take it over without consent.
func (c *conclusion) watched() {
	switch {
	case c.target == nil:
		if c.blocking(v1alpha1.ConditionSynced) != nil && c.plan.EndpointID == "" {
			c.status.Endpoint, c.status.Disabled = nil, nil // there is nothing to observe
		}
	case c.target.Metadata[v1alpha1.MarkOwner] == c.obs.owner && !c.isUntaken():
		c.identity()
	default:
		c.reenable()
	}
}

// ignoreTokens keeps that what is asked for during Observe asks for nothing: going back to Manage must not be a surprise.
func (c *conclusion) ignoreTokens() {
	for annotation, handled := range map[string]*string{
		v1alpha1.AnnotationRotateSecretRequestedAt: &c.status.LastHandledRotateSecretAt,
		v1alpha1.AnnotationReenableRequestedAt:     &c.status.LastHandledReenableAt,
		v1alpha1.AnnotationReregisterRequestedAt:   &c.status.LastHandledReregisterAt,
	} {
		if token := c.res.Annotations[annotation]; token != "" {
			*handled = token
		}
	}
}

// watchedSecret is nil where no secret was ever published: then there is nothing to say.
func (c *conclusion) watchedSecret() *hold {
	const condition = v1alpha1.ConditionSigningSecretReady
	if c.status.SigningSecret == nil || c.target == nil {
		return nil
	}
	view := c.obs.published(c.target)
	if view == nil {
		return stalledHold(condition, v1alpha1.ReasonWaitingForSecret,
			"Secret %q does not hold the secret in force, and managementPolicy is Observe: set it to Manage to have it healed by a rotation", c.status.SigningSecret.Name)
	}
	if view == &c.obs.secret {
		return c.published()
	}
	return trueCondition(condition, v1alpha1.ReasonPublished, fmt.Sprintf("Secret %q holds the signing secret", view.name))
}
