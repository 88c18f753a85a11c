// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// series are what a scrape of this operator would show, by name (without the operator's prefix) and label values.
func (w *world) series() map[string]float64 {
	w.t.Helper()
	families, err := prometheus.Gatherers{metrics.Registry, w.collected}.Gather()
	w.Expect(err).NotTo(HaveOccurred())
	all := map[string]float64{}
	for _, family := range families {
		name, ours := strings.CutPrefix(family.GetName(), "medblocks_webhook_operator_")
		for _, one := range family.GetMetric() {
			key := name
			for _, label := range one.GetLabel() {
				key += " " + label.GetValue()
			}
			if ours && one.GetHistogram() == nil {
				all[key] = one.GetGauge().GetValue() + one.GetCounter().GetValue()
			}
		}
	}
	return all
}

// value is -1 where there is no such series.
func (w *world) seriesValue(name string) float64 {
	w.t.Helper()
	if value, shown := w.series()[name]; shown {
		return value
	}
	return -1
}

func (w *world) untilSeries(name string, value float64) {
	w.t.Helper()
	w.Eventually(func() float64 { return w.seriesValue(name) }).Should(Equal(value), name)
}

// untilCounted waits until a counter, which all tests of this process share, has grown.
func (w *world) untilCounted(name string, before float64) {
	w.t.Helper()
	w.Eventually(func() float64 { return w.seriesValue(name) }).Should(BeNumerically(">", max(before, 0)), name)
}

// of names a series about a resource of the test.
func (w *world) of(metric, name string) string { return metric + " " + name + " " + w.namespace }

func TestMetricsFollowAnEndpointFromItsRegistrationToItsEnd(t *testing.T) {
	w := newWorld(t)
	account := w.namespace + "/" + keySecret
	w.createReady(hooks)
	w.untilSeries(w.of("endpoint_enabled", hooks), 1)
	w.untilSeries("endpoints active", 1)
	w.untilSeries("endpoints_ready Registered True", 1)
	w.untilSeries("account_users "+account, 1)
	w.untilSeries("account_endpoints "+account+" active", float64(1+len(w.bystanders)))
	w.untilSeries("account_breaker_open "+account, 0)
	w.untilSeries("account_paused "+account, 0)
	w.settle()
	for kind, interval := range map[string]time.Duration{"full": w.options.pollInterval, "disabled": w.options.disabledPollInterval} {
		w.Expect(w.seriesValue("account_sweep_interval_seconds "+account+" "+kind)).To(Equal(interval.Seconds()), kind)
		swept := time.UnixMilli(int64(1000 * w.seriesValue("account_last_sweep_timestamp_seconds "+account+" "+kind)))
		w.Expect(swept).To(BeTemporally("~", w.clock.Now(), 30*time.Second), kind)
	}

	noticed := w.seriesValue("disables_noticed_total AutoDisabled")
	w.exhaust(hooks, ptr.To(503))
	w.untilSeries(w.of("endpoint_enabled", hooks), 0)
	w.untilCounted("disables_noticed_total AutoDisabled", noticed)
	w.untilSeries("endpoints disabled", 1)
	w.untilSeries("endpoints_ready AutoDisabled False", 1)
	w.untilSeries("account_endpoints "+account+" disabled", 1)

	reenabled := w.seriesValue("reenables_total ReenableRequested")
	w.annotate(hooks, v1alpha1.AnnotationReenableRequestedAt, "now")
	w.untilSeries(w.of("endpoint_enabled", hooks), 1)
	w.untilCounted("reenables_total ReenableRequested", reenabled)

	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.State = v1alpha1.StateDisabled })
	w.untilSeries(w.of("endpoint_disabled_by_spec", hooks), 1)
	w.untilSeries(w.of("endpoint_enabled", hooks), 0)

	w.delete(hooks)
	w.untilGone(hooks)
	w.Eventually(func() []string { return about(w.series(), w.namespace) }).Should(BeEmpty(), "no series outlives its object or its account")
}

// about are the series in whose labels a text occurs.
func about(series map[string]float64, text string) []string {
	var found []string
	for name := range series {
		if strings.Contains(name, text) {
			found = append(found, name)
		}
	}
	return slices.Sorted(slices.Values(found))
}

func TestWhatTheOperatorPutsRightIsCounted(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	drift := w.seriesValue("drift_corrected_total")
	w.edit(hooks, func(e *emulator.Endpoint) { e.URL = "https://drifted.example.com/" })
	w.untilCounted("drift_corrected_total", drift)
	w.untilReady(hooks)

	recovered := w.seriesValue("secrets_recovered_total")
	w.deleteSecret(signing)
	w.untilCounted("secrets_recovered_total", recovered)
	w.untilReady(hooks)

	removed := w.seriesValue("duplicates_removed_total")
	twin := w.remote(hooks).Endpoint
	twin.ID = ""
	_, err := w.vendor.AddEndpoint(w.key, twin)
	w.Expect(err).NotTo(HaveOccurred())
	w.untilCounted("duplicates_removed_total", removed)
	w.Eventually(func() int { return len(w.owned(hooks)) }).Should(Equal(1))
}

func TestAKeyThatIsRefusedOpensTheBreakerInTheMetricsUntilItIsAcceptedAgain(t *testing.T) {
	w := newWorld(t)
	breaker := "account_breaker_open " + w.namespace + "/" + keySecret
	w.createReady(hooks)
	w.untilSeries(breaker, 0)
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, Workspace: workspace, State: emulator.KeyRevoked})).To(Succeed())
	w.untilSeries(breaker, 1)
	w.until(hooks, have(v1alpha1.ConditionSynced, isFalse, v1alpha1.ReasonInvalidAPIKey))
	w.untilSeries(w.of("endpoint_enabled", hooks), 1) // as it was last seen
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: w.key, Workspace: workspace})).To(Succeed())
	w.untilSeries(breaker, 0)
}

func TestAnAccountThatIsAskedToSlowDownIsShownAsPaused(t *testing.T) {
	w := newWorld(t)
	paused := "account_paused " + w.namespace + "/" + keySecret
	w.createReady(hooks)
	w.fail(emulator.OperationListEndpoints, emulator.Fault{Kind: emulator.FaultStatus, Status: 429, RetryAfter: "60"})
	w.untilSeries(paused, 1)
	w.vendor.ClearFaults()
	w.advance(2 * time.Minute)
	w.untilSeries(paused, 0)
}

// expectDocumented compares the labels of a metric of ours with those in the tables of docs/metrics.md.
func (w *world) expectDocumented(family *dto.MetricFamily) {
	w.t.Helper()
	if !strings.HasPrefix(family.GetName(), "medblocks_") {
		return
	}
	page, err := os.ReadFile("../../docs/metrics.md")
	w.Expect(err).NotTo(HaveOccurred())
	row := regexp.MustCompile("(?m)^\\| `" + family.GetName() + "` \\| " + strings.ToLower(family.GetType().String()) + " \\| ([^|]*)\\|").FindSubmatch(page)
	w.Expect(row).NotTo(BeNil(), family.GetName())
	for _, one := range family.GetMetric() {
		var labels []string
		for _, label := range one.GetLabel() {
			labels = append(labels, "`"+label.GetName()+"`")
		}
		w.Expect(labels).To(ConsistOf(strings.FieldsFunc(string(row[1]), func(r rune) bool { return strings.ContainsRune(", ", r) })), family.GetName())
	}
}

func TestNoMetricCarriesAKeyOrItsHash(t *testing.T) {
	w := newWorld(t)
	res := w.createReady(hooks)
	_, hash, _ := strings.Cut(res.Status.KeyHash, ":")
	w.Expect(hash).NotTo(BeEmpty())
	w.untilSeries("account_users "+w.namespace+"/"+keySecret, 1)
	families, err := prometheus.Gatherers{metrics.Registry, w.collected}.Gather()
	w.Expect(err).NotTo(HaveOccurred())
	var all strings.Builder
	for _, family := range families {
		all.WriteString(family.String())
		w.expectDocumented(family)
	}
	for _, hidden := range []string{w.key, "mb_sk", hash, w.value(signing), "whsec_"} {
		w.Expect(all.String()).NotTo(ContainSubstring(hidden))
	}
}
