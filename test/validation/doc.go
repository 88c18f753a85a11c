// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package validation holds no code: its tests send manifests to a real API server that has the CRD installed, as a
// user would, and check what is accepted, what is refused, with which field and which words, and what is stored.
package validation
