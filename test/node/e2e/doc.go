// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e runs the operator as the Deployment that is shipped, from the image that is described, on a real node (package test/node), with
// Medblocks and a receiver as Pods beside it. `make e2e-node` runs it; `go test` alone does not, because it needs root and a container
// runtime. It has no code but tests.
package e2e
