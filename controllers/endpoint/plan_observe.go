// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// watch is the plan under managementPolicy Observe: it finds the endpoint, and reports. Its only step takes the finalizer
// away, because a deletion has nothing to do.
func (p *planner) watch() {
	p.plan.Redelivery = nil
	if slices.Contains(p.res.Finalizers, v1alpha1.Finalizer) {
		p.add(step{Action: actionRemoveFinalizer})
	}
	target := p.observed()
	if target == nil {
		return
	}
	if target.ID != p.res.Status.EndpointID && p.ofAnotherTenant(target) {
		p.plan.EndpointID = "" // its URL is none of their business
		return
	}
	p.plan.EndpointID = target.ID
	if reconcileRequested(p.res) && !p.obs.isLive(target.ID) {
		p.plan.Needs.endpoints = []string{target.ID}
	}
	if p.res.Status.SigningSecret != nil && !p.publishedSecret(target) && !p.obs.secret.live {
		p.plan.Needs.secret = true // one that lost its label is not in the cache
	}
	if fields := p.differing(target); len(fields) > 0 {
		p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonDrifted,
			"endpoint %s differs from the spec in %s, and managementPolicy is Observe: change the spec or the endpoint, or set managementPolicy to Manage", target.ID, strings.Join(fields, ", ")))
	}
	p.watchState(target)
	p.monitor(target)
}

// observed finds the endpoint to observe: the one that was managed before, else the one that spec.adopt names, else one
// with our owner mark, which a registration has left whose answer was lost, or a restore.
func (p *planner) observed() *medblocks.Endpoint {
	id := p.obs.registered
	if id == "" {
		id = observedID(p.res)
	}
	p.plan.EndpointID = id
	if target := p.obs.endpoint(id); id != "" && target != nil {
		return target
	}
	if !p.obs.view.ListedAt.IsZero() && id != "" && !p.obs.isLive(id) {
		p.plan.Needs.endpoints = []string{id}
		return nil
	}
	if !p.listedAfterFlight() {
		return nil
	}
	if owned := p.obs.owned(); len(owned) > 0 && (id == "" || p.res.Status.EndpointID != "") {
		return owned[0]
	}
	p.missing(id)
	return nil
}

// observedID is the endpoint that a resource under Observe names: the one that it managed, else the one of spec.adopt.
func observedID(res *v1alpha1.MedblocksWebhookEndpoint) string {
	if res.Status.EndpointID != "" {
		return res.Status.EndpointID
	}
	return specAdopts(res)
}

func specAdopts(res *v1alpha1.MedblocksWebhookEndpoint) string {
	if res.Spec.Adopt == nil {
		return ""
	}
	return res.Spec.Adopt.EndpointID
}

// listedAfterFlight waits for a complete list that shows what a registration in flight has left.
func (p *planner) listedAfterFlight() bool {
	flying := p.mayBeInFlight()
	switch {
	case flying && p.now.Before(p.landed()):
		h := workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonPending,
			"a registration from before managementPolicy was Observe may still be in flight: waiting before looking for its endpoint")
		h.Wake = p.landed()
		p.stop(h)
		return false
	case p.obs.view.ListedAt.IsZero() || (flying && p.obs.view.ListedAt.Before(p.landed())):
		p.awaitList()
		return false
	}
	return true
}

// missing comes when there is nothing to observe.
func (p *planner) missing(id string) {
	switch {
	case id == "":
		p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidRequest,
			"managementPolicy is Observe and there is no endpoint to observe: name one in spec.adopt.endpointID, or set managementPolicy to Manage to register one"))
	case p.obs.lists(id):
		p.awaitTruth(id)
	case id == p.res.Status.EndpointID && p.obs.keyHash != p.res.Status.KeyHash:
		p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonWorkspaceChanged,
			"the API key was changed and the new one cannot see endpoint %s: it belongs to another workspace. Put the former workspace's key back", id))
	case id == p.res.Status.EndpointID:
		p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonDrifted,
			"endpoint %s does not exist at Medblocks any more, and managementPolicy is Observe: set it to Manage to register the endpoint again, or delete this resource", id))
	default:
		p.stop(stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonAdoptionTargetNotFound,
			"endpoint %s, which spec.adopt names, does not exist in the workspace of the API key: correct spec.adopt.endpointID or the API key", id))
	}
}

// differing names the fields of the spec that the endpoint differs in. Marks are nobody's wish: only what the user sees is
// compared, and a form that Medblocks has chosen itself is none of it.
func (p *planner) differing(target *medblocks.Endpoint) []string {
	var fields []string
	drifted := projectionOf(target).hash() != p.obs.acceptedHash
	asked := sameVersion(p.obs.appliedHash) && p.want.hash() == p.obs.appliedHash
	if drifted || !asked {
		is := projectionOf(target)
		for name, same := range map[string]bool{
			"description": is.Description == p.want.Description, "events": slices.Equal(is.Events, p.want.Events),
			"url": is.URL == p.want.URL, "metadata": maps.Equal(unmarked(is.Metadata), unmarked(p.want.Metadata)),
		} {
			if !same {
				fields = append(fields, name)
			}
		}
	}
	if want := p.res.Spec.MedblocksAPIVersion; want != "" && target.APIVersion != "" && want != target.APIVersion {
		fields = append(fields, "medblocksAPIVersion")
	}
	if target.Status == medblocks.EndpointStatusActive && p.res.WantsDisabled() {
		fields = append(fields, "state")
	}
	slices.Sort(fields)
	return fields
}

// unmarked is metadata without the operator's marks.
func unmarked(metadata map[string]string) map[string]string {
	own := maps.Clone(metadata)
	maps.DeleteFunc(own, func(key, _ string) bool { return strings.HasPrefix(key, v1alpha1.MarkPrefix) })
	return own
}

// watchState finds out why an endpoint is disabled, as far as its events tell. Events that an endpoint has when it is first
// seen explain no later disable, so that they are read then.
func (p *planner) watchState(target *medblocks.Endpoint) {
	if p.res.Status.Endpoint == nil && !p.gatherEvidence(target.ID) {
		return
	}
	switch {
	case target.Status == medblocks.EndpointStatusActive:
	case target.Status != medblocks.EndpointStatusDisabled:
		p.state(target) // says that it does not know the status
	case p.res.WantsDisabled():
		p.plan.Disabled = p.disabledSince(v1alpha1.ReasonDisabledBySpec)
	default:
		p.watchDisable(target)
	}
}

// watchDisable judges a disable once, as the policy does.
func (p *planner) watchDisable(target *medblocks.Endpoint) {
	was := p.res.Status.Disabled
	switch {
	case was != nil && (was.Cause == v1alpha1.ReasonAutoDisabled || was.Cause == v1alpha1.ReasonDisabledManually):
		p.plan.Disabled = was
	case !p.obs.isLive(target.ID):
		p.plan.Needs.endpoints = []string{target.ID} // a list may lag behind
		return
	case p.gatherEvidence(target.ID):
		p.plan.Disabled = p.judge()
	default:
		return
	}
	p.watchDisabled()
}

func (p *planner) watchDisabled() {
	const next = "managementPolicy is Observe, so that the operator does not enable it: enable it in the dashboard"
	why := "a person disabled the endpoint at Medblocks, as far as its events tell"
	h := &hold{Condition: v1alpha1.ConditionEnabled, Status: metav1.ConditionFalse, Reason: p.plan.Disabled.Cause, Progress: stalled}
	switch h.Reason {
	case v1alpha1.ReasonAutoDisabled:
		p.stop(p.autoDisabled(stalled, next))
		return
	case v1alpha1.ReasonUnknown:
		why = "the endpoint is disabled at Medblocks, and its undelivered events do not tell why"
		h.Wake = p.now.Add(evidenceTooLong)
	}
	h.Message = why + "; " + next
	p.stop(h)
}

// publishedSecret tells whether the Secret holds the secret in force, under the name of the spec or the one before.
func (p *planner) publishedSecret(target *medblocks.Endpoint) bool {
	return p.obs.published(target) != nil
}

func (o *observation) published(target *medblocks.Endpoint) *secretView {
	mark := target.Metadata[v1alpha1.MarkSecretGeneration]
	if o.secret.holds(mark) {
		return &o.secret
	}
	return o.formerHolding(mark)
}
