// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"
	"go.yaml.in/yaml/v3"
)

const ruleFile = "../../config/prometheus/prometheusrule.yaml"

// ruleManifest is a PrometheusRule, as far as it is used here. An unknown field is an error.
type ruleManifest struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name      string            `yaml:"name"`
		Namespace string            `yaml:"namespace"`
		Labels    map[string]string `yaml:"labels"`
	} `yaml:"metadata"`
	Spec struct {
		Groups []rulefmt.RuleGroup `yaml:"groups"`
	} `yaml:"spec"`
}

// alerts are the shipped ones, checked as Prometheus checks its rule files.
func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	file, err := os.Open(ruleFile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var manifest ruleManifest
	strict := yaml.NewDecoder(file)
	strict.KnownFields(true)
	if err := strict.Decode(&manifest); err != nil {
		t.Fatalf("%s: %v", ruleFile, err)
	}
	if manifest.APIVersion != "monitoring.coreos.com/v1" || manifest.Kind != "PrometheusRule" || manifest.Metadata.Name == "" {
		t.Fatalf("%s is no PrometheusRule: %+v", ruleFile, manifest.Metadata)
	}
	content, err := yaml.Marshal(rulefmt.RuleGroups{Groups: manifest.Spec.Groups})
	if err != nil {
		t.Fatal(err)
	}
	groups, problems := rulefmt.Parse(content, false, model.UTF8Validation, promQL, slog.Default())
	for _, problem := range problems {
		t.Errorf("%s: %v", ruleFile, problem)
	}
	var all []rulefmt.Rule
	for _, group := range groups.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatalf("%s: no rules", ruleFile)
	}
	return all
}

// alert is the shipped one of that name.
func alert(t *testing.T, name string) rulefmt.Rule {
	t.Helper()
	for _, rule := range alerts(t) {
		if rule.Alert == name {
			return rule
		}
	}
	t.Fatalf("%s: there is no alert %s", ruleFile, name)
	return rulefmt.Rule{}
}

// instance is an alert with one set of labels, from when its expression holds until it is over.
type instance struct {
	labels      map[string]string
	value       float64
	since       time.Time
	firing      bool
	missedSince time.Time
}

// watch follows a rule through time, as the rule manager of Prometheus does: an instance is pending for as long as `for` says and fires
// then, and goes on for as long as `keep_firing_for` says once the expression holds no longer.
type watch struct {
	rule      rulefmt.Rule
	instances map[string]*instance
}

func watching(rule rulefmt.Rule) *watch { return &watch{rule: rule, instances: map[string]*instance{}} }

// evaluate is one round of the rule manager.
func (w *watch) evaluate(ctx context.Context, stored series, now time.Time) error {
	vector, err := stored.ask(ctx, w.rule.Expr, now)
	if err != nil {
		return err
	}
	holds := map[string]bool{}
	for _, found := range vector {
		key := found.Metric.DropReserved(func(name string) bool { return name == model.MetricNameLabel })
		holds[key.String()] = true
		is, known := w.instances[key.String()]
		if !known {
			is = &instance{labels: w.labelsOf(key), since: now}
			w.instances[key.String()] = is
		}
		is.value, is.missedSince = found.F, time.Time{}
		is.firing = is.firing || now.Sub(is.since) >= time.Duration(w.rule.For)
	}
	maps.DeleteFunc(w.instances, func(key string, is *instance) bool { return !holds[key] && w.isOver(is, now) })
	return nil
}

func (w *watch) isOver(is *instance, now time.Time) bool {
	if is.missedSince.IsZero() {
		is.missedSince = now
	}
	return !is.firing || now.Sub(is.missedSince) >= time.Duration(w.rule.KeepFiringFor)
}

func (w *watch) labelsOf(found labels.Labels) map[string]string {
	all := found.Map()
	maps.Copy(all, w.rule.Labels)
	all["alertname"] = w.rule.Alert
	return all
}

// firing are the instances that somebody is told of.
func (w *watch) firing() []*instance {
	var all []*instance
	for _, key := range slices.Sorted(maps.Keys(w.instances)) {
		if is := w.instances[key]; is.firing {
			all = append(all, is)
		}
	}
	return all
}

// text is an annotation as somebody reads it.
func (w *watch) text(ctx context.Context, is *instance, annotation string) (string, error) {
	// Prometheus puts these definitions in front of each annotation.
	const definitions = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
	data := template.AlertTemplateData(is.labels, nil, "", promql.Sample{F: is.value})
	return template.NewTemplateExpander(ctx, definitions+w.rule.Annotations[annotation], w.rule.Alert, data, model.Now(), nil, nil, nil).Expand()
}
