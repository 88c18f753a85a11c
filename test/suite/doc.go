// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package suite tests the operator as a whole, short of its process: the manager is built as cmd/manager builds it and
// runs against a real API server, with the permissions that config/rbac ships, and against the emulator of Medblocks
// over HTTP.
//
// All tests share one control plane. Each has a world of its own: a namespace, an emulator, an API key, an operator that
// watches that namespace only, and a clock that runs with real time and can be put forward. When a test ends, its world
// checks what must hold at any time (the invariants of the design): see invariants_test.go.
package suite
