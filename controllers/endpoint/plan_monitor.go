// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// monitor has the endpoint's events looked at now and then (deliveryMonitoring): one call, which may wait until nobody else stands in
// line for the account. To an endpoint that is disabled nothing is delivered.
func (p *planner) monitor(target *medblocks.Endpoint) {
	if p.res.MonitoringInterval() == 0 || target.Status != medblocks.EndpointStatusActive {
		return
	}
	switch {
	case p.obs.deliveries != nil || p.now.Before(p.obs.monitorDue):
		p.plan.wakeAt(p.obs.monitorDue)
	case p.now.Before(p.obs.turn.At):
		p.plan.wakeAt(p.obs.turn.At)
	default:
		p.plan.Needs.deliveries = &deliveriesQuery{endpointID: target.ID, undelivered: !isRotationUnproven(p.res.Status.SigningSecret)}
	}
}

// isRotationUnproven tells whether it is not known yet that the receiver accepts the secret of the last rotation. Then deliveries that
// succeeded are looked for too, and so all events are listed.
func isRotationUnproven(s *v1alpha1.SigningSecretStatus) bool {
	return s != nil && (s.Deliveries == v1alpha1.DeliveriesAwaited || s.Deliveries == v1alpha1.DeliveriesRefused)
}
