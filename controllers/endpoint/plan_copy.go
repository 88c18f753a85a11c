// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"strings"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// copyPrefix begins the nonce of a signing secret that was copied from a Secret of the user's. So the endpoint's mark itself
// says that the secret in force can be copied once more; the nonce of a secret that Medblocks issued never begins like this.
const copyPrefix = "copy-"

func isCopy(nonce string) bool { return strings.HasPrefix(nonce, copyPrefix) }

// sourceOf is where the signing secret of the adopted endpoint is copied from; nil: from nowhere.
func sourceOf(res *v1alpha1.MedblocksWebhookEndpoint) *v1alpha1.SecretKeyReference {
	if res.Spec.Adopt == nil {
		return nil
	}
	return res.Spec.Adopt.ExistingSecretRef
}

func nameOfSource(ref *v1alpha1.SecretKeyReference) string { return ref.Name + "/" + ref.Key }

// copiesItself refuses a copy of the signing Secret to itself: once lost, nothing would be there to copy.
func (p *planner) copiesItself() *hold {
	ref := sourceOf(p.res)
	if ref == nil || ref.Name != p.res.SigningSecretName() || p.res.Observes() {
		return nil
	}
	return stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidRequest,
		"spec.adopt.existingSecretRef.name and spec.signingSecret.name are both %q, and the signing secret cannot be copied from the Secret that it is copied to: name another Secret in one of them (without spec.signingSecret.name it is <name of the resource>-signing-secret)", ref.Name)
}

// takeOverWithCopy plans an adoption without a rotation: the copy is stored under a nonce, then the one PATCH marks the endpoint
// with it. A copy that was stored before a crash keeps its nonce.
func (p *planner) takeOverWithCopy(target *medblocks.Endpoint) {
	if p.secretBlocked() || !p.mayCopy() {
		return
	}
	p.addFinalizer()
	nonce := p.obs.secret.nonce
	if !isCopy(nonce) || !p.obs.secret.holds(nonce) || !p.isCopied(target) {
		nonce = copyPrefix + p.obs.nonce
		p.addCopy(target, triggerAdoption, nonce)
	}
	p.addAdoption(target, nonce)
}

// mayCopy tells whether the user's Secret holds a signing secret. It is read after ours, so that a copy that somebody else has
// made meanwhile is never overwritten with an older one.
func (p *planner) mayCopy() bool {
	if p.obs.source == nil || !p.obs.secret.live {
		p.plan.Needs.secret, p.plan.Needs.source = true, true
		return false
	}
	if p.obs.source.problem != "" {
		p.stop(p.patiently(workingHold(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonWaitingForSecret, "%s", p.obs.source.problem)))
		return false
	}
	return true
}

// isCopied tells whether our Secret has what the user's Secret has.
func (p *planner) isCopied(target *medblocks.Endpoint) bool {
	view := p.obs.secret
	return view.copiedFrom == nameOfSource(sourceOf(p.res)) && view.endpointID == target.ID && string(view.value) == p.obs.source.value.Reveal()
}

func (p *planner) addCopy(target *medblocks.Endpoint, why trigger, nonce string) {
	p.add(step{Action: actionCopySecret, Trigger: why, EndpointID: target.ID, Nonce: nonce, Secret: p.res.SigningSecretName()})
}

// follow copies a value on that was changed in the user's Secret, and looks for one once in a poll interval. A Secret of the
// user's that is gone is no trouble as long as we have the copy.
func (p *planner) follow(target *medblocks.Endpoint) (copies bool) {
	mark := target.Metadata[v1alpha1.MarkSecretGeneration]
	switch {
	case sourceOf(p.res) == nil || !isCopy(mark):
		return false
	case p.obs.source == nil && p.now.Before(p.obs.sourceDue):
	case p.obs.source == nil:
		p.plan.Needs.source = true
	case p.obs.source.problem != "" || p.isCopied(target):
	case p.secretBlocked() || !p.mayCopy():
		p.plan.Unfollowed = true
	default:
		p.addCopy(target, triggerSource, mark)
		copies = true
	}
	p.plan.wakeAt(p.obs.sourceDue)
	return copies
}

// copyAgain comes when the Secret does not hold the copy that is in force: no rotation is needed to have it back. Whoever
// keeps changing the Secret is not fought.
func (p *planner) copyAgain(target *medblocks.Endpoint) {
	recent := p.obs.copies.since(target.ID, p.now.Add(-dressingPeriod))
	if len(recent) >= maxDressings {
		h := stalledHold(v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonContested,
			"Secret %q was lost or changed %d times within an hour: find out what else writes or deletes it. The signing secret is copied to it again an hour after the first time, or replaced at once with the annotation %s",
			p.res.SigningSecretName(), len(recent)+1, v1alpha1.AnnotationRotateSecretRequestedAt)
		h.Wake = recent[0].Add(dressingPeriod)
		p.stop(h)
		return
	}
	if !p.secretBlocked() && p.mayCopy() {
		p.addCopy(target, triggerLostSecret, target.Metadata[v1alpha1.MarkSecretGeneration])
	}
}
