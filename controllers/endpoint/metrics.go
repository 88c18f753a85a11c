// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
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
	driftCorrected = metric.NewCounter(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_drift_corrected_total",
		Help: "Endpoints that somebody had changed at Medblocks and that were put back.",
	})
	reenables = metric.NewCounterVec(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_reenables_total",
		Help: "Disabled endpoints that were enabled again, by trigger: ReenablePolicy, ReenableRequested or Spec.",
	}, []string{"trigger"})
	secretsRecovered = metric.NewCounter(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_secrets_recovered_total",
		Help: "Signing Secrets that were lost or changed and were healed, by a rotation or from the Secret that spec.adopt names.",
	})
	duplicatesRemoved = metric.NewCounter(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_duplicates_removed_total",
		Help: "Endpoints that a registration whose answer was lost had left beside the one that is kept, and that were deleted.",
	})
	disablesNoticed = metric.NewCounterVec(prometheus.CounterOpts{
		Name: "medblocks_webhook_operator_disables_noticed_total",
		Help: "Endpoints that were found disabled although their spec wants them active, by the cause that was found at first.",
	}, []string{"cause"})
)

// countWrite counts what hints at trouble, among the writes to Medblocks that were made.
func countWrite(s step) {
	vendorWrites.WithLabelValues(string(s.Action), string(s.Trigger)).Inc()
	switch {
	case s.Trigger == triggerDrift:
		driftCorrected.Inc()
	case s.Action == actionEnable:
		reenables.WithLabelValues(string(s.Trigger)).Inc()
	case s.Action == actionRotate && s.Trigger == triggerLostSecret:
		secretsRecovered.Inc()
	case s.Action == actionDeleteDuplicate:
		duplicatesRemoved.Inc()
	}
}

// countDisable counts a disable that has just been recorded. An operator with --read-only counts nothing: it runs beside another one.
func (r *Reconciler) countDisable(was, is *v1alpha1.DisabledStatus) {
	if r.ReadOnly || was != nil || is == nil || is.Cause == v1alpha1.ReasonDisabledBySpec {
		return
	}
	disablesNoticed.WithLabelValues(is.Cause).Inc()
}
