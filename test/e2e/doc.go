// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests what is shipped: the built programs as processes, the operator under its own ServiceAccount with the roles of
// config/rbac, against a real control plane and the emulator of Medblocks. It has no code but tests; `make test` builds what it
// needs, and then runs it.
package e2e
