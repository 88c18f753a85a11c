// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// shelf stands in for the cache: an index of objects, of which lists take shallow copies as the cache's reader does.
type shelf struct {
	client.Reader
	objects toolscache.Indexer
	err     error
}

func (s *shelf) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	var options client.ListOptions
	options.ApplyOptions(opts)
	if s.err != nil {
		return s.err
	}
	if options.UnsafeDisableDeepCopy == nil || !*options.UnsafeDisableDeepCopy {
		return errors.New("the cache would copy every object")
	}
	list := into.(*v1alpha1.MedblocksWebhookEndpointList)
	list.Items = make([]v1alpha1.MedblocksWebhookEndpoint, 0, len(s.objects.ListKeys()))
	for _, object := range s.objects.List() {
		list.Items = append(list.Items, *object.(*v1alpha1.MedblocksWebhookEndpoint))
	}
	return nil
}

func newShelf(resources ...*v1alpha1.MedblocksWebhookEndpoint) *shelf {
	objects := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, toolscache.Indexers{})
	for _, res := range resources {
		if err := objects.Add(res); err != nil {
			panic(err)
		}
	}
	return &shelf{objects: objects}
}

// seen is a resource whose endpoint was seen with that status (empty: not seen), and whose Ready has that status and reason.
func seen(name, status string, ready metav1.ConditionStatus, reason string) *v1alpha1.MedblocksWebhookEndpoint {
	res := &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	if status != "" {
		res.Status.Endpoint = &v1alpha1.ObservedEndpoint{Status: status}
	}
	if ready != "" {
		res.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: ready, Reason: reason}}
	}
	return res
}

// values are the series that a collector shows, by name and label values.
func values(g Gomega, collector prometheus.Collector) map[string]float64 {
	gatherer := prometheus.NewPedanticRegistry()
	g.Expect(gatherer.Register(collector)).To(Succeed())
	families, err := gatherer.Gather()
	g.Expect(err).NotTo(HaveOccurred())
	all := map[string]float64{}
	for _, family := range families {
		for _, series := range family.GetMetric() {
			name := family.GetName()[len("medblocks_webhook_operator_"):]
			for _, label := range series.GetLabel() {
				name += " " + label.GetValue()
			}
			all[name] = series.GetGauge().GetValue()
		}
	}
	return all
}

func TestMetricsShowEachResourceInTheCache(t *testing.T) {
	g := NewWithT(t)
	wanted := seen("wanted-off", "disabled", metav1.ConditionTrue, v1alpha1.ReasonRegistered)
	wanted.Spec.State = v1alpha1.StateDisabled
	cache := newShelf(
		seen("well", "active", metav1.ConditionTrue, v1alpha1.ReasonRegistered),
		seen("failed", "disabled", metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled),
		seen("refused", "", metav1.ConditionFalse, v1alpha1.ReasonInvalidAPIKey),
		seen("odd", "hibernating", metav1.ConditionTrue, v1alpha1.ReasonRegistered),
		seen("new", "", "", ""),
		wanted,
	)
	g.Expect(values(g, &Collector{Cache: cache})).To(Equal(map[string]float64{
		"endpoint_enabled well shop": 1, "endpoint_enabled failed shop": 0, "endpoint_enabled wanted-off shop": 0,
		"endpoint_disabled_by_spec wanted-off shop": 1,
		"endpoints active":                          1, "endpoints disabled": 2, "endpoints unknown": 3,
		"endpoints_ready Registered True": 3, "endpoints_ready AutoDisabled False": 1, "endpoints_ready InvalidAPIKey False": 1,
		"endpoints_ready Pending Unknown": 1,
	}))
	g.Expect(cache.objects.Delete(wanted)).To(Succeed())
	g.Expect(values(g, &Collector{Cache: cache})).NotTo(HaveKey(ContainSubstring("wanted-off")), "no series outlives its object")
}

func TestMetricsShowWhatAResourceNeedsHelpWith(t *testing.T) {
	g := NewWithT(t)
	with := func(name, condition string, status metav1.ConditionStatus, reason string, changes ...func(*v1alpha1.MedblocksWebhookEndpoint)) *v1alpha1.MedblocksWebhookEndpoint {
		res := seen(name, "", "", "")
		res.Status.Conditions = []metav1.Condition{{Type: condition, Status: status, Reason: reason}}
		for _, change := range changes {
			change(res)
		}
		return res
	}
	policy := func(mode v1alpha1.ReenableMode) func(*v1alpha1.MedblocksWebhookEndpoint) {
		return func(res *v1alpha1.MedblocksWebhookEndpoint) {
			res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: mode}
		}
	}
	redelivery := func(state string) func(*v1alpha1.MedblocksWebhookEndpoint) {
		return func(res *v1alpha1.MedblocksWebhookEndpoint) {
			res.Status.Redelivery = &v1alpha1.RedeliveryStatus{State: state}
		}
	}
	off := func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.State = v1alpha1.StateDisabled }
	const healthy, stalled, reconciling = v1alpha1.ConditionDeliveriesHealthy, v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling
	cache := newShelf(
		with("delivering", healthy, metav1.ConditionTrue, v1alpha1.ReasonDelivering),
		with("failing", healthy, metav1.ConditionFalse, v1alpha1.ReasonDeliveriesFailing),
		with("not-looked-at", healthy, metav1.ConditionUnknown, v1alpha1.ReasonPending),
		with("refused", stalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidAPIKey, policy(v1alpha1.ReenableAlways)),
		with("left-alone", stalled, metav1.ConditionTrue, v1alpha1.ReasonAutoDisabled, policy(v1alpha1.ReenableNever)),
		with("no-policy", stalled, metav1.ConditionTrue, v1alpha1.ReasonAutoDisabled),
		with("waiting", reconciling, metav1.ConditionTrue, v1alpha1.ReasonAutoDisabled, policy(v1alpha1.ReenableAlways)),
		with("exhausted", stalled, metav1.ConditionTrue, v1alpha1.ReasonAutoDisabled, policy(v1alpha1.ReenableWhenHealthy)),
		with("stopped", v1alpha1.ConditionReady, "", "", policy(v1alpha1.ReenableAlways), redelivery(v1alpha1.RedeliveryStopped)),
		with("redelivered", v1alpha1.ConditionReady, "", "", policy(v1alpha1.ReenableAlways), redelivery(v1alpha1.RedeliveryCompleted)),
		with("stopped-and-off", v1alpha1.ConditionReady, "", "", policy(v1alpha1.ReenableAlways), redelivery(v1alpha1.RedeliveryStopped), off),
		with("stopped-without-policy", v1alpha1.ConditionReady, "", "", redelivery(v1alpha1.RedeliveryStopped)),
	)
	shown := values(g, &Collector{Cache: cache})
	for name := range shown {
		if strings.HasPrefix(name, "endpoints") { // the sums over all of them
			delete(shown, name)
		}
	}
	g.Expect(shown).To(Equal(map[string]float64{
		"endpoint_deliveries_healthy delivering shop": 1, "endpoint_deliveries_healthy failing shop": 0,
		"endpoint_stalled refused shop InvalidAPIKey":   1,
		"endpoint_stalled left-alone shop AutoDisabled": 1, "endpoint_stalled no-policy shop AutoDisabled": 1,
		"endpoint_stalled exhausted shop AutoDisabled": 1,
		"endpoint_reenable_exhausted exhausted shop":   1, "endpoint_reenable_exhausted stopped shop": 1,
		"endpoint_disabled_by_spec stopped-and-off shop": 1,
	}))
}

func TestACacheThatIsNotFilledYetShowsNothingAndFailsNoScrape(t *testing.T) {
	g := NewWithT(t)
	cache := newShelf(seen("well", "active", metav1.ConditionTrue, v1alpha1.ReasonRegistered))
	cache.err = errors.New("not started")
	g.Expect(values(g, &Collector{Cache: cache})).To(BeEmpty())
}

// BenchmarkScrapeOfTenThousandResources is what the resources' metrics cost at each scrape, up to the encoding.
func BenchmarkScrapeOfTenThousandResources(b *testing.B) {
	g := NewWithT(b)
	cache := newShelf()
	for i := range 10_000 {
		res := seen(fmt.Sprintf("endpoint-%d", i), "active", metav1.ConditionTrue, v1alpha1.ReasonRegistered)
		g.Expect(cache.objects.Add(res)).To(Succeed())
	}
	registry := prometheus.NewRegistry()
	g.Expect(registry.Register(&Collector{Cache: cache})).To(Succeed())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
