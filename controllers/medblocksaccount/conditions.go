// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocksaccount

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// As for resources: GitOps tools and External Secrets create things in any order.
const (
	credentialsGrace = 5 * time.Minute
	credentialsRetry = 15 * time.Second
)

// verdict is what Ready, Reconciling and Stalled say.
type verdict struct {
	ready           bool
	reason, message string
	// stalled: only a change from outside can help; else the operator goes on by itself.
	stalled bool
	// keepReady: the fault says nothing about the key, so that a Ready account stays Ready.
	keepReady bool
}

// judge derives the verdict from the observation alone. Messages are stable, and carry the next step.
func judge(obs *observation) verdict {
	var missing *account.CredentialsError
	switch {
	case errors.As(obs.credentials, &missing) && missing.WrongEnvironment:
		return verdict{reason: v1alpha1.ReasonWrongEnvironment, message: missing.Message, stalled: true}
	case obs.credentials != nil:
		return verdict{reason: v1alpha1.ReasonCredentialsUnavailable, message: obs.credentials.Error()}
	case medblocks.IsForbidden(obs.refused):
		return verdict{reason: v1alpha1.ReasonForbidden, message: "Medblocks does not allow the API key to list webhook endpoints (403): give it access to webhook endpoints, or use another key", stalled: true}
	case obs.refused != nil:
		return verdict{reason: v1alpha1.ReasonInvalidAPIKey, message: "Medblocks refuses the API key (401): put a valid key into the Secret of spec.apiKeySecretRef; it is picked up by itself", stalled: true}
	case medblocks.IsRateLimited(obs.listError):
		return verdict{reason: v1alpha1.ReasonRateLimited, message: "Medblocks asked this account to slow down (429); the operator waits as long as it asked to", keepReady: true}
	case obs.listError != nil:
		return verdict{reason: v1alpha1.ReasonAPIUnavailable, message: "the endpoints of the workspace cannot be listed; the operator tries again", keepReady: true}
	case obs.listedAt.IsZero():
		return verdict{reason: v1alpha1.ReasonPending, message: "waiting for the first list of the workspace's endpoints", keepReady: true}
	}
	return verdict{ready: true, reason: v1alpha1.ReasonAccepted, message: "Medblocks accepts the API key"}
}

// conditions are computed anew each time.
func (p *plan) conditions(acct *v1alpha1.MedblocksAccount, obs *observation, now time.Time) {
	v, was := judge(obs), meta.FindStatusCondition(acct.Status.Conditions, v1alpha1.ConditionReady)
	wasReady := meta.IsStatusConditionTrue(acct.Status.Conditions, v1alpha1.ConditionReady)
	if v.reason == v1alpha1.ReasonPending && wasReady && was.ObservedGeneration == acct.Generation {
		return // after a start; the list says whether anything has changed
	}
	v.stalled = p.waitsInVain(v, was, now) || v.stalled
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v.reason, Message: v.message}
	switch {
	case v.ready:
		ready.Status = metav1.ConditionTrue
	case v.keepReady && wasReady:
		ready = *was
	case was != nil && was.Reason != v.reason: // the grace counts from here
		meta.RemoveStatusCondition(&p.Status.Conditions, v1alpha1.ConditionReady)
	}
	p.set(ready, acct.Generation, now)
	p.setWhile(v1alpha1.ConditionReconciling, !v.ready && !v.stalled, v, acct.Generation, now)
	p.setWhile(v1alpha1.ConditionStalled, !v.ready && v.stalled, v, acct.Generation, now)
}

func (p *plan) set(c metav1.Condition, generation int64, now time.Time) {
	c.ObservedGeneration, c.LastTransitionTime = generation, seconds(now)
	meta.SetStatusCondition(&p.Status.Conditions, c)
}

// setWhile has a condition present only while it is True.
func (p *plan) setWhile(condition string, present bool, v verdict, generation int64, now time.Time) {
	if !present {
		meta.RemoveStatusCondition(&p.Status.Conditions, condition)
		return
	}
	p.set(metav1.Condition{Type: condition, Status: metav1.ConditionTrue, Reason: v.reason, Message: v.message}, generation, now)
}

// waitsInVain looks at the Secret again, which is not watched, and tells whether a person has to help.
func (p *plan) waitsInVain(v verdict, was *metav1.Condition, now time.Time) bool {
	switch v.reason {
	case v1alpha1.ReasonCredentialsUnavailable:
		return p.patience(was, now)
	case v1alpha1.ReasonWrongEnvironment:
		p.wakeAt(now.Add(4 * credentialsRetry))
		return true
	}
	return false
}

// patience tells whether a missing key has been missing for so long that a person has to help.
func (p *plan) patience(was *metav1.Condition, now time.Time) (lost bool) {
	since := now
	if was != nil && was.Reason == v1alpha1.ReasonCredentialsUnavailable && was.Status == metav1.ConditionFalse {
		since = was.LastTransitionTime.Time
	}
	if lost = now.Sub(since) >= credentialsGrace; lost {
		p.wakeAt(now.Add(4 * credentialsRetry))
	} else {
		p.wakeAt(now.Add(credentialsRetry))
	}
	return lost
}
