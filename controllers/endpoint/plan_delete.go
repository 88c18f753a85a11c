// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// makeDeletionPlan decides what is left to do for a resource that is being deleted: the endpoint first, then the
// signing Secret, then the finalizer. It is a pure function like makePlan.
func makeDeletionPlan(res *v1alpha1.MedblocksWebhookEndpoint, obs *observation, now time.Time) plan {
	p := newPlanner(res, obs, now)
	p.mirror()
	if !slices.Contains(res.Finalizers, v1alpha1.Finalizer) {
		p.plan.Done = true
		return p.plan
	}
	switch {
	case res.Observes():
		// Who observes does not write, and the endpoint lives on: its Secret stays with it, whatever else is asked for.
		p.plan.Released = "managementPolicy is Observe"
		p.add(step{Action: actionRemoveFinalizer})
	case released(res):
		p.plan.Released = "the annotation " + v1alpha1.AnnotationRelease + " asks for it"
		p.removeRest()
	case p.removeEndpoint():
		p.removeRest()
	}
	return p.finish()
}

// removeRest comes when no endpoint is left.
func (p *planner) removeRest() {
	if !p.res.OrphansEndpoint() {
		if !p.obs.secret.live {
			p.plan.Needs.secret = true // one that lost its label is not in the cache
		}
		for _, view := range p.obs.secrets() {
			if view.exists && view.owned {
				p.add(step{Action: actionDeleteSecret, Secret: view.name})
			}
		}
	}
	p.add(step{Action: actionRemoveFinalizer})
}

// removeEndpoint tells whether nothing of ours is left at Medblocks, or it need not bother us.
func (p *planner) removeEndpoint() bool {
	if p.keyless() {
		return p.letGo()
	}
	id := p.res.Status.EndpointID
	if p.obs.registered != "" {
		id = p.obs.registered
	}
	if p.mayExistElsewhere(id) && !p.listedSinceIntent() {
		return false
	}
	if !p.settledByRead(id) || !p.adoptionSettled(p.mayHaveAdopted()) || p.mayBeMarkedLater(id) {
		return false
	}
	p.disposeOf(p.doomed(id))
	return len(p.plan.Steps) == 0 && !p.lostInAnotherWorkspace()
}

func (p *planner) disposeOf(doomed []*medblocks.Endpoint) {
	for _, target := range doomed {
		if target.ID == p.res.Status.EndpointID && p.obs.keyHash != p.res.Status.KeyHash && !p.res.OrphansEndpoint() {
			// A new key sees it. After a crash, the 404 under that key has to mean that it is gone.
			p.add(step{Action: actionRecordKey, EndpointID: target.ID})
		}
		p.dispose(target)
	}
}

// settledByRead tells whether a live read has shown the endpoint, or its absence with a key that would see it.
func (p *planner) settledByRead(id string) bool {
	if id == "" {
		return true
	}
	if !p.obs.isLive(id) {
		p.plan.Needs.endpoints = []string{id}
		return false
	}
	if p.obs.disposed[id] || p.obs.endpoint(id) != nil {
		return true
	}
	return !p.unseen(id) && !p.contradicted(id)
}

// mayBeMarkedLater waits until no PATCH is under way that would set our marks on an endpoint which lives on. (One that is deleted
// cannot be marked.)
func (p *planner) mayBeMarkedLater(id string) bool {
	adopted := p.mayHaveAdopted()
	stays := p.res.OrphansEndpoint() && p.obs.endpoint(id) != nil
	unmarked := adopted != "" && !p.obs.disposed[adopted] && p.obs.endpoint(adopted) != nil
	return (stays || unmarked) && p.waits(p.obs.flyingUntil, workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending,
		"being deleted: a change of the endpoint's marks may still be in flight; waiting before it is left behind"))
}

// adoptionSettled tells whether a live read has shown whether the endpoint to adopt carries our mark already.
func (p *planner) adoptionSettled(id string) bool {
	switch {
	case id == "" || p.obs.disposed[id]:
		return true
	case !p.obs.isLive(id):
		p.plan.Needs.endpoints = []string{id}
		return false
	}
	return p.obs.endpoint(id) != nil || !p.contradicted(id)
}

// contradicted tells whether the endpoint that a read does not find is still listed. The next list decides.
func (p *planner) contradicted(id string) bool {
	if !p.obs.lists(id) {
		return false
	}
	p.awaitTruth(id)
	return true
}

// keyless tells whether there is no key that works.
func (p *planner) keyless() bool {
	return p.obs.keyHash == "" || p.obs.refused != nil
}

// letGo decides about an endpoint that nobody can reach: a missing or refused key does not mean that it is gone.
func (p *planner) letGo() bool {
	lasts, known := p.refusalLasts()
	switch {
	case !known:
		return false
	case !lasts:
		h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending, "being deleted: %s; waiting whether that lasts", p.keyTrouble())
		h.Wake = p.now.Add(credentialsRetry)
		p.stop(h)
		return false
	case p.res.OrphansEndpoint():
		// It was to be left behind anyway; only its marks stay on it.
		p.plan.Released = "deletionPolicy is Orphan and no API key works, so that the operator's marks stay on it"
		return true
	case p.obs.namespaceTerminating == nil:
		p.plan.Needs.namespace = true
		return false
	case *p.obs.namespaceTerminating:
		// No key can appear in it any more, and the namespace would hang for ever.
		p.plan.Released = "its namespace is terminating and no API key is to be had"
		return true
	}
	h := stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonCredentialsUnavailable,
		"the endpoint cannot be deleted at Medblocks: %s. Put the API key back, or annotate this resource with %s: \"true\" to delete it without deleting the endpoint", p.keyTrouble(), v1alpha1.AnnotationRelease)
	h.Wake = p.now.Add(credentialsRetry)
	if isWrongEnvironment(p.obs.credentials) {
		h.Reason = v1alpha1.ReasonWrongEnvironment
	}
	if p.obs.refused != nil {
		_, refused := classify(p.obs.refused, p.now)
		h.Reason = refused.Reason
	}
	p.stop(h)
	return false
}

// refusedKey names the sighting of a key that Medblocks refuses.
const refusedKey = "refused key"

// refusalLasts tells whether a key that is there has been refused for so long that it may be believed: a single answer of a proxy
// does not make the operator let go of anything.
func (p *planner) refusalLasts() (lasts, known bool) {
	mayRelease := p.res.OrphansEndpoint() || (p.obs.namespaceTerminating != nil && *p.obs.namespaceTerminating)
	if p.obs.keyHash == "" || p.obs.refused == nil || !mayRelease {
		return true, true
	}
	since, known := p.since(refusedKey)
	shared := medblocks.IsUnauthorized(p.obs.listError) || medblocks.IsForbidden(p.obs.listError) // else the key may serve yet
	return known && shared && !p.now.Before(since.Add(refusalGrace)), known
}

func (p *planner) keyTrouble() string {
	if p.obs.credentials != nil {
		return p.obs.credentials.Error()
	}
	return "it refuses the API key (" + vendorMessage(p.obs.refused) + ")"
}

// mayExistElsewhere tells whether an endpoint may carry our mark under an id that we do not know. Before the first list of
// an account nothing is known of duplicates.
func (p *planner) mayExistElsewhere(id string) bool {
	return id == "" || p.obs.view.ListedAt.IsZero() || (p.obs.intent.open(p.res.Status.EndpointID) && p.obs.registered == "")
}

// listedSinceIntent waits until a registration cannot be in flight any more, and for a complete list after that.
func (p *planner) listedSinceIntent() bool {
	listedAfter := p.conclusiveFrom()
	switch {
	case p.now.Before(listedAfter):
		h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending,
			"being deleted: a registration or adoption may still be in flight; waiting before looking for its endpoint")
		h.Wake = listedAfter
		p.stop(h)
		return false
	case p.obs.view.ListedAt.IsZero() || p.obs.view.ListedAt.Before(listedAfter):
		p.awaitList()
		return false
	}
	return true
}

// unseen tells whether a 404 proves nothing, because another key has seen the endpoint last.
func (p *planner) unseen(id string) bool {
	if p.obs.registered == id || p.obs.keyHash == p.res.Status.KeyHash {
		return false
	}
	p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonWorkspaceChanged,
		"being deleted: the API key was changed and the new one cannot see endpoint %s, which may live on in the former workspace. Put that workspace's key back, or annotate this resource with %s: \"true\" to delete it without deleting the endpoint", id, v1alpha1.AnnotationRelease))
	return true
}

// lostInAnotherWorkspace tells whether a registration with another key may have left an endpoint that this key cannot
// see: a list without our mark proves nothing then.
func (p *planner) lostInAnotherWorkspace() bool {
	unclear := p.mayBeInFlight() && p.obs.registered == "" && p.obs.intent.underAnotherKey(p.obs.keyHash)
	if !unclear || p.hasDisposedOfAttempt() {
		return false
	}
	p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonWorkspaceChanged,
		"being deleted: a registration was attempted with another API key and its outcome is not known. Put that key back, or annotate this resource with %s: \"true\" to delete it all the same", v1alpha1.AnnotationRelease))
	return true
}

// hasDisposedOfAttempt tells whether what that registration has left was found and dealt with.
func (p *planner) hasDisposedOfAttempt() bool {
	for id := range p.obs.disposed {
		if id != p.obs.intent.Replaces {
			return true
		}
	}
	return false
}

// doomed are the endpoints that are ours: by id, unless they carry another's mark, and by owner mark. An endpoint that
// another incarnation of this name has taken over is not ours any more; a resource without a past has no other way
// than the owner mark to tell.
func (p *planner) doomed(id string) []*medblocks.Endpoint {
	fenced := id != "" || p.obs.intent != nil
	marked := p.obs.owned()
	if target := p.obs.endpoint(p.mayHaveAdopted()); target != nil && target.Metadata[v1alpha1.MarkOwner] == p.obs.owner {
		marked = append([]*medblocks.Endpoint{target}, marked...)
	}
	if target := p.obs.endpoint(id); target != nil && (target.Metadata[v1alpha1.MarkOwner] == "" || target.Metadata[v1alpha1.MarkOwner] == p.obs.owner) {
		marked = append([]*medblocks.Endpoint{target}, marked...)
	}
	var doomed []*medblocks.Endpoint
	for _, target := range marked {
		again := slices.ContainsFunc(doomed, func(e *medblocks.Endpoint) bool { return e.ID == target.ID })
		if !again && !p.obs.disposed[target.ID] && (!fenced || !p.foreign(target)) {
			doomed = append(doomed, target)
		}
	}
	return doomed
}

// dispose deletes an endpoint, or takes our marks off it.
func (p *planner) dispose(target *medblocks.Endpoint) {
	if !p.res.OrphansEndpoint() {
		p.add(step{Action: actionDelete, Trigger: triggerResourceGone, EndpointID: target.ID})
		return
	}
	unmark := step{Action: actionOrphan, Trigger: triggerResourceGone, EndpointID: target.ID}
	metadata := unmarked(target.Metadata)
	if len(metadata) == len(target.Metadata) {
		return
	}
	if p.obs.clinging[target.ID] { // leaving them out was not enough; an empty mark is nobody's
		unmark.Action = actionBlankMarks
		for _, mark := range []string{v1alpha1.MarkOwner, v1alpha1.MarkIncarnation, v1alpha1.MarkSecretGeneration} {
			metadata[mark] = ""
		}
	}
	unmark.Update = &medblocks.UpdateEndpointRequest{Metadata: metadata}
	p.add(unmark)
}
