// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/test/stack"
)

// Two of the same program with the same configuration. One may read the operator's metrics; the other is a stranger.
const (
	prometheusURL = "http://10.96.0.90:9090"
	strangerURL   = "http://10.96.0.91:9090"
)

// prometheusIsLetIn runs a Prometheus with the alerts that are shipped, and one that lacks the permission to read metrics.
func prometheusIsLetIn(w *world) {
	w.kubectl("create", "namespace", "monitoring")
	w.must(w.api.Create(w.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "monitoring", Name: "prometheus-rules"}, Data: map[string]string{"rules.yaml": w.rules()},
	}))
	w.apply(w.testdata("prometheus.yaml"))
	w.Eventually(func() ([]target, error) { return w.targets(prometheusURL) }).Should(gomega.And(
		gomega.HaveLen(2), gomega.HaveEach(gomega.HaveField("Health", "up"))), "whoever may read the metrics, reads them")
	w.Eventually(func() ([]target, error) { return w.targets(strangerURL) }).Should(gomega.And(
		gomega.HaveLen(2), gomega.HaveEach(gomega.HaveField("LastError", gomega.ContainSubstring("403")))), "nobody else does")
	w.Eventually(func() (string, error) {
		return w.query(`sum(medblocks_api_requests_total) > 0`)
	}).ShouldNot(gomega.BeEmpty())
	w.Eventually(func() error { return w.rulesEvaluate() }).Should(gomega.Succeed())
	w.kubectl("delete", "namespace", "monitoring", "--wait=false")
}

// rules are the shipped alerts as Prometheus itself takes them: what the Prometheus Operator makes of a PrometheusRule.
func (w *world) rules() string {
	w.Helper()
	content, err := os.ReadFile(filepath.Join(w.root, "config", "prometheus", "prometheusrule.yaml"))
	w.must(err)
	var rule struct {
		Spec json.RawMessage `json:"spec"`
	}
	w.must(yaml.Unmarshal(content, &rule))
	return string(rule.Spec)
}

// target is one that Prometheus scrapes.
type target struct {
	Health    string `json:"health"`
	LastError string `json:"lastError"`
}

func (w *world) targets(prometheus string) ([]target, error) {
	var answer struct {
		Data struct {
			Active []target `json:"activeTargets"`
		} `json:"data"`
	}
	err := w.ask(prometheus+"/api/v1/targets?state=active", &answer)
	return answer.Data.Active, err
}

// query returns the value of the first series of a query; empty: there is none.
func (w *world) query(promql string) (string, error) {
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := w.ask(prometheusURL+"/api/v1/query?query="+url.QueryEscape(promql), &answer); err != nil || len(answer.Data.Result) == 0 {
		return "", err
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), nil
}

// rulesEvaluate tells whether all alerts were evaluated, without an error.
func (w *world) rulesEvaluate() error {
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct {
					Name   string `json:"name"`
					Health string `json:"health"`
					Error  string `json:"lastError"`
				} `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	if err := w.ask(prometheusURL+"/api/v1/rules", &answer); err != nil {
		return err
	}
	count := 0
	for _, group := range answer.Data.Groups {
		for _, rule := range group.Rules {
			if rule.Health != "ok" {
				return fmt.Errorf("alert %s: %s %s", rule.Name, rule.Health, rule.Error)
			}
			count++
		}
	}
	if count == 0 {
		return errors.New("there are no alerts")
	}
	return nil
}

func (w *world) ask(address string, into any) error {
	body, err := stack.Get(w.ctx, address)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), into)
}
