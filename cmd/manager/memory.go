// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"os"
	"runtime"
	"runtime/metrics"

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

// Garbage is collected once there is as much of it as of what is in use, which is Go's own rule, but no later than at mostGarbage: above
// that, memory costs more than the time to collect it. Where a collection takes long because very much is in use, there may be more.
const (
	mostGarbage  = 24 << 20
	leastPercent = 25
	goPercent    = 100
)

// gcPercent is how much garbage may come to what is in use, in percent of that.
func gcPercent(inUse uint64) int {
	return int(min(max(mostGarbage*100/max(inUse, 1), leastPercent), goPercent))
}

// limitGarbage applies that rule after every collection. GOGC in the environment has precedence.
func limitGarbage(set func(percent int) int) {
	if os.Getenv("GOGC") == "" {
		afterCollection(goPercent, set)
	}
}

// afterCollection waits until Go has found an object that nobody refers to: then it knows what is in use.
func afterCollection(percent int, set func(percent int) int) {
	type unused struct{ _ [64]byte }
	runtime.AddCleanup(new(unused), func(was int) {
		inUse := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(inUse)
		is := gcPercent(inUse[0].Value.Uint64())
		if is != was {
			set(is)
		}
		afterCollection(is, set)
	}, percent)
}
