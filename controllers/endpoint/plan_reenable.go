// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// maxAccounted bounds status.reenable.accountedEvents.
const maxAccounted = 100

// evidenceRetry is how often events that could not be read are asked for again.
const evidenceRetry = time.Minute

// evidenceTooLong is how often it is tried again to find evidence among more events than are read.
const evidenceTooLong = time.Hour

// reenable judges a disable that the spec did not ask for, and brings the endpoint back where policy or a person says
// so. A person's disable is never undone by policy.
func (p *planner) reenable(target *medblocks.Endpoint) {
	switch was := p.res.Status.Disabled; {
	case reenableRequested(p.res):
		if p.gatherEvidence(target.ID) {
			p.plan.Disabled = p.judge()
			p.enable(target, triggerReenable)
		}
	case was != nil && was.Cause == v1alpha1.ReasonDisabledBySpec:
		// The spec wanted it disabled, and now wants it active. What is exhausted by now explains no later disable.
		if p.gatherEvidence(target.ID) {
			p.enable(target, triggerSpec)
		}
	case was != nil && (was.Cause == v1alpha1.ReasonAutoDisabled || was.Cause == v1alpha1.ReasonDisabledManually) && !p.isChangedSince(target, was):
		p.answer(target, was)
	case !p.obs.isLive(target.ID):
		p.plan.Needs.endpoints = []string{target.ID} // a list may lag behind a re-enable
	case p.gatherEvidence(target.ID):
		p.answer(target, p.judge())
	}
}

// isChangedSince tells whether somebody has changed the endpoint since its disable was judged: it may have been enabled, and disabled by a
// person. The operator's own changes do not count, not even one that a crash has kept from being noted.
func (p *planner) isChangedSince(target *medblocks.Endpoint, was *v1alpha1.DisabledStatus) bool {
	is := p.obs.updatedAt[target.ID]
	if was.EndpointUpdatedAt == "" || is == "" || is == was.EndpointUpdatedAt {
		return false
	}
	asked := sameVersion(p.obs.appliedHash) && p.want.hash() == p.obs.appliedHash
	if update := p.want.diff(target); !asked && update.IsEmpty() {
		return false // it is as the operator wants it, and nothing says that it was asked for
	}
	return p.obs.secret.holds(target.Metadata[v1alpha1.MarkSecretGeneration])
}

// isRedelivered tells whether the courier has just had an event redelivered that has nine attempts with the help of that.
func (p *planner) isRedelivered(event medblocks.EventRecord) bool {
	return p.obs.courier != nil && slices.Contains(p.obs.courier.Exhausted, event.ID)
}

// answer does what a disable with that cause asks for.
func (p *planner) answer(target *medblocks.Endpoint, verdict *v1alpha1.DisabledStatus) {
	p.plan.Disabled = verdict
	switch verdict.Cause {
	case v1alpha1.ReasonAutoDisabled:
		p.applyPolicy(target)
	case v1alpha1.ReasonDisabledManually:
		p.stop(stalledHold(v1alpha1.ConditionEnabled, v1alpha1.ReasonDisabledManually,
			"a person disabled the endpoint at Medblocks, and the operator does not undo that: enable it in the dashboard, or annotate this resource with %s", v1alpha1.AnnotationReenableRequestedAt))
	default:
		h := stalledHold(v1alpha1.ConditionEnabled, v1alpha1.ReasonUnknown,
			"the endpoint is disabled at Medblocks and its undelivered events do not tell why, so it is treated as a person's wish: enable it in the dashboard, or annotate this resource with %s", v1alpha1.AnnotationReenableRequestedAt)
		h.Wake = p.now.Add(evidenceRetry)
		if p.obs.evidence.err == nil {
			h.Wake = p.now.Add(evidenceTooLong) // read to the bound in vain: that is expensive, and will not change soon
		}
		p.stop(h)
	}
}

// gatherEvidence tells whether the events were read in this reconcile, and asks for them otherwise.
func (p *planner) gatherEvidence(id string) bool {
	if p.obs.evidence == nil {
		p.plan.Needs.evidence = id
	}
	return p.obs.evidence != nil
}

// judge says why the endpoint is disabled: an undelivered event with nine attempts that was not accounted for before is
// the vendor's doing; without one, a person's.
func (p *planner) judge() *v1alpha1.DisabledStatus {
	e := p.obs.evidence
	for _, event := range e.exhausted {
		if !provesDisable(p.res.Status.Reenable, event, p.now) || p.isRedelivered(event) || p.isBaseline() {
			continue
		}
		verdict := *p.disabledSince(v1alpha1.ReasonAutoDisabled)
		verdict.EndpointUpdatedAt = p.obs.updatedAt[p.plan.EndpointID]
		if event.LastStatusCode != nil {
			code := int32(min(max(*event.LastStatusCode, 0), 999))
			verdict.LastStatusCode = &code
		}
		return &verdict
	}
	if e.err != nil || !e.complete {
		return p.disabledSince(v1alpha1.ReasonUnknown)
	}
	return p.disabledSince(v1alpha1.ReasonDisabledManually)
}

// isBaseline tells whether the endpoint is just being resumed: what is exhausted by now is its past.
func (p *planner) isBaseline() bool {
	if p.res.Observes() {
		return p.res.Status.Endpoint == nil
	}
	return p.plan.EndpointID != p.res.Status.EndpointID
}

// isBaselineDue tells whether the resource was suspended: what was exhausted meanwhile was not seen, and explains nothing.
func isBaselineDue(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return res.Status.Reenable != nil && res.Status.Reenable.BaselineDue
}

// accountedFor tells whether an event explained an earlier disable.
func accountedFor(r *v1alpha1.ReenableStatus, event medblocks.EventRecord) bool {
	if r == nil {
		return false
	}
	return slices.Contains(r.AccountedEvents, event.ID) ||
		(r.AccountedBefore != nil && event.CreatedAt.Before(r.AccountedBefore.Time))
}

// provesDisable tells whether an event explains a disable. One that was redelivered has had more attempts than Medblocks makes of itself:
// it proves something only if it is old enough for all of those.
func provesDisable(r *v1alpha1.ReenableStatus, event medblocks.EventRecord, now time.Time) bool {
	early := event.LastRedeliveredAt != nil && event.CreatedAt.Add(medblocks.Schedule()).After(now)
	return event.Attempts >= medblocks.MaxAttempts && !early && !accountedFor(r, event)
}

// accountForAll comes before an endpoint is enabled: where the events could not be read to their end, all that exists by now is
// the past.
func accountForAll(r *v1alpha1.ReenableStatus, e *evidence, now metav1.Time) *v1alpha1.ReenableStatus {
	r = accountFor(r, e)
	if e == nil || e.complete {
		return r
	}
	result := &v1alpha1.ReenableStatus{}
	if r != nil {
		result = r.DeepCopy()
	}
	before := seconds(now.Add(time.Second)) // others may have been created in the same one
	result.AccountedBefore = &before
	return result
}

func laterOf(known *metav1.Time, other metav1.Time) *metav1.Time {
	if known != nil && known.After(other.Time) {
		return known
	}
	return &other
}

// accountFor adds the exhausted events to those that explained an earlier disable. The list is bounded; what is older than
// the oldest on a full list counts as accounted for, because a disable that is wrongly taken for a person's does less
// harm than one that is wrongly undone.
func accountFor(r *v1alpha1.ReenableStatus, e *evidence) *v1alpha1.ReenableStatus {
	if e == nil || len(e.exhausted) == 0 {
		return r
	}
	result := &v1alpha1.ReenableStatus{}
	if r != nil {
		result = r.DeepCopy()
	}
	known := result.AccountedEvents
	result.AccountedEvents = nil
	for i, event := range e.exhausted {
		if i == maxAccounted {
			// The next second: others may have been created in the same one.
			before := seconds(e.exhausted[maxAccounted-1].CreatedAt.Add(time.Second))
			result.AccountedBefore = laterOf(result.AccountedBefore, before)
			break
		}
		if !slices.Contains(result.AccountedEvents, event.ID) { // pages may overlap
			result.AccountedEvents = append(result.AccountedEvents, event.ID)
		}
	}
	// Remembered events that Medblocks no longer lists can explain nothing any more, unless the list was cut off.
	for _, id := range known {
		if (e.err != nil || !e.complete) && len(result.AccountedEvents) < maxAccounted && !slices.Contains(result.AccountedEvents, id) {
			result.AccountedEvents = append(result.AccountedEvents, id)
		}
	}
	return result
}

// enable first records the events that are exhausted by now, so that they explain no later disable. An attempt of the policy has
// done so.
func (p *planner) enable(target *medblocks.Endpoint, why trigger) {
	was := p.res.Status.Reenable
	if why != triggerPolicy && !equality.Semantic.DeepEqual(was, accountForAll(was, p.obs.evidence, seconds(p.now))) {
		p.add(step{Action: actionRecordEvents, EndpointID: target.ID})
	}
	on := medblocks.EndpointStatusActive
	p.add(step{Action: actionEnable, Trigger: why, EndpointID: target.ID, Update: &medblocks.UpdateEndpointRequest{Status: &on}})
}
