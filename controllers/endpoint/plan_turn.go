// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"time"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// longestSilence is how long a resource of which nothing was said yet waits without a word for what Medblocks has asked for: the
// status would be written twice for nothing.
const longestSilence = time.Minute

// waitInLine makes no call to Medblocks before it is the resource's turn. What concerns Kubernetes alone is done all the same.
func (p *planner) waitInLine() {
	turn := p.obs.turn
	if !p.now.Before(turn.At) {
		return
	}
	if steps, reads := p.drop(action.atMedblocks), p.dropReads(); !steps && !reads {
		return
	}
	h := transient(v1alpha1.ReasonPending, "waiting for this resource's turn: others that use the same API key came first, and --api-qps bounds their calls")
	if turn.Asked {
		_, h = classify(&account.PausedError{Until: turn.At}, p.now)
	}
	h.Wake = turn.At
	h.Quiet = p.isUnsaid() && (!turn.Asked || turn.At.Sub(p.now) <= longestSilence)
	p.plan.InLine = true
	p.stop(h)
}

// dropReads leaves out what is to be read from Medblocks, and with it the steps, which mean nothing without; unless the reconcile has
// begun to read or write there already.
func (p *planner) dropReads() bool {
	n := &p.plan.Needs
	if len(p.obs.live) > 0 || (len(n.endpoints) == 0 && n.evidence == "" && n.deliveries == nil) {
		return false
	}
	p.plan.Needs, p.plan.Steps = needs{}, nil
	return true
}

// isUnsaid tells whether the status says nothing about this generation yet, and nothing is known that it should.
func (p *planner) isUnsaid() bool {
	return p.res.Status.ObservedGeneration != p.res.Generation && len(p.obs.live) == 0 && len(p.plan.Holds) == 0
}
