// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package rules holds no code: its tests show single rules of the write-ahead protocol that need two operators, or one that
// has fallen behind. Where a test of one operator will do, it is in test/suite; what can be enumerated is in test/crash,
// test/faults and test/stale.
package rules
