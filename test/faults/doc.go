// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package faults holds what can go wrong between the operator and the two sides that it talks to, as middleware for a lab's
// wire, and the tests that let each of it befall each call of each scenario. What an operator has to survive is listed in
// statuses.go, bodies.go, lists.go, connections.go (all of Medblocks) and kubernetes.go.
package faults
