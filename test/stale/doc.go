// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stale holds no code: its tests have operators work with what was true once.
//
// # Frozen views
//
// A scenario is played undisturbed, and every revision of what it stores is noted. Then, once for each of them: the operator
// is killed, at the end of the scenario or in the middle of it, and the next one is shown that revision, of the resources, of
// the Secrets or of both, as an API server would that lags behind the others. It works with that for a while, as far as it
// gets, and then sees the present: change by change, or as a new list because the history was compacted.
//
// Reads that do not go through the informers (of the signing Secret before a rotation, of the API key) are real: they are
// quorum reads, which an API server never answers from its own past, not even one of several.
//
// # Unobserved states
//
// Something is changed and changed back while no operator runs, or while the one that runs is shown nothing of it: what
// comes of it is what would have come without, or what an operator makes of it that was there all the time.
package stale
