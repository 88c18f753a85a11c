// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr"
)

// memoryShare of the container's limit is what the heap is kept below, by collecting garbage more often; the rest is for what Go does
// not count. Without it the heap may double before it is looked at, and the kernel ends the container.
const memoryShare = 0.9

// limitMemory tells Go how much memory there is. GOMEMLIMIT in the environment has precedence. Without a limit, or where none can be
// found out, Go's own rule stays.
func limitMemory(log logr.Logger, container memlimit.Provider) {
	limit, err := memlimit.Set(memlimit.WithRatio(memoryShare), memlimit.WithProvider(container))
	switch {
	case err != nil:
		log.Info("The container's memory limit cannot be found out: set GOMEMLIMIT instead", "error", err.Error())
	case limit == math.MaxInt64:
		log.Info("Memory is not limited")
	default:
		log.Info("Memory is limited", "bytes", limit)
	}
}
