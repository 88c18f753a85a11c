// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package image makes container images without an engine, for a node that runs beside the tests: the operator's as the Dockerfile
// describes it, and those of single static programs. What a containerd imports is a file with all of them.
package image
