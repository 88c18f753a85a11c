// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// TestAlertsAndDashboardNameWhatAFleetInTroubleShows has resources in every kind of trouble that can be made here, and looks whether the
// metrics exist that are named in the shipped alerts, in the dashboard and in the documentation. It leaves its scrapes in the folder
// that the environment variable SCRAPES names, for the tests in test/monitoring, which ask with Prometheus' own engine.
func TestAlertsAndDashboardNameWhatAFleetInTroubleShows(t *testing.T) {
	g := NewWithT(t)
	monitored, refused := newTenantOf(t, "monitored"), newTenantOf(t, "refused")
	token := metricsReader(t, monitored)
	before := awaitScrape(t, token)

	monitored.createFleet(t)
	refused.create(t, "refused")
	refused.create(t, "released")
	refused.awaitReady(t, "refused")
	refused.awaitReady(t, "released")
	monitored.disableFleet(t)
	monitored.orphan(t)
	refused.refuseKey(t)
	monitored.loseSecret(t)

	var after string
	g.Eventually(func(g Gomega) {
		after = awaitScrape(t, token)
		for _, series := range expectedSeries(monitored, refused) {
			g.Expect(after).To(MatchRegexp(`(?m)^medblocks_webhook_operator_` + series + `$`))
		}
		for _, counter := range []string{"secrets_recovered_total", "released_deletions_total"} {
			g.Expect(counted(g, after, counter)).To(BeNumerically(">", counted(g, before, counter)), counter)
		}
	}).WithTimeout(patience).WithPolling(often).Should(Succeed())
	for _, file := range []string{"config/prometheus/prometheusrule.yaml", "config/grafana/medblocks-webhook-operator.json", "docs/metrics.md"} {
		expectShown(g, after, file)
	}
	keepScrapes(t, before, after, awaitScrape(t, token))
}

// awaitScrape reads the metrics; permissions are cached for some seconds.
func awaitScrape(t *testing.T, token string) (body string) {
	t.Helper()
	NewWithT(t).Eventually(func() int {
		var status int
		status, body = scrape(t, token)
		return status
	}).WithTimeout(patience).WithPolling(often).Should(Equal(http.StatusOK))
	suite.secrets.hear("metrics", body)
	return body
}

// createFleet makes resources of which those without a receiver of their own fail together, and waits until all are registered.
func (n *tenant) createFleet(t *testing.T) {
	t.Helper()
	elsewhere := func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.Events = []v1alpha1.EventType{"records.sync.failed"}
	}
	n.create(t, "well", elsewhere, func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.DeliveryMonitoring = &v1alpha1.DeliveryMonitoring{Interval: metav1.Duration{Duration: time.Hour}}
	})
	n.create(t, "off", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.State = v1alpha1.StateDisabled })
	n.create(t, "disabled")
	n.create(t, "exhausted", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
			Mode: v1alpha1.ReenableAlways, MaxAttempts: ptr.To[int32](1),
			Backoff:    &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: time.Second}},
			Redelivery: &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered},
		}
	})
	n.create(t, "probed", func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
			Mode: v1alpha1.ReenableWhenHealthy, Backoff: &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: time.Second}},
		}
	})
	for _, name := range []string{"well", "off", "disabled", "exhausted", "probed"} {
		n.awaitReady(t, name)
	}
}

// disableFleet fires an event that nobody accepts, and waits for what becomes of it.
func (n *tenant) disableFleet(t *testing.T) {
	t.Helper()
	fired, err := suite.emulator.Fire(t.Context(), n.apiKey, "patient_flow.completed")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(fired).To(HaveLen(3))
	n.awaitCondition(t, "disabled", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonAutoDisabled)
}

// orphan registers an endpoint with the mark of a resource that does not exist, as one is left whose finalizer is removed by hand.
func (n *tenant) orphan(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	vendor, err := medblocks.New(medblocks.Config{BaseURL: suite.emulator.URL, APIKey: n.apiKey})
	g.Expect(err).NotTo(HaveOccurred())
	marks := map[string]string{}
	for _, mark := range []string{v1alpha1.MarkOwner, v1alpha1.MarkIncarnation, v1alpha1.MarkSecretGeneration} {
		marks[mark] = fmt.Sprint(n.endpoints(t)[0].Metadata[mark])
	}
	marks[v1alpha1.MarkOwner] = regexp.MustCompile(`[^/]+$`).ReplaceAllString(marks[v1alpha1.MarkOwner], "gone")
	_, _, err = vendor.CreateEndpoint(t.Context(), medblocks.CreateEndpointRequest{URL: "https://receiver.example.com/gone", Events: []string{"records.sync.failed"}, Metadata: marks})
	g.Expect(err).NotTo(HaveOccurred())
	n.endpoints(t) // so that its secret is looked for in what others may read
}

// refuseKey has Medblocks refuse the tenant's key, and a person give up one of the endpoints.
func (n *tenant) refuseKey(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(suite.emulator.Fault(t.Context(), map[string]any{"kind": "status", "status": http.StatusUnauthorized, "times": -1, "api_key": n.apiKey})).To(Succeed())
	n.awaitCondition(t, "refused", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidAPIKey)
	kubectl(t, "", "annotate", "mwe/released", "-n", n.namespace, v1alpha1.AnnotationRelease+"=true")
	kubectl(t, "", "delete", "mwe/released", "-n", n.namespace, "--timeout="+patience.String())
}

// loseSecret deletes a signing Secret.
func (n *tenant) loseSecret(t *testing.T) {
	t.Helper()
	n.secret(t, "well") // so that it is looked for in what others may read
	lost := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: n.namespace, Name: "well-signing-secret"}}
	NewWithT(t).Expect(suite.api.Delete(t.Context(), lost)).To(Succeed())
	n.awaitCondition(t, "well", v1alpha1.ConditionSigningSecretReady, metav1.ConditionTrue, v1alpha1.ReasonRecovered)
	n.secret(t, "well")
}

// expectedSeries are regular expressions for what the fleet shows in the end.
func expectedSeries(monitored, refused *tenant) []string {
	of := func(metric, name, value string) string {
		return fmt.Sprintf(`%s\{name=%q,namespace=%q\} %s`, metric, name, monitored.namespace, value)
	}
	return []string{
		of("endpoint_enabled", "well", "1"), of("endpoint_enabled", "disabled", "0"), of("endpoint_enabled", "probed", "0"),
		of("endpoint_disabled_by_spec", "off", "1"), of("endpoint_deliveries_healthy", "well", "1"), of("endpoint_reenable_exhausted", "exhausted", "1"),
		`endpoint_stalled\{name="refused",namespace="` + refused.namespace + `",reason="InvalidAPIKey"\} 1`,
		`account_breaker_open\{account="` + refused.namespace + "/" + keySecretName + `"\} 1`,
		`orphaned_endpoints\{namespace="` + monitored.namespace + `"\} 1`,
		`disables_noticed_total\{cause="AutoDisabled"\} .*`,
		`reenables_total\{trigger="ReenablePolicy"\} .*`,
		`redelivered_events_total\{outcome="failed"\} .*`,
		`receiver_probes_total\{outcome="unhealthy"\} .*`,
	}
}

// counted is the value of a counter without labels.
func counted(g Gomega, scrape, counter string) float64 {
	found := regexp.MustCompile(`(?m)^medblocks_webhook_operator_` + counter + ` (\S+)$`).FindStringSubmatch(scrape)
	g.Expect(found).NotTo(BeNil(), counter)
	value, err := strconv.ParseFloat(found[1], 64)
	g.Expect(err).NotTo(HaveOccurred())
	return value
}

// metricNames are those of the operator, of its libraries, and of its process.
var metricNames = regexp.MustCompile(`\b(?:medblocks_(?:webhook_operator|api)|controller_runtime|workqueue|leader_election|process|go)_[a-z_]+[a-z]\b`)

// expectShown looks for the metrics that a file names.
func expectShown(g Gomega, scrape, file string) {
	content, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
	g.Expect(err).NotTo(HaveOccurred())
	names := metricNames.FindAllString(string(content), -1)
	g.Expect(len(names)).To(BeNumerically(">", 10), file)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		g.Expect(scrape).To(MatchRegexp(`(?m)^(# TYPE )?`+name+`[ {]`), "%s, which %s names", name, file)
	}
}

func keepScrapes(t *testing.T, scrapes ...string) {
	t.Helper()
	dir := os.Getenv("SCRAPES")
	if dir == "" {
		return
	}
	g := NewWithT(t)
	g.Expect(os.MkdirAll(dir, 0o750)).To(Succeed())
	for i, content := range scrapes {
		g.Expect(os.WriteFile(filepath.Join(dir, fmt.Sprintf("scrape-%d.txt", i+1)), []byte(strings.TrimSpace(content)+"\n"), 0o600)).To(Succeed())
	}
}
