// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"strings"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// maxFlightDoublings bounds the time between two attempts to register: 16 times the API timeout.
const maxFlightDoublings = 4

// relistInterval is how soon a list that contradicts a read is asked for again.
const relistInterval = 5 * time.Second

// locate finds the endpoint that is this resource's. It returns nil where there is none (yet), or where it must not be
// touched; the plan then says why, or registers one.
func (p *planner) locate() *medblocks.Endpoint {
	id := p.res.Status.EndpointID
	if id != "" && !p.obs.intent.open(id) {
		return p.locateKnown(id)
	}
	if p.obs.registered != "" {
		return p.locateKnown(p.obs.registered)
	}
	return p.locateUnknown()
}

// locateKnown looks for the endpoint by its id. It is gone only when a complete list and a read of that id, both
// with the key that last saw it, say so.
func (p *planner) locateKnown(id string) *medblocks.Endpoint {
	p.plan.EndpointID = id
	if target := p.obs.endpoint(id); target != nil {
		return p.fenced(target)
	}
	p.mirror()
	if !p.isGone(id) {
		return nil
	}
	return p.replaceGone()
}

// isGone tells whether an endpoint is, which a person may confirm; otherwise the plan says what is missing for a proof.
func (p *planner) isGone(id string) bool {
	asked := reregisterRequested(p.res)
	switch {
	case p.obs.view.ListedAt.IsZero(), p.isYoungerThanList(id):
		p.awaitList()
	case !p.obs.isLive(id):
		p.plan.Needs.endpoints = []string{id}
	case p.obs.keyHash != p.res.Status.KeyHash && p.obs.registered != id && !asked:
		p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonWorkspaceChanged,
			"the API key was changed and the new one cannot see endpoint %s: it belongs to another workspace. Put the former workspace's key back, or annotate this resource with %s to register the endpoint in the new workspace", id, v1alpha1.AnnotationReregisterRequestedAt))
	case p.obs.view.Suspect && !asked:
		p.stop(workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending,
			"endpoint %s vanished from Medblocks together with many others: it is registered again once a later list confirms it, or at once with the annotation %s", id, v1alpha1.AnnotationReregisterRequestedAt))
	case p.obs.lists(id):
		p.awaitTruth(id)
	case !asked && p.isPremature():
		p.awaitMaturity(id)
	default:
		return true
	}
	return false
}

// isYoungerThanList tells whether the list was begun before the endpoint was registered.
func (p *planner) isYoungerThanList(id string) bool {
	return p.obs.registered == id && p.obs.view.ListedAt.Before(p.obs.intentSince)
}

// isPremature tells whether the account was just begun and has never shown the endpoint: it may not know yet how many are missing.
func (p *planner) isPremature() bool {
	return !p.obs.view.Seen && p.obs.view.ListedAt.Before(p.obs.view.Matures)
}

// awaitMaturity waits for a list of an account that knows all its resources.
func (p *planner) awaitMaturity(id string) {
	h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending, "Medblocks does not find endpoint %s: waiting for another list before it is registered again", id)
	if h.NeedsList = !p.now.Before(p.obs.view.Matures); !h.NeedsList {
		h.Wake = p.obs.view.Matures
	}
	p.stop(h)
}

// replaceGone registers an endpoint again that somebody deleted, unless there is another one of ours.
func (p *planner) replaceGone() *medblocks.Endpoint {
	if target, found := p.pick(); found {
		return target
	}
	why := triggerGone
	if reregisterRequested(p.res) {
		why = triggerReregister
	}
	p.register(why)
	return nil
}

// locateUnknown looks for the endpoint by its owner mark: after a crash, after a lost answer, after a restore.
func (p *planner) locateUnknown() *medblocks.Endpoint {
	p.mirror()
	listedAfter := p.conclusiveFrom()
	if p.adopting() {
		listedAfter = p.registeredBy() // an earlier adoption is minded once it is known what there is to adopt
	}
	if p.now.Before(listedAfter) {
		h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending,
			"an earlier registration or adoption may still be in flight: waiting before looking for its endpoint, so that no second one is created")
		if p.obs.failure != nil {
			*h = *p.obs.failure // why it is not known
		}
		h.Wake = listedAfter
		p.stop(h)
		return nil
	}
	if p.obs.view.ListedAt.IsZero() || p.obs.view.ListedAt.Before(listedAfter) {
		p.awaitList()
		return nil
	}
	if p.adopting() {
		return p.adopt()
	}
	if target, found := p.pick(); found {
		return target
	}
	if p.obs.view.Suspect {
		p.stop(workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending,
			"many endpoints vanished from this workspace at once: nothing is registered until a later list confirms it"))
		return nil
	}
	if p.mayBeInFlight() && p.obs.intent.underAnotherKey(p.obs.keyHash) && !reregisterRequested(p.res) {
		p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonWorkspaceChanged,
			"a registration was attempted with another API key and its outcome is not known: an endpoint may exist in that key's workspace. Put that key back, or annotate this resource with %s to register the endpoint in the new workspace", v1alpha1.AnnotationReregisterRequestedAt))
		return nil
	}
	p.register(triggerSpec)
	return nil
}

// mayBeInFlight tells whether an attempt to register is open whose outcome is not known.
func (p *planner) mayBeInFlight() bool {
	return p.obs.intent.open(p.res.Status.EndpointID) && !p.obs.intentRefused
}

// conclusiveFrom is when a list has to be begun to show what was attempted: a registration, or an adoption, which is not announced by
// an intent, but by the finalizer.
func (p *planner) conclusiveFrom() time.Time {
	from := p.registeredBy()
	if p.res.Status.EndpointID == "" && slices.Contains(p.res.Finalizers, v1alpha1.Finalizer) && p.obs.flyingUntil.After(from) {
		from = p.obs.flyingUntil
	}
	return from
}

// registeredBy is when an attempt to register has had its effect, if it has any; zero: none is open.
func (p *planner) registeredBy() time.Time {
	if !p.mayBeInFlight() {
		return time.Time{}
	}
	return p.landed()
}

// landed is when an attempt cannot be in flight any more. Attempts that fail one after another are given more time, which
// spares a vendor in trouble.
func (p *planner) landed() time.Time {
	return p.obs.intentSince.Add(p.obs.inFlight << min(max(p.obs.intent.Attempt-1, 0), maxFlightDoublings))
}

// pick chooses among the endpoints that carry our owner mark: the one whose secret we hold, else the oldest. What is
// resumed starts with a baseline: the events that are exhausted by now explain no later disable. What is found may not be
// fit to be touched; then there is no target, and nothing is registered either.
func (p *planner) pick() (target *medblocks.Endpoint, found bool) {
	owned := p.obs.owned()
	if len(owned) == 0 {
		return nil, false
	}
	target = owned[0]
	for _, e := range owned {
		if p.obs.secret.holds(e.Metadata[v1alpha1.MarkSecretGeneration]) {
			target = e
			break
		}
	}
	if p.res.Status.EndpointID != "" {
		if target = p.fenced(target); target == nil {
			return nil, true
		}
	}
	return p.resume(target), true
}

// resume returns an endpoint that is new to the status once its baseline is known, or on the way.
func (p *planner) resume(target *medblocks.Endpoint) *medblocks.Endpoint {
	if !p.baseline(target.ID) && p.obs.evidence != nil {
		return nil
	}
	return target
}

// baseline tells whether the events are known that are exhausted by now. Without them, an old event would explain a person's
// disable one day.
func (p *planner) baseline(id string) bool {
	switch e := p.obs.evidence; {
	case e == nil:
		p.plan.Needs.evidence = id
	case e.err != nil:
		_, h := classify(e.err, p.now)
		h.Wake = p.now.Add(evidenceRetry)
		p.stop(h)
	default:
		return true
	}
	return false
}

// awaitTruth waits for a list that agrees with a read: soon at first, and ever less often where none does.
func (p *planner) awaitTruth(id string) {
	since, known := p.since("list with " + id)
	if !known {
		return
	}
	next := p.obs.view.ListedAt.Add(min(max(relistInterval, p.now.Sub(since)), slowRetry))
	h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending, "Medblocks does not find endpoint %s and still lists it: waiting for the next list", id)
	h.KeepReady, h.NeedsList = true, !p.now.Before(next)
	if !h.NeedsList {
		h.Wake = next
	}
	p.mirror()
	p.stop(h)
}

// awaitList waits for the next complete list.
func (p *planner) awaitList() {
	p.mirror()
	h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending, "waiting for the list of the workspace's endpoints")
	h.KeepReady = true
	if p.obs.failure != nil {
		*h = *p.obs.failure
		h.Wake = time.Time{}
	}
	if p.obs.listError != nil {
		_, h = classify(p.obs.listError, p.now)
		h.Wake = time.Time{} // the poller tries again and tells
	}
	h.NeedsList = true
	// What was said about this generation stays said while a list is on its way, and the first list of an account is
	// under way when its first resource is reconciled: neither is worth a write of its own.
	said := p.res.Status.ObservedGeneration == p.res.Generation && (p.res.Status.EndpointID != "" || p.obs.listError == nil)
	isNew := len(p.res.Status.Conditions) == 0 && p.obs.listError == nil
	h.Quiet = said || isNew
	p.stop(h)
}

// fenced refuses an endpoint that carries somebody else's mark.
func (p *planner) fenced(target *medblocks.Endpoint) *medblocks.Endpoint {
	owner := target.Metadata[v1alpha1.MarkOwner]
	switch {
	case owner != "" && owner != p.obs.owner:
		p.mirror()
		p.plan.Fenced = true
		p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonOwnershipLost,
			"endpoint %s now belongs to %s, which took it over: delete this resource (the endpoint is left alone), or remove the metadata key %s at Medblocks to take it back", target.ID, owner, v1alpha1.MarkOwner))
		return nil
	case p.foreign(target):
		p.mirror()
		p.plan.Fenced = true
		p.stop(p.conflict(target))
		return nil
	}
	return target
}

// foreign tells whether another incarnation of the resource has marked an endpoint.
func (p *planner) foreign(e *medblocks.Endpoint) bool {
	incarnation := e.Metadata[v1alpha1.MarkIncarnation]
	return incarnation != "" && incarnation != string(p.res.UID)
}

func (p *planner) conflict(e *medblocks.Endpoint) *hold {
	return stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonConflict,
		"endpoint %s is marked by another resource of this name, in another cluster with this cluster id or from before this resource was created: give each cluster an id of its own (--cluster-id), then delete the endpoint or its metadata key %s at Medblocks, whichever is wrong", e.ID, v1alpha1.MarkIncarnation)
}

// register plans the write-ahead registration: intent, POST, Secret. Nothing is posted unless the Secret is known to be
// writable.
func (p *planner) register(why trigger) {
	if p.secretBlocked() {
		return
	}
	request := p.want.create(p.res, p.obs.nonce)
	p.add(step{Action: actionWriteIntent, Nonce: p.obs.nonce})
	p.add(step{Action: actionRegister, Trigger: why, Nonce: p.obs.nonce, Create: &request})
	p.add(step{Action: actionPublishSecret, Nonce: p.obs.nonce, Secret: p.res.SigningSecretName()})
}

// request identifies what is asked of Medblocks, with which key, and on whose request.
func (p *planner) request() string {
	return strings.Join([]string{
		p.want.hash(), p.obs.keyHash, p.res.Spec.MedblocksAPIVersion, string(p.res.Spec.State),
		p.res.Annotations[v1alpha1.AnnotationReconcileRequestedAt], p.res.Annotations[v1alpha1.AnnotationFluxReconcileRequestedAt],
		p.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt], p.res.Annotations[v1alpha1.AnnotationReenableRequestedAt],
		p.res.Annotations[v1alpha1.AnnotationReregisterRequestedAt], p.mayHaveAdopted(),
	}, "\x00")
}
