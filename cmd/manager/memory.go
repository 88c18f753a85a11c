// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"time"

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

// Garbage is collected once there is as much of it as of what is in use, which is Go's own rule. Where collections are so far apart that
// there is little to do, it is collected at mostGarbage already, so that memory which was needed for a while is given back. While there is
// much to do, that would cost more time than it saves memory.
const (
	mostGarbage  = 24 << 20
	leastPercent = 25
	goPercent    = 100
	// calm is how far apart collections are when there is little to do. Go collects every two minutes in any case.
	calm = 10 * time.Second
)

// gcPercent is how much garbage may come to what is in use, in percent of that, where the last collection was so long ago.
func gcPercent(inUse uint64, ago time.Duration) int {
	if ago < calm {
		return goPercent
	}
	return int(min(max(mostGarbage*100/max(inUse, 1), leastPercent), goPercent))
}

// limitGarbage applies that rule after every collection. GOGC in the environment has precedence.
func limitGarbage(set func(percent int) int, now func() time.Time) {
	if os.Getenv("GOGC") == "" {
		afterCollection(collection{percent: goPercent, at: now()}, set, now)
	}
}

// collection is when garbage was collected, and the percentage that was set after it.
type collection struct {
	percent int
	at      time.Time
}

// afterCollection waits until Go has found an object that nobody refers to: then it knows what is in use.
func afterCollection(last collection, set func(percent int) int, now func() time.Time) {
	type unused struct{ _ [64]byte }
	runtime.AddCleanup(new(unused), func(was collection) {
		inUse := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(inUse)
		is := collection{at: now()}
		is.percent = gcPercent(inUse[0].Value.Uint64(), is.at.Sub(was.at))
		if is.percent != was.percent {
			set(is.percent)
		}
		afterCollection(is, set, now)
	}, last)
}
