// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package plugin is the kubectl plugin, kubectl medblocks. Run is all of it. Each subcommand has a file of its own: what it gathers from
// the cluster and from Medblocks becomes a result, a struct that -o json prints as it is, and the lines for people are a pure function of
// that result. The manager does not import it.
package plugin
