// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// healInterval is how often a lost Secret is healed by a rotation at most: two controllers that write the same Secret
// must not rotate in turns for ever.
const healInterval = time.Hour

// secret makes the Secret hold the secret that the endpoint signs with. Medblocks shows a secret once, so a lost one
// is healed by rotation, which is write-ahead too: the endpoint is marked with a new nonce, then rotated, then the
// answer is stored with the nonce. Equal nonces mean that all three happened.
func (p *planner) secret(target *medblocks.Endpoint) {
	view := p.obs.secret
	switch {
	case p.secretOfRival():
	case view.exists && !view.owned:
		p.stop(notOwned(p.res.SigningSecretName(), p.now))
	case p.obs.clobbered == target.ID:
		p.outdo(target)
	case view.holds(target.Metadata[v1alpha1.MarkSecretGeneration]):
		p.maintain(target)
	default:
		p.recover(target)
	}
}

// outdo rotates once more where a rotation of ours has outdated another one: at once, because whoever was paused so long may not live
// long enough to do it later; but not again and again.
func (p *planner) outdo(target *medblocks.Endpoint) {
	if p.obs.clobbers > 1 && p.rotationInFlight(target.Metadata[v1alpha1.MarkSecretGeneration]) {
		return
	}
	p.rotate(target, triggerLostSecret)
}

// recover comes when the Secret does not hold the secret in force: it may be at hand elsewhere.
func (p *planner) recover(target *medblocks.Endpoint) {
	mark := target.Metadata[v1alpha1.MarkSecretGeneration]
	view := p.obs.secret
	name := p.res.SigningSecretName()
	switch {
	case p.isSuperseded(target):
		p.plan.Needs.endpoints = []string{target.ID}
	case p.obs.held.fits(target.ID, mark):
		p.plan.Needs.secret = !view.live // the cache does not have one that is not ours
		p.add(step{Action: actionPublishSecret, EndpointID: target.ID, Nonce: mark, Secret: name})
	case mark == "" && view.holds(view.nonce) && view.endpointID == target.ID:
		p.add(step{
			Action: actionRepairMarks, Trigger: triggerMissingMark, EndpointID: target.ID,
			Update: &medblocks.UpdateEndpointRequest{Metadata: p.want.withNonce(view.nonce)},
		})
	case !view.exists && p.obs.formerHolding(mark) != nil:
		if !view.live {
			p.plan.Needs.secret = true
		}
		p.add(step{Action: actionMoveSecret, EndpointID: target.ID, Nonce: mark, Secret: name})
	default:
		p.replaceLost(target)
	}
}

// replaceLost comes when the secret in force is at hand nowhere: one that was copied is copied again, unless a person wants
// another one.
func (p *planner) replaceLost(target *medblocks.Endpoint) {
	if !p.obs.secret.live {
		p.plan.Needs.secret = true // one that lost its label is not in the cache
		return
	}
	if isCopy(target.Metadata[v1alpha1.MarkSecretGeneration]) && sourceOf(p.res) != nil && !rotateRequested(p.res) {
		p.copyAgain(target)
		return
	}
	p.heal(target)
}

// isSuperseded tells whether somebody has stored another secret since ours was asked for: the answer may have taken so long
// that the mark in it is not the last one, and has to be read.
func (p *planner) isSuperseded(target *medblocks.Endpoint) bool {
	held, view := p.obs.held, p.obs.secret
	return held.fits(target.ID, target.Metadata[v1alpha1.MarkSecretGeneration]) &&
		view.exists && view.nonce != held.over && !p.obs.isLive(target.ID)
}

// maintain is the normal case: the Secret holds the secret. What may be due is a rotation, or the Secret's labels, or the end of a move.
func (p *planner) maintain(target *medblocks.Endpoint) {
	p.plan.Proven = target.Metadata[v1alpha1.MarkSecretGeneration]
	for _, former := range p.obs.former {
		switch {
		case !former.live:
			p.plan.Needs.secret = true // one that lost its label is not in the cache, and would be forgotten
		case former.exists && former.owned:
			p.add(step{Action: actionDeleteSecret, Secret: former.name})
		}
	}
	// The Secret itself says what its value was rotated for, and when. The status lags behind it, and after a crash in
	// between a second rotation would hand receivers a previous value that they have never seen.
	if rotateRequested(p.res) && p.obs.secret.rotatedFor != p.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] {
		p.rotate(target, triggerRotate)
		return
	}
	if due := p.rotationDue(); !due.IsZero() {
		if !p.now.Before(due) {
			p.rotate(target, triggerInterval)
			return
		}
		p.plan.wakeAt(due)
	}
	if !p.follow(target) {
		p.dress(target)
	}
}

// dress puts the Secret's labels, annotations and id right, unless somebody else keeps undoing that.
func (p *planner) dress(target *medblocks.Endpoint) {
	if p.obs.secret.dressed && p.obs.secret.endpointID == target.ID {
		return
	}
	recent := p.obs.dressings.since(dressing(p.res, target.ID), p.now.Add(-dressingPeriod))
	if len(recent) >= maxDressings {
		p.plan.Undressed = true
		p.plan.wakeAt(recent[0].Add(dressingPeriod))
		return
	}
	p.add(step{Action: actionDressSecret, EndpointID: target.ID, Secret: p.obs.secret.name})
}

// rotationDue is when the next scheduled rotation falls due; zero: never. It counts from when the value was issued, by the
// Secret or by the status, whichever is later: an old copy of the Secret that somebody put back is no reason to rotate. It waits for
// the window that the spec allows it in.
func (p *planner) rotationDue() time.Time {
	interval := p.res.RotationInterval()
	if interval == 0 {
		return time.Time{}
	}
	issued := p.obs.secret.rotatedAt
	if issued.After(p.now) {
		issued = time.Time{} // somebody edited it
	}
	if s := p.res.Status.SigningSecret; s != nil && s.LastRotated != nil && s.LastRotated.After(issued) {
		issued = s.LastRotated.Time
	}
	if issued.IsZero() {
		issued = p.now
	}
	due := issued.Add(interval)
	if due.Before(p.now) {
		due = p.now // and if it was missed, at the next opportunity
	}
	return p.res.RotationWindow().Next(due)
}

// heal comes when the Secret does not hold the secret in force. A request or an interval that is due is served on the way:
// a rotation that was cut short is not a lost secret.
func (p *planner) heal(target *medblocks.Endpoint) {
	if p.rotationInFlight(target.Metadata[v1alpha1.MarkSecretGeneration]) {
		return
	}
	if rotateRequested(p.res) {
		p.rotate(target, triggerRotate)
		return
	}
	if due := p.rotationDue(); !due.IsZero() && !p.now.Before(due) {
		p.rotate(target, triggerInterval)
		return
	}
	if p.contested(target) {
		return
	}
	p.rotate(target, p.healTrigger(target))
}

// contested stops where the Secret was healed a short while ago. Nothing is accused on what a list has shown: the endpoint's
// mark may have moved on with the Secret.
func (p *planner) contested(target *medblocks.Endpoint) bool {
	healed := p.obs.lastHealed(p.res.Status.SigningSecret, p.now)
	if healed.IsZero() || !p.now.Before(healed.Add(healInterval)) {
		return false
	}
	if !p.obs.isLive(target.ID) {
		p.plan.Needs.endpoints = []string{target.ID}
		return true
	}
	h := stalledHold(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonContested,
		"Secret %q was lost or changed again within an hour of being healed by a rotation: find out what else writes or deletes it. It is healed again an hour after the last time, or at once with the annotation %s", p.res.SigningSecretName(), v1alpha1.AnnotationRotateSecretRequestedAt)
	h.Wake = healed.Add(healInterval)
	p.stop(h)
	return true
}

// lastHealed is when a lost secret was last healed, by the status or by the Secret: the status may not have been stored.
func (o *observation) lastHealed(status *v1alpha1.SigningSecretStatus, now time.Time) time.Time {
	var last time.Time
	if status != nil && status.LastHealed != nil {
		last = status.LastHealed.Time
	}
	if at := o.secret.healedAt; o.secret.owned && at.After(last) && !at.After(now) { // else somebody edited it
		last = at
	}
	return last
}

// healTrigger tells a secret that was lost from one that an adoption has asked for and not yet published.
func (p *planner) healTrigger(target *medblocks.Endpoint) trigger {
	adopt := p.res.Spec.Adopt
	if adopt != nil && adopt.RotateSecret && adopt.EndpointID == target.ID && p.res.Status.SigningSecret == nil {
		return triggerAdoption
	}
	return triggerLostSecret
}

// rotationInFlight waits where a rotation that was marked may still be under way, of a process that has ended or of a call
// without an answer: if it took effect after ours, the Secret would hold a secret that is no longer in force, and the
// marks would say otherwise. A mark that was ever seen in the Secret, or came with the registration or with a copy, has nothing
// in flight.
func (p *planner) rotationInFlight(mark string) bool {
	if mark != "" && (isCopy(mark) || mark == p.obs.proven || mark == p.obs.secret.nonce || (p.obs.intent != nil && mark == p.obs.intent.Nonce)) {
		return false
	}
	since, known := p.since(sightOfMark(mark))
	if !known {
		return true
	}
	return p.waits(since.Add(p.flightTime()), workingHold(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonWaitingForSecret,
		"Secret %q does not hold the secret in force, and a rotation may still be in flight: waiting before asking for another one", p.res.SigningSecretName()))
}

// flightTime is how long a rotation is waited for. Rotations that stay without a usable answer take effect all the same: each one
// more has to wait twice as long.
func (p *planner) flightTime() time.Duration {
	flight := p.obs.inFlight
	for range max(p.obs.lostRotations-1, 0) {
		if flight *= 2; flight >= healInterval {
			return healInterval
		}
	}
	return flight
}

// sightOfMark names the sighting of a mark whose secret is not in the Secret.
func sightOfMark(mark string) string { return "mark " + mark }

// rotate is planned only where the Secret can be written: a new secret that cannot be stored would be lost.
func (p *planner) rotate(target *medblocks.Endpoint, why trigger) {
	if p.secretBlocked() || p.mayBeMarkedBack(target) {
		return
	}
	p.add(step{
		Action: actionMarkRotation, Trigger: why, EndpointID: target.ID, Nonce: p.obs.nonce,
		Update: &medblocks.UpdateEndpointRequest{Metadata: p.want.withNonce(p.obs.nonce)},
	})
	p.add(step{Action: actionRotate, Trigger: why, EndpointID: target.ID, Nonce: p.obs.nonce})
	p.add(step{Action: actionPublishSecret, EndpointID: target.ID, Nonce: p.obs.nonce, Secret: p.res.SigningSecretName()})
}

// mayBeMarkedBack waits for the end of a PATCH that would put an older mark back behind a rotation. That of a copy, of which the value
// is at hand, would be believed; any other only costs one more rotation.
func (p *planner) mayBeMarkedBack(target *medblocks.Endpoint) bool {
	until := p.obs.lostUntil
	if isCopy(target.Metadata[v1alpha1.MarkSecretGeneration]) {
		until = p.obs.flyingUntil
	}
	h := workingHold(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonWaitingForSecret,
		"a change of the endpoint's marks may still be in flight: waiting before its secret is rotated")
	h.KeepReady = true
	return p.waits(until, h)
}

// secretBlocked stops where a secret from Medblocks could not be stored.
func (p *planner) secretBlocked() bool {
	view := p.obs.secret
	switch {
	case p.secretOfRival():
	case view.exists && !view.owned:
		p.stop(notOwned(p.res.SigningSecretName(), p.now))
	case view.live && view.unwritable != nil:
		p.stop(unwritable(p.res.SigningSecretName(), view.unwritable, p.now))
	default:
		return false
	}
	return true
}

// notOwned looks again now and then: a Secret of somebody else's that is deleted tells nobody, because it is not watched.
func notOwned(name string, now time.Time) *hold {
	h := stalledHold(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonNotOwned,
		"Secret %q exists and does not belong to this resource, so it is not overwritten: delete it, or set spec.signingSecret.name to another name", name)
	h.Wake = now.Add(unwritableRetry)
	return h
}

// unwritableRetry is how often a Secret that could not be written is tried again: a quota that is raised tells nobody.
const unwritableRetry = time.Minute

func unwritable(name string, err error, now time.Time) *hold {
	h := stalledHold(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonWaitingForSecret,
		"Secret %q cannot be written, so no signing secret is asked for: %s. Allow it (quota, immutable, admission policy, RBAC); it is tried again every %s", name, statusMessage(err), unwritableRetry)
	h.Wake = now.Add(unwritableRetry)
	return h
}
