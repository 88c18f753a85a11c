// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// thisCache says whose view a metric is: a replica that waits for the lease has the same resources in its cache.
const thisCache = " As this process' cache has it, whether it is the leader or not."

// What the resources' status says. It is read from the cache at scrape time, so that no series outlives its resource.
var (
	endpointEnabled = prometheus.NewDesc("medblocks_webhook_operator_endpoint_enabled",
		"1 if the resource's endpoint is active at Medblocks, 0 if it is not; no series before it is registered."+thisCache,
		[]string{"namespace", "name"}, nil)
	endpointDisabledBySpec = prometheus.NewDesc("medblocks_webhook_operator_endpoint_disabled_by_spec",
		"1 while the resource's spec.state is Disabled; no series otherwise."+thisCache,
		[]string{"namespace", "name"}, nil)
	endpointDeliveriesHealthy = prometheus.NewDesc("medblocks_webhook_operator_endpoint_deliveries_healthy",
		"The resource's condition DeliveriesHealthy: 1 if it is True, 0 if it is False; no series while it is unknown or not asked for."+thisCache,
		[]string{"namespace", "name"}, nil)
	endpointReenableExhausted = prometheus.NewDesc("medblocks_webhook_operator_endpoint_reenable_exhausted",
		"1 while the attempts of the resource's reenablePolicy are used up and its endpoint, or what that has missed, still needs one; no series otherwise."+thisCache,
		[]string{"namespace", "name"}, nil)
	endpointStalled = prometheus.NewDesc("medblocks_webhook_operator_endpoint_stalled",
		"1 while the resource is Stalled, with the reason of that: only a change from outside can help; no series otherwise."+thisCache,
		[]string{"namespace", "name", "reason"}, nil)
	endpointsByStatus = prometheus.NewDesc("medblocks_webhook_operator_endpoints",
		"Resources by the status of their endpoint at Medblocks: active, disabled, or unknown (not registered, or nothing was seen yet)."+thisCache,
		[]string{"status"}, nil)
	endpointsByReady = prometheus.NewDesc("medblocks_webhook_operator_endpoints_ready",
		"Resources by status and reason of their condition Ready."+thisCache,
		[]string{"status", "reason"}, nil)
)

// collectTimeout bounds how long a scrape waits for a cache that is not filled yet.
const collectTimeout = 5 * time.Second

// Collector shows the resources in a cache as metrics.
type Collector struct {
	// Cache is only read.
	Cache client.Reader
}

var _ prometheus.Collector = (*Collector)(nil)

// Describe names the metrics of the resources (prometheus.Collector).
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		endpointEnabled, endpointDisabledBySpec, endpointDeliveriesHealthy, endpointReenableExhausted, endpointStalled,
		endpointsByStatus, endpointsByReady,
	} {
		descs <- desc
	}
}

// statusUnknown counts the resources of whose endpoint nothing is known.
const statusUnknown = "unknown"

// Collect reads the resources (prometheus.Collector). A cache that is not filled yet has nothing to show, which is no reason to fail
// the whole scrape.
func (c *Collector) Collect(values chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTimeout)
	defer cancel()
	var list v1alpha1.MedblocksWebhookEndpointList
	if err := c.Cache.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil { // 10,000 copies at every scrape would be waste
		return
	}
	statuses := map[string]int{string(medblocks.EndpointStatusActive): 0, string(medblocks.EndpointStatusDisabled): 0, statusUnknown: 0}
	ready := map[readiness]int{}
	var gauge gauges = func(desc *prometheus.Desc, value float64, labels ...string) {
		values <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for i := range list.Items {
		res := &list.Items[i]
		statuses[statusOf(res)]++
		ready[readinessOf(res)]++
		gauge.resource(res)
	}
	for status, count := range statuses {
		gauge(endpointsByStatus, float64(count), status)
	}
	for is, count := range ready {
		gauge(endpointsByReady, float64(count), is.status, is.reason)
	}
}

// gauges shows one value of a metric.
type gauges func(desc *prometheus.Desc, value float64, labels ...string)

// resource shows what is about a single resource. What applies to few has a series only where it applies.
func (gauge gauges) resource(res *v1alpha1.MedblocksWebhookEndpoint) {
	if status := statusOf(res); status != statusUnknown {
		gauge(endpointEnabled, oneIf(status == string(medblocks.EndpointStatusActive)), res.Namespace, res.Name)
	}
	if res.WantsDisabled() {
		gauge(endpointDisabledBySpec, 1, res.Namespace, res.Name)
	}
	if is := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionDeliveriesHealthy); is != nil && is.Status != metav1.ConditionUnknown {
		gauge(endpointDeliveriesHealthy, oneIf(is.Status == metav1.ConditionTrue), res.Namespace, res.Name)
	}
	if is := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionStalled); is != nil {
		gauge(endpointStalled, 1, res.Namespace, res.Name, is.Reason)
	}
	if isReenableExhausted(res) {
		gauge(endpointReenableExhausted, 1, res.Namespace, res.Name)
	}
}

// isReenableExhausted tells whether the policy would act and may not: a disable by Medblocks stalls a resource with a policy only when
// the attempts are used up, and they also bound the tries of a redelivery.
func isReenableExhausted(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	if res.WantsDisabled() || res.Spec.ReenablePolicy.ModeOrDefault() == v1alpha1.ReenableNever {
		return false
	}
	if is := res.Status.Redelivery; is != nil && is.State == v1alpha1.RedeliveryStopped {
		return true
	}
	is := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionStalled)
	return is != nil && is.Reason == v1alpha1.ReasonAutoDisabled
}

// statusOf is the endpoint's status as last seen. One that is not in Medblocks' documentation must not become a label.
func statusOf(res *v1alpha1.MedblocksWebhookEndpoint) string {
	if res.Status.Endpoint != nil {
		switch status := medblocks.EndpointStatus(res.Status.Endpoint.Status); status {
		case medblocks.EndpointStatusActive, medblocks.EndpointStatusDisabled:
			return string(status)
		default:
		}
	}
	return statusUnknown
}

type readiness struct {
	status, reason string
}

// readinessOf is Unknown and Pending for a resource that was not reconciled yet.
func readinessOf(res *v1alpha1.MedblocksWebhookEndpoint) readiness {
	is := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionReady)
	if is == nil {
		return readiness{status: string(metav1.ConditionUnknown), reason: v1alpha1.ReasonPending}
	}
	return readiness{status: string(is.Status), reason: is.Reason}
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
