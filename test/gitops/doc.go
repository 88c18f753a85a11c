// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gitops tests what Argo CD, Flux and kubectl make of our resources: whether they take the right ones for healthy, by statuses
// that the operator wrote, and whether what they apply and what the operator writes stay apart.
//
// The statuses in config/argocd are those of the situations in situations_test.go. When an operator writes other ones,
//
//	go test ./test/gitops -run TestEverySituation -update
//
// writes them anew, with the expectations of the health checks beside them to be reviewed.
package gitops
