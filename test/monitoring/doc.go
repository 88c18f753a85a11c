// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package monitoring has Prometheus' own engine evaluate what the repository ships for it: the alerts of config/prometheus, over series
// that tell what happens, and the queries of the dashboard in config/grafana, over what a real operator has shown in scrapes.
//
// It is a module of its own, so that Prometheus is a dependency of these tests only. `make test-monitoring` runs them.
package monitoring
