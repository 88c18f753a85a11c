// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/redelivery"
)

// redeliver has the events that an endpoint has missed redelivered once it is active again, where the policy says so. The courier does
// it; here it is decided when a try begins, and what becomes of one that ended early. That counts as a failed attempt, and is repeated
// after the same backoff and within the same budget as an attempt to re-enable.
func (p *planner) redeliver() {
	p.plan.Redelivery = nil
	if !p.res.Spec.ReenablePolicy.Redelivers() || p.isBaseline() {
		return
	}
	is := p.res.Status.Redelivery.DeepCopy()
	switch {
	case p.res.Status.Disabled != nil:
		is = &v1alpha1.RedeliveryStatus{StartedAt: seconds(p.now), BegunAt: seconds(p.now), State: v1alpha1.RedeliveryRunning}
	case is == nil:
		return
	case is.State == v1alpha1.RedeliveryRunning:
		p.followCourier(is)
	case is.State == v1alpha1.RedeliveryCompleted:
	case reenableRequested(p.res):
		beginTry(is, seconds(p.now))
	default:
		p.tryAgain(is)
	}
	p.plan.Redelivery = is
	if is.State == v1alpha1.RedeliveryRunning {
		p.plan.Job = p.jobOf(is)
	}
}

// followCourier takes over how far the courier has come.
func (p *planner) followCourier(is *v1alpha1.RedeliveryStatus) {
	g := p.obs.courier
	if g == nil {
		return
	}
	is.Pending, is.Delivered, is.Failed = bounded(g.Pending), bounded(g.Delivered), bounded(g.Failed)
	is.Cursor = g.Cursor
	if g.Canary != "" { // else the one that failed before is still to be avoided
		is.Canary = g.Canary
	}
	switch g.State {
	case redelivery.Completed:
		is.State = v1alpha1.RedeliveryCompleted
	case redelivery.Stopped:
		next := seconds(p.attemptDue(p.recentAttempts(), p.now))
		is.State, is.NextTry = v1alpha1.RedeliveryWaiting, &next
		p.awaitTry(is)
	}
}

func bounded(count int) int32 { return int32(min(max(count, 0), 1<<30)) }

// tryAgain begins the next try when it is due. It is recorded before it is made, as an attempt to re-enable is.
func (p *planner) tryAgain(is *v1alpha1.RedeliveryStatus) {
	switch {
	case p.awaitTry(is):
	case !p.obs.isLive(p.plan.EndpointID):
		p.plan.Needs.endpoints = []string{p.plan.EndpointID} // a list may not show yet that it is disabled again
	default:
		p.add(step{Action: actionRecordTry, EndpointID: p.plan.EndpointID})
	}
}

// awaitTry tells whether the next try has to wait: for its time or, where the budget is used up, until the oldest attempt leaves the
// window.
func (p *planner) awaitTry(is *v1alpha1.RedeliveryStatus) bool {
	policy := p.res.Spec.ReenablePolicy
	if attempts := p.recentAttempts(); len(attempts) >= policy.MaxAttemptsOrDefault() {
		next := seconds(attempts[0].Add(policy.WindowOrDefault()))
		is.State, is.NextTry = v1alpha1.RedeliveryStopped, &next
		p.plan.wakeAt(next.Time)
		return true
	}
	if is.State == v1alpha1.RedeliveryStopped || is.NextTry == nil || !p.now.Before(is.NextTry.Time) {
		return false
	}
	p.plan.wakeAt(is.NextTry.Time)
	return true
}

// beginTry keeps the canary that failed: the next one is another event, where there is one.
func beginTry(is *v1alpha1.RedeliveryStatus, now metav1.Time) {
	if !now.After(is.BegunAt.Time) {
		now = metav1.NewTime(is.BegunAt.Add(time.Second)) // it names the try
	}
	is.State, is.BegunAt, is.NextTry, is.Cursor, is.Failed = v1alpha1.RedeliveryRunning, now, nil, "", 0
}

// jobOf is what is left to do. Where the try has come as far as a first event, its canary was accepted.
func (p *planner) jobOf(is *v1alpha1.RedeliveryStatus) *redelivery.Job {
	policy := p.res.Spec.ReenablePolicy
	job := &redelivery.Job{
		EndpointID: p.plan.EndpointID, Begun: is.BegunAt.Time,
		From: is.StartedAt.Add(-policy.RedeliveryMaxAgeOrDefault()), Before: is.StartedAt.Add(time.Second), // it is cut to seconds
		Limit: policy.RedeliveryMaxEventsOrDefault(), Delivered: int(is.Delivered), Failed: int(is.Failed), Resumed: is.Cursor != "", Cursor: is.Cursor,
	}
	if !job.Resumed {
		job.Avoid = is.Canary
	}
	return job
}
