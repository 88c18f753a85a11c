// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	vendorWrites = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_writes_total",
		Help: "Writes to Medblocks, by action and trigger.",
	}, []string{"action", "trigger"})
	releasedDeletions = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_released_deletions_total",
		Help: "Resources that were deleted while their endpoint may live on at Medblocks.",
	})
)

func init() {
	metrics.Registry.MustRegister(vendorWrites, releasedDeletions)
}
