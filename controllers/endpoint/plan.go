// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/probe"
	"github.com/medblocks/webhook-operator/controllers/redelivery"
)

// needs is what has to be observed before a plan may be carried out.
type needs struct {
	// endpoints to read from Medblocks: no vendor write without a live read just before.
	endpoints []string
	// secret: read the Secret from the API server, and prove by a dry run that it can be written.
	secret bool
	// source: read the user's Secret that the signing secret is copied from, after the Secret itself.
	source bool
	// rivals: find out which other resources claim the endpoint to adopt.
	rivals bool
	// evidence: read this endpoint's undelivered events.
	evidence string
	// deliveries: look at the endpoint's newest events; nil: no.
	deliveries *deliveriesQuery
	// namespace: find out whether the namespace is going.
	namespace bool
	// since: find out since when this has been seen.
	since string
}

func (n needs) any() bool {
	return len(n.endpoints) > 0 || n.secret || n.source || n.rivals || n.evidence != "" || n.deliveries != nil || n.namespace || n.since != ""
}

// plan is what to do, or what has to be known first, or why nothing can be done. It is data that can be printed.
type plan struct {
	// Needs: deepen the observation and plan again. Steps are meaningless until then.
	Needs needs
	Steps []step
	// Holds tell, per condition, what stands in the way.
	Holds []hold
	// EndpointID of the endpoint that the resource manages, as far as it is known.
	EndpointID string
	// Disabled and NextAttempt go into the status.
	Disabled    *v1alpha1.DisabledStatus
	NextAttempt *metav1.Time
	// Redelivery goes into the status too: how far the redelivery of what was missed has come; nil: there is none.
	Redelivery *v1alpha1.RedeliveryStatus
	// Probe is what has to be probed from now on, and Job what is to be redelivered; nil: nothing.
	Probe *probe.Target
	Job   *redelivery.Job
	// Wake is when something falls due; zero: nothing does.
	Wake time.Time
	// Done: a deletion has nothing left to do.
	Done bool
	// Postponed: it is another resource's turn.
	Postponed bool
	// InLine: the resource has to wait until it is its turn to call Medblocks.
	InLine bool
	// Fenced: the endpoint is somebody else's.
	Fenced bool
	// Proven is the endpoint's mark where the Secret holds the secret that goes with it.
	Proven string
	// Unfollowed: the user's Secret has another value than the copy, which cannot be changed for now.
	Unfollowed bool
	// Undressed: somebody else keeps changing the Secret's labels or annotations, which are left alone for now.
	Undressed bool
	// Released: a deletion finishes although the endpoint may live on; why.
	Released string
}

func (p *plan) hold(condition string) *hold {
	for i := range p.Holds {
		if p.Holds[i].Condition == condition {
			return &p.Holds[i]
		}
	}
	return nil
}

func (p *plan) wakeAt(t time.Time) {
	if !t.IsZero() && (p.Wake.IsZero() || t.Before(p.Wake)) {
		p.Wake = t
	}
}

// planner builds a plan. It has no client, no context and no clock: makePlan is a pure function.
type planner struct {
	res  *v1alpha1.MedblocksWebhookEndpoint
	obs  *observation
	now  time.Time
	want desired
	plan plan
}

func newPlanner(res *v1alpha1.MedblocksWebhookEndpoint, obs *observation, now time.Time) *planner {
	return &planner{
		res: res, obs: obs, now: now, want: desiredOf(res, obs.owner),
		plan: plan{Redelivery: res.Status.Redelivery}, // until it is known to be over
	}
}

// makePlan decides what a resource that is not being deleted needs. It reads its arguments and changes nothing.
func makePlan(res *v1alpha1.MedblocksWebhookEndpoint, obs *observation, now time.Time) plan {
	p := newPlanner(res, obs, now)
	switch {
	case !p.mayAct():
	case res.Observes():
		p.watch()
	default:
		if target := p.locate(); target != nil {
			p.converge(target)
		}
	}
	return p.finish()
}

func (p *planner) stop(h *hold) {
	p.plan.Holds = append(p.plan.Holds, *h)
	p.plan.wakeAt(h.Wake)
}

// waits tells whether that time is still to come, and if so waits for it.
func (p *planner) waits(until time.Time, h *hold) bool {
	if !p.now.Before(until) {
		return false
	}
	h.Wake = until
	p.stop(h)
	return true
}

// since is when something was first seen, in this life of the operator; the plan has to wait where that is not known yet.
func (p *planner) since(what string) (at time.Time, known bool) {
	at, known = p.obs.since[what]
	if !known {
		p.plan.Needs.since = what
	}
	return at, known
}

func (p *planner) add(s step) { p.plan.Steps = append(p.plan.Steps, s) }

func (p *planner) addFinalizer() {
	if !slices.Contains(p.res.Finalizers, v1alpha1.Finalizer) {
		p.add(step{Action: actionAddFinalizer})
	}
}

// finish drops what Medblocks has refused before, and asks for the live reads that the other steps need: no step is
// carried out on what a cache says.
func (p *planner) finish() plan {
	p.dropRefused()
	p.waitInLine()
	n := &p.plan.Needs
	for _, s := range p.plan.Steps {
		if s.Action.atMedblocks() && s.EndpointID != "" && !p.obs.isLive(s.EndpointID) && !slices.Contains(n.endpoints, s.EndpointID) {
			n.endpoints = append(n.endpoints, s.EndpointID)
		}
		if (s.Action == actionRegister || s.Action == actionMarkRotation || s.Action == actionAdopt) && !p.obs.secret.live {
			n.secret = true
		}
	}
	return p.plan
}

// converge brings the endpoint, its Secret and its status to what is wanted.
func (p *planner) converge(target *medblocks.Endpoint) {
	p.plan.EndpointID = target.ID
	p.addFinalizer()
	if reconcileRequested(p.res) && !p.obs.isLive(target.ID) {
		p.plan.Needs.endpoints = []string{target.ID}
	}
	p.duplicates(target)
	p.fields(target)
	p.secret(target)
	p.state(target)
	p.monitor(target)
}

// duplicates removes further endpoints that carry our owner mark: the fruit of a POST whose answer was lost.
func (p *planner) duplicates(target *medblocks.Endpoint) {
	for _, other := range p.obs.owned() {
		switch {
		case other.ID == target.ID:
		case p.res.Status.EndpointID != "" && p.foreign(other):
			p.stop(p.conflict(other))
		default:
			p.add(step{Action: actionDeleteDuplicate, Trigger: triggerDuplicate, EndpointID: other.ID})
		}
	}
}

// fields compares three ways. We must write when we want something else than we last asked for; somebody changed the
// endpoint when it differs from what Medblocks last answered. The vendor may normalise what it is sent: what merely
// differs from our wish, and always has, is left alone.
func (p *planner) fields(target *medblocks.Endpoint) {
	asked := sameVersion(p.obs.appliedHash) && p.want.hash() == p.obs.appliedHash
	drifted := projectionOf(target).hash() != p.obs.acceptedHash
	if asked && !drifted {
		return
	}
	update := p.want.diff(target)
	if update.IsEmpty() {
		return
	}
	s := step{Action: actionUpdate, Trigger: triggerSpec, EndpointID: target.ID, Update: &update}
	if asked {
		s.Trigger = triggerDrift
	}
	p.add(s)
}

// state makes the endpoint active or disabled as the spec says. An active endpoint that the spec wants disabled is
// disabled whoever enabled it; the other way round, the policy and a person's will count, see reenable.
func (p *planner) state(target *medblocks.Endpoint) {
	p.plan.Disabled = p.res.Status.Disabled
	switch {
	case target.Status == medblocks.EndpointStatusActive:
		p.active(target)
	case target.Status == medblocks.EndpointStatusDisabled && p.res.WantsDisabled():
		p.plan.Disabled, p.plan.Redelivery = p.disabledSince(v1alpha1.ReasonDisabledBySpec), nil
	case target.Status == medblocks.EndpointStatusDisabled:
		p.plan.Redelivery = nil
		p.reenable(target)
	default:
		h := workingHold(v1alpha1.ConditionEnabled, v1alpha1.ReasonUnknown, "Medblocks reports the status %q, which this version of the operator does not know", target.Status)
		h.Status = metav1.ConditionUnknown
		p.stop(h)
	}
}

// active is the state of an endpoint that accepts deliveries.
func (p *planner) active(target *medblocks.Endpoint) {
	switch {
	case p.res.WantsDisabled():
		p.disable(target)
	case isBaselineDue(p.res) && !p.baseline(target.ID):
		// What was exhausted while nobody looked explains no later disable.
	case p.res.Status.Disabled != nil && !p.obs.isLive(target.ID):
		p.plan.Needs.endpoints = []string{target.ID} // that it is active again is believed once it is read
	default:
		p.plan.Disabled = nil
		p.redeliver()
	}
}

// disable first records that it is the spec's wish: after a crash, nobody must take it for a person's.
func (p *planner) disable(target *medblocks.Endpoint) {
	p.plan.Disabled, p.plan.Redelivery = p.disabledSince(v1alpha1.ReasonDisabledBySpec), nil
	if was := p.res.Status.Disabled; was == nil || was.Cause != v1alpha1.ReasonDisabledBySpec {
		p.add(step{Action: actionRecordDisable, EndpointID: target.ID})
	}
	off := medblocks.EndpointStatusDisabled
	p.add(step{Action: actionDisable, Trigger: triggerSpec, EndpointID: target.ID, Update: &medblocks.UpdateEndpointRequest{Status: &off}})
}

// disabledSince keeps the time at which a disable with this cause was first noticed.
func (p *planner) disabledSince(cause string) *v1alpha1.DisabledStatus {
	if was := p.res.Status.Disabled; was != nil && (was.Cause == cause || was.Cause == v1alpha1.ReasonUnknown) {
		return &v1alpha1.DisabledStatus{Since: was.Since, Cause: cause, LastStatusCode: was.LastStatusCode, EndpointUpdatedAt: was.EndpointUpdatedAt}
	}
	return &v1alpha1.DisabledStatus{Since: seconds(p.now), Cause: cause}
}

// seconds is a time as Kubernetes stores it: a finer one would differ from itself after a round trip.
func seconds(t time.Time) metav1.Time {
	return metav1.NewTime(t.UTC().Truncate(time.Second))
}
