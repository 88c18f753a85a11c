// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// conditions are computed anew each time; what was set last time decides nothing.
func (c *conclusion) conditions() {
	synced := c.synced()
	secret := c.secretReady()
	enabled := c.enabled()
	if c.res.Observes() && !c.res.Spec.Suspend && (c.target != nil || c.status.SigningSecret == nil) {
		secret = c.watchedSecret()
	}
	if secret == nil {
		meta.RemoveStatusCondition(&c.status.Conditions, v1alpha1.ConditionSigningSecretReady)
	}
	for _, condition := range []*hold{synced, secret, enabled} {
		if condition != nil {
			c.set(condition.Condition, condition.Status, condition.Reason, condition.Message)
		}
	}
	c.deliveriesHealthy()
	c.ready(synced, secret, enabled)
}

func (c *conclusion) synced() *hold {
	if h := c.blocking(v1alpha1.ConditionSynced); h != nil {
		return h
	}
	if c.target == nil {
		done := "registered"
		if c.res.Spec.Adopt != nil && c.res.Status.EndpointID == "" {
			done = "adopted"
		}
		h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending, "the endpoint is not %s yet", done)
		if c.blockedBySecret() {
			h.Message = fmt.Sprintf("the endpoint is not %s, because its signing secret could not be stored: see the condition SigningSecretReady", done)
		}
		return h
	}
	return trueCondition(v1alpha1.ConditionSynced, v1alpha1.ReasonRegistered, "endpoint "+c.target.ID+" matches the spec")
}

// blockedBySecret tells whether nothing but the Secret keeps the endpoint from being registered: then the Secret is
// what people should read about.
func (c *conclusion) blockedBySecret() bool {
	return c.target == nil && c.blocking(v1alpha1.ConditionSynced) == nil && c.blocking(v1alpha1.ConditionSigningSecretReady) != nil
}

func trueCondition(condition, reason, message string) *hold {
	return &hold{Condition: condition, Status: metav1.ConditionTrue, Reason: reason, Message: message, Progress: resting}
}

func (c *conclusion) secretReady() *hold {
	const condition = v1alpha1.ConditionSigningSecretReady
	if h := c.blocking(condition); h != nil {
		return h
	}
	if c.target == nil || !c.obs.secret.holds(c.target.Metadata[v1alpha1.MarkSecretGeneration]) {
		if was := meta.FindStatusCondition(c.res.Status.Conditions, condition); was != nil && c.target == nil && c.res.Status.EndpointID != "" {
			return &hold{Condition: condition, Status: was.Status, Reason: was.Reason, Message: was.Message} // nothing new is known
		}
		h := workingHold(condition, v1alpha1.ReasonWaitingForSecret, "no signing secret has been stored yet")
		h.Status = metav1.ConditionUnknown
		return h
	}
	h := c.published()
	c.addDeliveries(h)
	if c.plan.Undressed {
		h.Message += "; " + undressed(c.obs.secret.name)
	}
	return h
}

// undressed says that nobody gets into a fight about labels.
func undressed(name string) string {
	return fmt.Sprintf("somebody else keeps changing what spec.signingSecret and the operator set on Secret %q (labels, annotations, %s): it is left alone for a while, find out who it is",
		name, v1alpha1.SecretKeyEndpointID)
}

// published says how the Secret came to hold the secret in force.
func (c *conclusion) published() *hold {
	const condition = v1alpha1.ConditionSigningSecretReady
	name, s := c.obs.secret.name, c.status.SigningSecret
	switch {
	case c.obs.secret.copiedFrom != "":
		return trueCondition(condition, v1alpha1.ReasonPublished, fmt.Sprintf("Secret %q holds the signing secret, copied from %s (Secret/key)", name, c.obs.secret.copiedFrom))
	case s != nil && s.LastHealed != nil && s.LastHealed.Equal(s.LastRotated):
		return trueCondition(condition, v1alpha1.ReasonRecovered, fmt.Sprintf("the signing secret was lost; Secret %q holds a new one", name))
	case len(c.obs.secret.last) > 0:
		return trueCondition(condition, v1alpha1.ReasonRotated, fmt.Sprintf("Secret %q holds the signing secret of the last rotation, and the one before it", name))
	case c.obs.secret.rotatedFor != "":
		return trueCondition(condition, v1alpha1.ReasonRotated, fmt.Sprintf("Secret %q holds the signing secret of the last rotation", name))
	}
	return trueCondition(condition, v1alpha1.ReasonPublished, fmt.Sprintf("Secret %q holds the signing secret", name))
}

func (c *conclusion) enabled() *hold {
	const condition = v1alpha1.ConditionEnabled
	if h := c.blocking(condition); h != nil {
		return h
	}
	switch {
	case c.target == nil:
		if was := meta.FindStatusCondition(c.res.Status.Conditions, condition); was != nil && !c.obs.isLive(c.plan.EndpointID) {
			return &hold{Condition: condition, Status: was.Status, Reason: was.Reason, Message: was.Message}
		}
	case c.target.Status == medblocks.EndpointStatusActive && c.status.Disabled != nil && !c.res.WantsDisabled() && !c.obs.isLive(c.target.ID):
		return c.disabled(c.status.Disabled) // that it is active is believed once it is read
	case c.target.Status == medblocks.EndpointStatusActive:
		return trueCondition(condition, v1alpha1.ReasonActive, "Medblocks delivers events to the endpoint"+c.redelivery())
	case c.status.Disabled != nil:
		return c.disabled(c.status.Disabled)
	}
	return &hold{Condition: condition, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonUnknown, Message: "the endpoint's status at Medblocks is not known yet"}
}

func (c *conclusion) disabled(d *v1alpha1.DisabledStatus) *hold {
	h := workingHold(v1alpha1.ConditionEnabled, d.Cause, "the endpoint is disabled at Medblocks and skips deliveries")
	switch d.Cause {
	case v1alpha1.ReasonDisabledBySpec:
		h.Message = "the endpoint is disabled, as spec.state asked for: Medblocks skips deliveries"
		h.Progress = resting
	case v1alpha1.ReasonAutoDisabled:
		h.Message = fmt.Sprintf("Medblocks disabled the endpoint after %d failed attempts to deliver an event (%s)", medblocks.MaxAttempts, lastAnswer(d))
	}
	return h
}

// lastAnswer describes the receiver's last answer to the event that led to the disable.
func lastAnswer(d *v1alpha1.DisabledStatus) string {
	if d != nil && d.LastStatusCode != nil {
		return fmt.Sprintf("the receiver's last answer was %d", *d.LastStatusCode)
	}
	return "the receiver did not answer"
}

// ready follows from the other conditions: the first that fails gives its reason and message. The endpoint's state
// counts where it is not the wanted one.
func (c *conclusion) ready(synced, secret, enabled *hold) {
	failing := c.firstFailing(synced, secret, enabled)
	c.progress(failing)
	if failing == nil {
		c.set(v1alpha1.ConditionReady, metav1.ConditionTrue, synced.Reason, c.readyMessage())
		return
	}
	was := meta.FindStatusCondition(c.res.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case !failing.KeepReady || was == nil || !c.isKnown():
		c.set(v1alpha1.ConditionReady, metav1.ConditionFalse, failing.Reason, failing.Message)
	case failing.Progress == resting: // suspended: the generation is observed all the same
		c.set(v1alpha1.ConditionReady, was.Status, was.Reason, was.Message)
	}
}

// progress says who has to move next: Reconciling and Stalled are present only while True, and never both.
func (c *conclusion) progress(failing *hold) {
	for condition, applies := range map[string]bool{
		v1alpha1.ConditionReconciling: failing != nil && failing.Progress == working,
		v1alpha1.ConditionStalled:     failing != nil && failing.Progress == stalled,
	} {
		if applies {
			c.set(condition, metav1.ConditionTrue, failing.Reason, failing.Message)
		} else {
			meta.RemoveStatusCondition(&c.status.Conditions, condition)
		}
	}
}

// firstFailing prefers a failure that is the endpoint's own to one that merely delays the operator.
func (c *conclusion) firstFailing(synced, secret, enabled *hold) *hold {
	var failing []*hold
	if synced.Status != metav1.ConditionTrue && !c.blockedBySecret() {
		failing = append(failing, synced)
	}
	if secret != nil && secret.Status != metav1.ConditionTrue {
		failing = append(failing, secret)
	}
	if h := c.unwantedState(synced, enabled); h != nil {
		failing = append(failing, h)
	}
	for _, h := range failing {
		if !h.KeepReady || h.Progress == resting || !c.isKnown() {
			return h
		}
	}
	if len(failing) == 0 {
		return nil
	}
	return failing[0]
}

// unwantedState is the endpoint's state where it is not the wanted one; nil where it is. Where the operator could not ask
// for another one yet, the delay is the news and not the state.
func (c *conclusion) unwantedState(synced, enabled *hold) *hold {
	wanted := metav1.ConditionTrue
	if c.res.WantsDisabled() {
		wanted = metav1.ConditionFalse
	}
	delayed := synced.KeepReady && synced.Status != metav1.ConditionTrue && enabled.Status != metav1.ConditionUnknown &&
		c.blocking(v1alpha1.ConditionEnabled) == nil
	if enabled.Status == wanted || delayed {
		return nil
	}
	state := *enabled
	if state.Progress == resting {
		state.Progress = working
	}
	return &state
}

// isKnown tells whether there is an endpoint that Ready can be about.
func (c *conclusion) isKnown() bool {
	return c.status.EndpointID != "" || (c.res.Observes() && c.status.Endpoint != nil)
}

func (c *conclusion) readyMessage() string {
	if c.res.Observes() {
		return "the endpoint is as the spec says; managementPolicy is Observe, so that the operator only looks at it"
	}
	if c.res.WantsDisabled() {
		return "the endpoint is disabled, as spec.state asks for"
	}
	return "the endpoint is registered and active, and its signing secret is published"
}

func (c *conclusion) set(condition string, value metav1.ConditionStatus, reason, message string) {
	// The grace for a missing key counts from this transition, even where another failure came before it.
	if was := meta.FindStatusCondition(c.status.Conditions, condition); was != nil && condition == v1alpha1.ConditionSynced &&
		reason == v1alpha1.ReasonCredentialsUnavailable && was.Reason != reason {
		meta.RemoveStatusCondition(&c.status.Conditions, condition)
	}
	meta.SetStatusCondition(&c.status.Conditions, metav1.Condition{
		Type: condition, Status: value, Reason: reason, Message: truncate(message, longestMessage),
		ObservedGeneration: c.res.Generation, LastTransitionTime: seconds(c.now),
	})
}

// longestMessage is well within what the API server accepts for a condition (32,768 bytes), so that people can read it.
const longestMessage = 2000

// truncate cuts a message between two characters.
func truncate(message string, longest int) string {
	if len(message) <= longest {
		return message
	}
	cut := longest
	for cut > 0 && message[cut]&0xC0 == 0x80 { // not within a character
		cut--
	}
	return message[:cut] + "…"
}
