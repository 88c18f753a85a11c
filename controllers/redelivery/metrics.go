// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// metric makes metrics that the manager serves.
var metric = promauto.With(metrics.Registry)

var redelivered = metric.NewCounterVec(prometheus.CounterOpts{
	Name: "medblocks_webhook_operator_redelivered_events_total",
	Help: "Events that Medblocks was asked to redeliver after a re-enable, by outcome: delivered or failed. One that fails and is sent again counts again.",
}, []string{"outcome"})
