// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/probe"
	"github.com/medblocks/webhook-operator/controllers/redelivery"
)

// errands are what runs beside the reconciles of a model, in memory: a probe of its receiver, and a courier.
type errands struct {
	down    bool // the receiver
	probing bool
	job     *redelivery.Job
	// tries are the jobs that were begun, oldest first.
	tries []time.Time
}

func (m *model) observeErrands(obs *observation) {
	if m.errands.probing {
		obs.probe = probe.Result{Healthy: !m.errands.down, Last: "it answered"}
	}
	is, job := m.res.Status.Redelivery, m.errands.job
	if is == nil || job == nil || !job.Begun.Equal(is.BegunAt.Time) {
		return
	}
	obs.courier = &redelivery.Progress{State: redelivery.Completed, Delivered: 3, Cursor: "evt_b", Canary: "evt_c"}
	if m.errands.down {
		obs.courier = &redelivery.Progress{State: redelivery.Stopped, Pending: 3, Canary: "evt_c", Exhausted: []string{"evt_c"}}
	}
}

func (m *model) runErrands(p plan) {
	m.errands.probing, m.errands.job = p.Probe != nil, p.Job
	if p.Job != nil && !slices.ContainsFunc(m.errands.tries, p.Job.Begun.Equal) {
		m.errands.tries = append(m.errands.tries, p.Job.Begun)
	}
}

var errandHappenings = []happening{
	{"what Medblocks disables is to be enabled when its receiver is healthy, and redelivered", false, func(m *model) bool {
		m.res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
			Mode: v1alpha1.ReenableWhenHealthy, Redelivery: &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered},
		}
		return m.specChanged()
	}},
	{"the receiver goes down", true, func(m *model) bool { m.errands.down = true; return true }},
	{"the receiver is back", false, func(m *model) bool { m.errands.down = false; return true }},
	{"Medblocks disables the endpoint, whose receiver is watched", true, func(m *model) bool {
		m.res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
			Mode: v1alpha1.ReenableWhenHealthy, Redelivery: &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered},
		}
		return m.specChanged() && m.disableByVendor()
	}},
}
