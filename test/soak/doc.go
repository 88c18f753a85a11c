// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package soak lets everything go wrong at once, for as long as one likes: answers, connections, watches and operators, while
// somebody edits, disables, tampers with and deletes whatever there is. Now and then the storm ends, a person sets right what
// only a person can, and everything has to be in order again. Time is virtual; what is done, and
// which faults are armed, is a function of the seed. Which of the requests under way at the same moment a fault befalls is not: workers
// run side by side, so that a failure that hangs on it may take a few runs to come back.
//
//	make soak DURATION=10m SEED=7
//
// A world is one seed and some rounds of storm and calm; a soak goes through the seeds from the one given upwards. A failure
// names its seed and tells what was done; SEED with that number runs that world first.
package soak
