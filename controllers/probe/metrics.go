// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// metric makes metrics that the manager serves.
var metric = promauto.With(metrics.Registry)

var probes = metric.NewCounterVec(prometheus.CounterOpts{
	Name: "medblocks_webhook_operator_receiver_probes_total",
	Help: "Probes of receivers, by outcome: healthy (the status was as expected) or unhealthy.",
}, []string{"outcome"})

const (
	outcomeHealthy   = "healthy"
	outcomeUnhealthy = "unhealthy"
)

func count(ended outcome) {
	label := outcomeUnhealthy
	if ended.expected {
		label = outcomeHealthy
	}
	probes.WithLabelValues(label).Inc()
}
