// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	c.target = obs.endpoint(id)
	if c.target != nil && !p.Fenced {
		c.identity()
	}
	c.mirror()
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
		c.status.SigningSecret = nil
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
	}
	if issued := c.obs.secret.rotatedAt; !issued.IsZero() {
		at := seconds(issued)
		is.LastRotated = &at
	}
	if c.obs.healed {
		is.LastHealed = is.LastRotated
	}
	c.status.SigningSecret = is
}

// reenable keeps the record of attempts and of accounted events.
func (c *conclusion) reenable() {
	r := &v1alpha1.ReenableStatus{}
	if was := accountFor(c.status.Reenable, c.obs.evidence); was != nil {
		r = was.DeepCopy()
	}
	if e := c.obs.evidence; e != nil && !e.complete && c.isResumed() {
		// A baseline that could not be read to its end: all that exists by now is the past.
		now := seconds(c.now.Add(time.Second))
		r.AccountedBefore = &now
	}
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

// isResumed tells whether the endpoint is new to the status.
func (c *conclusion) isResumed() bool {
	return c.target.ID != c.res.Status.EndpointID
}

// mirror shows the endpoint to people.
func (c *conclusion) mirror() {
	if c.target == nil {
		if c.obs.isLive(c.plan.EndpointID) {
			c.status.Endpoint, c.status.Disabled = nil, nil // it is gone
		}
		return
	}
	c.status.Disabled = c.plan.Disabled
	c.status.Endpoint = &v1alpha1.ObservedEndpoint{
		Status: string(c.target.Status), URL: c.target.URL, APIVersion: c.target.APIVersion,
		Events: slices.Sorted(slices.Values(c.target.Events)),
	}
	if !c.target.CreatedAt.IsZero() {
		at := seconds(c.target.CreatedAt.Time)
		c.status.Endpoint.CreatedAt = &at
	}
}

// tokens keeps which requests were served. A request that could not be served yet stays pending.
func (c *conclusion) tokens() {
	if (c.failure != nil && c.failure.KeepReady) || c.res.Spec.Suspend {
		return
	}
	markReconcileHandled(c.res, c.status)
	if c.target == nil {
		return
	}
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

// conditions are computed anew each time; what was set last time decides nothing.
func (c *conclusion) conditions() {
	synced := c.synced()
	secret := c.secretReady()
	enabled := c.enabled()
	for _, condition := range []*hold{synced, secret, enabled} {
		c.set(condition.Condition, condition.Status, condition.Reason, condition.Message)
	}
	c.ready(synced, secret, enabled)
}

func (c *conclusion) synced() *hold {
	if h := c.blocking(v1alpha1.ConditionSynced); h != nil {
		return h
	}
	if c.target == nil {
		h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending, "the endpoint is not registered yet")
		if c.blockedBySecret() {
			h.Message = "the endpoint is not registered, because its signing secret could not be stored: see the condition SigningSecretReady"
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
	name, s := c.obs.secret.name, c.status.SigningSecret
	switch {
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
	case c.target.Status == medblocks.EndpointStatusActive:
		return trueCondition(condition, v1alpha1.ReasonActive, "Medblocks delivers events to the endpoint")
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
		h.Message = fmt.Sprintf("Medblocks disabled the endpoint after %d failed attempts to deliver an event (%s)", exhaustedAttempts, lastAnswer(d))
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
	case !failing.KeepReady || was == nil || c.status.EndpointID == "":
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
	if secret.Status != metav1.ConditionTrue {
		failing = append(failing, secret)
	}
	wanted := metav1.ConditionTrue
	if c.res.WantsDisabled() {
		wanted = metav1.ConditionFalse
	}
	// Where the operator has yet to ask for another state, the delay is the news and not the state.
	delayed := synced.KeepReady && synced.Status != metav1.ConditionTrue && c.blocking(v1alpha1.ConditionEnabled) == nil
	if enabled.Status != wanted && !delayed {
		unwanted := *enabled
		if unwanted.Progress == resting {
			unwanted.Progress = working
		}
		failing = append(failing, &unwanted)
	}
	if len(failing) == 0 {
		return nil
	}
	for _, h := range failing {
		if !h.KeepReady || h.Progress == resting || c.status.EndpointID == "" {
			return h
		}
	}
	return failing[0]
}

func (c *conclusion) readyMessage() string {
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
