// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package medblocks is a client of the Medblocks webhook API.
//
// It makes one HTTP call per method (one per page for the lists), with a
// timeout, a bound on what it reads, and typed errors, and leaves every decision
// about trying again to its caller. The API key and signing secrets never appear
// in what it returns as an error, hands to an observer, or prints of itself.
//
// Comments say where a rule comes from: "vendor" is Medblocks' public
// documentation; "assumed" is a choice of ours where that is silent.
package medblocks
