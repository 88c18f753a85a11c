// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// documentedMetrics are the names in the tables of docs/metrics.md.
func documentedMetrics(g Gomega) []string {
	page, err := os.ReadFile("../docs/metrics.md")
	g.Expect(err).NotTo(HaveOccurred())
	var names []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(medblocks_[a-z_]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		names = append(names, row[1])
	}
	return names
}

// namedMetrics are the names of metrics in the code. A vector without series shows nothing of itself in a scrape.
func namedMetrics(g Gomega) []string {
	named := map[string]bool{}
	literal := regexp.MustCompile(`"(medblocks_[a-z_]+)"`)
	g.Expect(filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, found := range literal.FindAllStringSubmatch(string(content), -1) {
			named[found[1]] = true
		}
		return err
	})).To(Succeed())
	names := make([]string, 0, len(named))
	for name := range named {
		names = append(names, name)
	}
	return names
}

func TestThePageAboutMetricsNamesExactlyThoseThatThereAre(t *testing.T) {
	g := NewWithT(t)
	documented := documentedMetrics(g)
	g.Expect(documented).To(ConsistOf(namedMetrics(g)))

	collected := prometheus.NewRegistry()
	g.Expect(registerMetrics(collected, &account.Registry{}, &endpoint.Collector{})).To(Succeed())
	for _, name := range documented {
		g.Expect(isRegistered(metrics.Registry, name) != isRegistered(collected, name)).To(BeTrue(), "%s is registered once", name)
	}
}

// isRegistered tells whether there is a metric of that name already: a second one, with another text, is refused then.
func isRegistered(registry prometheus.Registerer, name string) bool {
	probe := described{prometheus.NewDesc(name, "Another text.", nil, nil)}
	err := registry.Register(probe)
	if err == nil {
		registry.Unregister(probe)
	}
	return err != nil
}

// described is a collector that describes one metric and has no values.
type described struct{ desc *prometheus.Desc }

func (d described) Describe(descs chan<- *prometheus.Desc) { descs <- d.desc }
func (d described) Collect(chan<- prometheus.Metric)       {}

func TestOneRegistryTakesTheMetricsOfOneOperatorOnly(t *testing.T) {
	g := NewWithT(t)
	registry := prometheus.NewRegistry()
	g.Expect(registerMetrics(registry, &endpoint.Collector{})).To(Succeed())
	g.Expect(registerMetrics(registry, &endpoint.Collector{})).To(MatchError(ContainSubstring("registering metrics")))
	g.Expect(registerMetrics(nil, &endpoint.Collector{})).To(Succeed(), "nobody wants to see them")
}
