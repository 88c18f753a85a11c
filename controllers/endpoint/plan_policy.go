// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"hash/fnv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// budgetUsedUp says what to do then.
const budgetUsedUp = "the attempts that reenablePolicy allows in its window are used up: repair the receiver, then annotate this resource with " + v1alpha1.AnnotationReenableRequestedAt

// applyPolicy re-enables what the vendor disabled, within the budget. An attempt is recorded before it is made.
func (p *planner) applyPolicy(target *medblocks.Endpoint) {
	policy := p.res.Spec.ReenablePolicy
	if policy.ModeOrDefault() == v1alpha1.ReenableNever {
		p.stop(p.autoDisabled(stalled, "reenablePolicy.mode is Never: repair the receiver, then enable the endpoint with the annotation "+v1alpha1.AnnotationReenableRequestedAt))
		return
	}
	attempts := p.recentAttempts()
	if len(attempts) >= policy.MaxAttemptsOrDefault() {
		h := p.autoDisabled(stalled, budgetUsedUp)
		h.Wake = attempts[0].Add(policy.WindowOrDefault())
		p.stop(h)
		return
	}
	due := p.attemptDue(attempts, p.plan.Disabled.Since.Time)
	if p.now.Before(due) {
		next := seconds(due)
		p.plan.NextAttempt = &next
		h := p.autoDisabled(working, "it is re-enabled at the time in status.reenable.nextAttempt")
		h.Wake = due
		p.stop(h)
		return
	}
	if policy.ModeOrDefault() == v1alpha1.ReenableWhenHealthy && !p.isHealthy() || !p.gatherEvidence(target.ID) {
		return
	}
	p.add(step{Action: actionRecordAttempt, EndpointID: target.ID, Disabled: p.plan.Disabled})
	p.enable(target, triggerPolicy)
}

func (p *planner) autoDisabled(who progress, next string) *hold {
	h := stalledHold(v1alpha1.ConditionEnabled, v1alpha1.ReasonAutoDisabled,
		"Medblocks disabled the endpoint after %d failed attempts to deliver an event (%s); %s", medblocks.MaxAttempts, lastAnswer(p.plan.Disabled), next)
	h.Progress = who
	return h
}

// recentAttempts are the attempts within the rolling window, oldest first.
func (p *planner) recentAttempts() []metav1.Time {
	return attemptsSince(p.res.Status.Reenable, p.now.Add(-p.res.Spec.ReenablePolicy.WindowOrDefault()))
}

func attemptsSince(r *v1alpha1.ReenableStatus, start time.Time) []metav1.Time {
	if r == nil {
		return nil
	}
	var recent []metav1.Time
	for _, attempt := range r.Attempts {
		if attempt.After(start) {
			recent = append(recent, attempt)
		}
	}
	return recent
}

// attemptDue is when the next attempt may be made: the initial delay after the last one or, if that is later, after what it is to mend,
// doubled with every attempt in the window.
func (p *planner) attemptDue(attempts []metav1.Time, from time.Time) time.Time {
	if n := len(attempts); n > 0 && attempts[n-1].After(from) {
		from = attempts[n-1].Time
	}
	initial, longest := p.res.Spec.ReenablePolicy.BackoffOrDefault()
	delay := initial
	for range attempts {
		if delay *= 2; delay >= longest {
			break
		}
	}
	delay = min(delay, longest)
	return from.Add(delay + spread(delay/10, string(p.res.UID), from.String()))
}

// spread is a part of a duration that is random among resources and times, and always the same for one: endpoints that were disabled
// together, because they share a receiver, must not come back at the same moment.
func spread(most time.Duration, what ...string) time.Duration {
	hash := fnv.New32a()
	for _, part := range what {
		_, _ = hash.Write([]byte(part))
	}
	return time.Duration(float64(most) * float64(hash.Sum32()) / (1 << 32))
}

// isHealthy tells whether the receiver is, and has it probed until it is and the endpoint is active again.
func (p *planner) isHealthy() bool {
	target := probeTarget(p.res)
	p.plan.Probe = &target
	if p.obs.probe.Healthy {
		return true
	}
	last := "it has not been probed yet"
	if p.obs.probe.Last != "" {
		last = "when last probed, " + p.obs.probe.Last
	}
	p.stop(p.autoDisabled(working, "it is re-enabled once the receiver is healthy: "+last))
	return false
}
