// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"bytes"
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// target are the labels that a ServiceMonitor gives to what it scrapes.
var target = map[string]string{
	"job": "medblocks-webhook-operator-metrics", "service": "medblocks-webhook-operator-metrics", "endpoint": "https",
	"namespace": "medblocks-webhook-operator-system", "pod": "medblocks-webhook-operator-0", "container": "manager", "instance": "10.0.0.1:8443",
}

// scraped are the scrapes that test/e2e has made of a real operator, as a Prometheus stores them: half a minute apart, with the labels of
// the target. Where the target and a metric have a label of the same name, honorLabels says whose value counts.
func scraped(t *testing.T, honorLabels bool) (stored series, last time.Time) {
	t.Helper()
	dir := cmp.Or(os.Getenv("SCRAPES"), "../../bin/monitoring")
	files, err := filepath.Glob(filepath.Join(dir, "scrape-*.txt"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%s does not hold the scrapes of a real operator (%v): run `make test-monitoring`", dir, err)
	}
	slices.Sort(files)
	known := map[string]*oneSeries{}
	for i, file := range files {
		last = start.Add(time.Duration(i) * interval)
		for _, found := range readScrape(t, file) {
			named := labels.FromMap(targeted(found.Metric, honorLabels))
			one := known[named.String()]
			if one == nil {
				one = &oneSeries{labels: named}
				known[named.String()] = one
				stored = append(stored, one)
			}
			one.samples = append(one.samples, sample{at: last.UnixMilli(), value: valueAt(found, last)})
		}
	}
	return stored, last
}

func readScrape(t *testing.T, file string) model.Vector {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	scrape := expfmt.NewTextParser(model.UTF8Validation)
	families, err := scrape.TextToMetricFamilies(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	var all model.Vector
	for _, name := range slices.Sorted(maps.Keys(families)) {
		found, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, families[name])
		if err != nil {
			t.Fatalf("%s: %s: %v", file, name, err)
		}
		all = append(all, found...)
	}
	return all
}

// valueAt moves the times that are values to the time at which these tests play.
func valueAt(found *model.Sample, at time.Time) float64 {
	if strings.HasSuffix(string(found.Metric[model.MetricNameLabel]), "_timestamp_seconds") && found.Value > 0 {
		return float64(at.Unix())
	}
	return float64(found.Value)
}

func targeted(metric model.Metric, honorLabels bool) map[string]string {
	all := maps.Clone(target)
	for name, value := range metric {
		_, clashes := target[string(name)]
		if clashes && !honorLabels {
			all["exported_"+string(name)] = string(value)
			continue
		}
		all[string(name)] = string(value)
	}
	return all
}

// checkNames checks that a query asks for nothing that the operator does not show: each selector finds something, and each label that
// results are grouped by or matched on is one of what was found.
func checkNames(t *testing.T, stored series, at time.Time, query string) {
	t.Helper()
	expr, err := promQL.ParseExpr(query)
	if err != nil {
		t.Errorf("%s: %v", query, err)
		return
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch is := node.(type) {
		case *parser.VectorSelector:
			if len(labelsIn(stored, is)) == 0 {
				t.Errorf("the operator shows nothing like %s, in: %s", is, query)
			}
		case *parser.AggregateExpr:
			checkLabels(t, stored, is.Expr, is.Grouping, query)
		case *parser.BinaryExpr:
			if is.VectorMatching != nil && is.VectorMatching.On {
				checkLabels(t, stored, is.LHS, is.VectorMatching.MatchingLabels, query)
				checkLabels(t, stored, is.RHS, is.VectorMatching.MatchingLabels, query)
			}
		}
		return nil
	})
	if _, err := stored.ask(t.Context(), query, at); err != nil {
		t.Errorf("%s: %v", query, err)
	}
}

// labelsIn are the labels of the series that a selector finds, by its name and labels; its values do not count: nothing may be wrong just now.
func labelsIn(stored series, selector *parser.VectorSelector) map[string]bool {
	found := map[string]bool{}
	for _, one := range stored {
		if one.labels.Get(model.MetricNameLabel) != selector.Name {
			continue
		}
		has := true
		for _, m := range selector.LabelMatchers {
			has = has && one.labels.Has(m.Name)
		}
		if has {
			maps.Copy(found, presentIn(one))
		}
	}
	return found
}

func presentIn(one *oneSeries) map[string]bool {
	present := map[string]bool{}
	one.labels.Range(func(l labels.Label) { present[l.Name] = true })
	return present
}

// checkLabels looks for labels in what is within an expression. Only one selector of several has to have one: the others may only pick.
func checkLabels(t *testing.T, stored series, within parser.Expr, wanted []string, query string) {
	t.Helper()
	has := map[string]bool{}
	parser.Inspect(within, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			maps.Copy(has, labelsIn(stored, selector))
		}
		return nil
	})
	for _, label := range wanted {
		if !has[label] {
			t.Errorf("nothing has a label %s in %s, in: %s", label, within, query)
		}
	}
}

func TestAlertsAskForWhatARealOperatorShows(t *testing.T) {
	stored, last := scraped(t, true)
	for _, rule := range alerts(t) {
		t.Run(rule.Alert, func(t *testing.T) { checkNames(t, stored, last, rule.Expr) })
	}
}

// TestAlertsHoldWhereARealOperatorHasTrouble is about the fleet that test/e2e leaves in every kind of trouble that it can make.
func TestAlertsHoldWhereARealOperatorHasTrouble(t *testing.T) {
	stored, last := scraped(t, true)
	expected := map[string][]string{
		"MedblocksWebhookEndpointDisabled":          {"name=disabled,namespace=monitored"},
		"MedblocksWebhookEndpointReenableExhausted": {"name=exhausted,namespace=monitored"},
		"MedblocksWebhookEndpointStalled":           {"name=refused,namespace=refused,reason=InvalidAPIKey"},
		"MedblocksWebhookEndpointOrphaned":          {"namespace=monitored"},
		"MedblocksWebhookDeletionReleased":          {"job=" + target["job"]},
		"MedblocksWebhookSigningSecretRecovered":    {"job=" + target["job"]},
		"MedblocksWebhookAccountRefused":            {"account=refused/medblocks-api-key,job=" + target["job"]},
	}
	for _, rule := range alerts(t) {
		t.Run(rule.Alert, func(t *testing.T) {
			follows := watching(rule)
			follows.rule.For = 0
			if err := follows.evaluate(t.Context(), stored, last); err != nil {
				t.Fatal(err)
			}
			expectAmong(t, follows, expected[rule.Alert])
		})
	}
}

// tenantNumber ends the namespaces that test/e2e makes.
var tenantNumber = regexp.MustCompile(`\b(monitored|refused)-\d+`)

// expectAmong looks for what must fire; other tests of test/e2e may have left more of it.
func expectAmong(t *testing.T, follows *watch, expected []string) {
	t.Helper()
	var firing []string
	for _, is := range follows.firing() {
		firing = append(firing, tenantNumber.ReplaceAllString(labelsOf(is), "$1"))
		expectReadable(t, follows, is)
	}
	for _, one := range expected {
		if !slices.Contains(firing, one) {
			t.Errorf("%q does not fire, only %q", one, firing)
		}
	}
	if len(expected) == 0 && len(firing) > 0 {
		t.Errorf("%q fires", firing)
	}
}

func TestEveryPanelShowsSomethingOfARealOperator(t *testing.T) {
	stored, last := scraped(t, true)
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			t.Run(p.Title+" "+target.RefID, func(t *testing.T) {
				query := filled(target.Expr)
				checkNames(t, stored, last, query)
				shown, err := stored.ask(t.Context(), query, last)
				if err == nil && len(shown) == 0 && p.Title != "Deliveries failing" { // as nobody waits days for it, none is
					t.Errorf("nothing is shown by: %s", query)
				}
			})
		}
	}
}

// TestWithoutHonorLabelsTheNamesOfResourcesAreElsewhere is why the ServiceMonitor sets it: alerts would name the operator's namespace.
func TestWithoutHonorLabelsTheNamesOfResourcesAreElsewhere(t *testing.T) {
	stored, last := scraped(t, false)
	for _, namespace := range []string{"namespace", "exported_namespace"} {
		found, err := stored.ask(t.Context(), "count by ("+namespace+") ("+prefix+`endpoint_enabled{name="disabled"})`, last)
		if err != nil || len(found) != 1 {
			t.Fatalf("%v, %v", found, err)
		}
		value := found[0].Metric.Get(namespace)
		if tenantNumber.MatchString(value) != (namespace == "exported_namespace") {
			t.Errorf("%s is %q", namespace, value)
		}
	}
}
