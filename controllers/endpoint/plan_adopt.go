// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// adopting tells whether the resource has yet to take over the endpoint that spec.adopt names. It has done so once the
// status names an endpoint, or an intent says that the adopted one was gone and is replaced.
func (p *planner) adopting() bool { return isAdopting(p.res, p.obs.intent) }

func isAdopting(res *v1alpha1.MedblocksWebhookEndpoint, i *intent) bool {
	adopt := res.Spec.Adopt
	return adopt != nil && res.Status.EndpointID == "" && (i == nil || i.Replaces != adopt.EndpointID)
}

// adopt takes over the endpoint that spec.adopt names, and returns it once it carries our mark. Nothing is ever registered
// in its place.
func (p *planner) adopt() *medblocks.Endpoint {
	id := p.res.Spec.Adopt.EndpointID
	target := p.obs.endpoint(id)
	if target != nil && target.Metadata[v1alpha1.MarkOwner] == p.obs.owner {
		return p.resume(target)
	}
	if target != nil && p.belongsToOthers(target) {
		return nil // waiting costs no call
	}
	if !p.obs.isLive(id) {
		if target == nil || p.mayHaveBegun() || p.maySucceed() {
			p.plan.Needs.endpoints = []string{id}
		}
		return nil
	}
	if target == nil {
		return p.adoptAbsent(id)
	}
	p.adoptPresent(target)
	return nil
}

// adoptPresent takes over an endpoint that a read has shown.
func (p *planner) adoptPresent(target *medblocks.Endpoint) {
	p.plan.EndpointID = target.ID
	if h := p.unadoptable(target); h != nil {
		p.stop(h)
		return
	}
	switch {
	case p.mayBeWrittenByOthers(target):
	case !p.baseline(target.ID):
	case sourceOf(p.res) != nil:
		p.takeOverWithCopy(target)
	default:
		p.takeOver(target)
	}
}

// mayHaveBegun tells whether the endpoint may carry our mark by now, although no list shows that.
func (p *planner) mayHaveBegun() bool {
	return slices.Contains(p.res.Finalizers, v1alpha1.Finalizer)
}

// maySucceed tells whether Kubernetes allows the adoption: as long as it does not, Medblocks need not be asked anything.
func (p *planner) maySucceed() bool {
	switch {
	case p.secretBlocked():
		return false
	case sourceOf(p.res) != nil:
		return p.mayCopy()
	case !p.obs.secret.live:
		p.plan.Needs.secret = true
		return false
	}
	return true
}

// belongsToOthers tells whether an endpoint to adopt is another tenant's, or another adopter's.
func (p *planner) belongsToOthers(target *medblocks.Endpoint) bool {
	return p.ofAnotherTenant(target) || p.claimedByRival(target)
}

// adoptAbsent comes when Medblocks does not find the endpoint to adopt. One that it lists all the same may be there, and
// one that carries our mark has taken its place: the adopted endpoint was deleted and registered again.
func (p *planner) adoptAbsent(id string) *medblocks.Endpoint {
	if target, found := p.pick(); found {
		return target
	}
	if p.obs.lists(id) {
		p.awaitTruth(id)
		return nil
	}
	p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonAdoptionTargetNotFound,
		"endpoint %s, which spec.adopt names, does not exist in the workspace of the API key: correct spec.adopt.endpointID or the API key; it is adopted once a list of the workspace shows it", id))
	return nil
}

// mayBeWrittenByOthers waits for the end of what may be under way: an earlier attempt to adopt, which could put its own nonce back,
// and, after a start, what the endpoint's owner was about to do to it. While the process lives, they take turns.
func (p *planner) mayBeWrittenByOthers(target *medblocks.Endpoint) bool {
	until := p.obs.flyingUntil
	if target.Metadata[v1alpha1.MarkOwner] != "" && p.obs.begunUntil.After(until) {
		until = p.obs.begunUntil
	}
	if p.waits(until, workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending,
		"a write to endpoint %s may still be in flight: waiting before it is adopted", target.ID)) {
		return true
	}
	if p.obs.view.ListedAt.Before(p.obs.flyingUntil) {
		p.awaitList() // the spec may have named another endpoint, which carries our mark by now
		return true
	}
	return false
}

// unadoptable is why an endpoint that exists must not be taken over; nil: it may be.
func (p *planner) unadoptable(target *medblocks.Endpoint) *hold {
	if owned := p.obs.owned(); len(owned) > 0 {
		return stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonConflict,
			"endpoint %s is this resource's already, so that %s cannot be adopted too: remove spec.adopt, or delete the other endpoint or its metadata key %s at Medblocks", owned[0].ID, target.ID, v1alpha1.MarkOwner)
	}
	if want := p.res.Spec.MedblocksAPIVersion; want != "" && target.APIVersion != "" && want != target.APIVersion {
		return stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidRequest,
			"spec.medblocksAPIVersion is %s, and endpoint %s was registered with %s, which cannot be changed: create this resource again with that version, or without the field", want, target.ID, target.APIVersion)
	}
	return nil
}

// takeOver plans the one PATCH that adopts, and a rotation: our marks, and what differs from the spec. The marks come with a nonce that no
// Secret holds, so that a rotation follows whatever happens in between.
func (p *planner) takeOver(target *medblocks.Endpoint) {
	if p.secretBlocked() {
		return
	}
	p.addFinalizer()
	p.addAdoption(target, p.obs.nonce)
	p.add(step{Action: actionRotate, Trigger: triggerAdoption, EndpointID: target.ID, Nonce: p.obs.nonce})
	p.add(step{Action: actionPublishSecret, EndpointID: target.ID, Nonce: p.obs.nonce, Secret: p.res.SigningSecretName()})
}

func (p *planner) addAdoption(target *medblocks.Endpoint, nonce string) {
	update := p.want.diff(target)
	update.Metadata = p.want.withNonce(nonce)
	p.add(step{Action: actionAdopt, Trigger: triggerAdoption, EndpointID: target.ID, Nonce: nonce, Update: &update})
}

// mayHaveAdopted is the endpoint that may carry our mark although the status does not say so: the answer to the PATCH was
// lost, or the process ended after it. Empty: there is none.
func (p *planner) mayHaveAdopted() string {
	if !p.adopting() {
		return ""
	}
	return p.res.Spec.Adopt.EndpointID
}
