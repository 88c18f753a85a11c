// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package install checks what people install: the kustomizations in config, and the Helm chart in dist/chart. It has no code but tests,
// which run kubectl, helm and kubeconform against a real API server; `make test` builds what it needs, and then runs it.
package install
