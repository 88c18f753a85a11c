// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// metric makes metrics that the manager serves.
var metric = promauto.With(metrics.Registry)

var (
	vendorCalls = metric.NewCounterVec(prometheus.CounterOpts{
		Name: "medblocks_api_requests_total",
		Help: "Calls to the Medblocks API, by operation and status code; code 0: no answer.",
	}, []string{"operation", "code"})
	vendorLatency = metric.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "medblocks_api_request_duration_seconds",
		Help:    "Time until the Medblocks API answered, by operation.",
		Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 10),
	}, []string{"operation"})
	sweepDuration = metric.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "medblocks_webhook_operator_sweep_duration_seconds",
		Help:    "Time that a complete list of an account's endpoints took, by kind: full, or disabled (the disabled endpoints only).",
		Buckets: prometheus.ExponentialBuckets(0.05, 3, 10), // up to 16 minutes: 10,000 endpoints are 100 calls
	}, []string{"kind"})
)

// ObserveCall counts a call to the Medblocks API; it is the Observer of the clients.
func ObserveCall(call medblocks.Call) {
	vendorCalls.WithLabelValues(string(call.Operation), strconv.Itoa(call.StatusCode)).Inc()
	vendorLatency.WithLabelValues(string(call.Operation)).Observe(call.Duration.Seconds())
}
