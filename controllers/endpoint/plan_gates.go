// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// credentialsGrace is how long a missing key is taken for one that is about to arrive: GitOps tools and External
// Secrets create things in any order.
const (
	credentialsGrace = 5 * time.Minute
	credentialsRetry = 15 * time.Second
	// refusalGrace is how long a key has to be refused before a deletion that need not wait for it goes on without it.
	refusalGrace = time.Minute
)

// mayAct checks what must be right before anything is done.
func (p *planner) mayAct() bool {
	h := p.suspended()
	if h == nil {
		h = p.copiesItself()
	}
	if h == nil {
		h = notAllowed(p.res, p.obs.guardrails)
	}
	if h == nil && p.obs.credentials != nil {
		h = p.noCredentials()
	}
	if h == nil && p.obs.refused != nil {
		_, h = classify(p.obs.refused, p.now)
	}
	if h == nil {
		return true
	}
	p.stop(h)
	p.mirror()
	return false
}

// mirror shows what is known without doing anything about it.
func (p *planner) mirror() {
	p.plan.EndpointID = p.res.Status.EndpointID
	p.plan.Disabled = p.res.Status.Disabled
	if r := p.res.Status.Reenable; r != nil {
		p.plan.NextAttempt = r.NextAttempt
	}
}

func (p *planner) suspended() *hold {
	if !p.res.Spec.Suspend {
		return nil
	}
	return &hold{
		Condition: v1alpha1.ConditionSynced, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonSuspended,
		Message:  "spec.suspend is true: nothing is read from or written to Medblocks; set it to false to go on",
		Progress: resting, KeepReady: true,
	}
}

// noCredentials waits for the key for a while and then asks for help. A key of the wrong environment was put there by somebody:
// nothing is about to arrive.
func (p *planner) noCredentials() *hold {
	if isWrongEnvironment(p.obs.credentials) {
		h := stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonWrongEnvironment, "%s", p.obs.credentials.Error())
		h.Wake = p.now.Add(4 * credentialsRetry)
		return h
	}
	return p.patiently(workingHold(v1alpha1.ConditionSynced, v1alpha1.ReasonCredentialsUnavailable, "%s", p.obs.credentials.Error()))
}

func isWrongEnvironment(err error) bool {
	var credentials *account.CredentialsError
	return errors.As(err, &credentials) && credentials.WrongEnvironment
}

// patiently waits for a while for what people are about to create, and then asks for help. The grace is measured from the
// condition's own transition, the one clock that survives a restart.
func (p *planner) patiently(h *hold) *hold {
	since := p.now
	if c := meta.FindStatusCondition(p.res.Status.Conditions, h.Condition); c != nil && c.Reason == h.Reason && c.Status == metav1.ConditionFalse {
		since = c.LastTransitionTime.Time
	}
	h.Wake = p.now.Add(credentialsRetry)
	if p.now.Sub(since) >= credentialsGrace {
		h.Progress = stalled
		h.Wake = p.now.Add(4 * credentialsRetry)
	}
	return h
}
