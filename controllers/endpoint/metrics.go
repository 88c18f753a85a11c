// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// metric makes metrics that the manager serves.
var metric = promauto.With(metrics.Registry)

var (
	vendorWrites = metric.NewCounterVec(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_writes_total",
		Help: "Writes to Medblocks, by action and trigger.",
	}, []string{"action", "trigger"})
	releasedDeletions = metric.NewCounter(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_released_deletions_total",
		Help: "Resources that were deleted while their endpoint may live on at Medblocks.",
	})
	orphanedEndpoints = metric.NewGaugeVec(prometheus.GaugeOpts{
		Name: "medblocks_webhook_operator_orphaned_endpoints",
		Help: "Endpoints at Medblocks that carry the mark of a resource that does not exist, by the resource's namespace.",
	}, []string{"namespace"})
)
