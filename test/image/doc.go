// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package image proves what can be proved of the container image without an engine: that each engine would be asked for the right
// thing, and that the program in it is the same wherever it is built, and stands alone. It has no code but tests.
package image
