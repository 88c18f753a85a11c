// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package shards runs several of the built operators beside each other, and one with permissions in single namespaces, each against a
// control plane of its own and the emulator of Medblocks. It has no code but tests; `make test` builds what it needs, and then runs it.
package shards
