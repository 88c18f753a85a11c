// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-logr/logr/funcr"
	. "github.com/onsi/gomega"
)

func TestTheHeapIsKeptBelowTheContainersLimit(t *testing.T) {
	const limit, before = 256 << 20, 1 << 40
	for name, test := range map[string]struct {
		environment string
		container   memlimit.Provider
		want        int64
		line        string
	}{
		"a limit":                     {"", memlimit.Limit(limit), limit / 10 * 9, `"Memory is limited" "bytes"=24159191`},
		"no limit":                    {"", func() (uint64, error) { return 0, memlimit.ErrNoLimit }, math.MaxInt64, `"Memory is not limited"`},
		"a limit that cannot be read": {"", func() (uint64, error) { return 0, errors.New("no cgroup") }, before, `set GOMEMLIMIT instead" "error"`},
		"GOMEMLIMIT has precedence":   {"64MiB", memlimit.Limit(limit), before, `"Memory is limited" "bytes"=1099511627776`}, // as Go has read it at its start
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			was := debug.SetMemoryLimit(before)
			t.Cleanup(func() { debug.SetMemoryLimit(was) })
			t.Setenv("GOMEMLIMIT", test.environment) // restores it, too
			if test.environment == "" {
				g.Expect(os.Unsetenv("GOMEMLIMIT")).To(Succeed())
			}
			var line string
			limitMemory(funcr.New(func(_, args string) { line += args }, funcr.Options{}), test.container)
			g.Expect(debug.SetMemoryLimit(-1)).To(BeNumerically("~", test.want, 100))
			g.Expect(line).To(ContainSubstring(test.line))
		})
	}
}

func TestTheMoreIsInUseTheLessGarbageComesToIt(t *testing.T) {
	for inUse, percent := range map[uint64]int{
		0: 100, 10 << 20: 100, 24 << 20: 100, 48 << 20: 50, 96 << 20: 25, 10 << 30: 25,
	} {
		NewWithT(t).Expect(gcPercent(inUse, calm)).To(Equal(percent), "%d MiB", inUse>>20)
		NewWithT(t).Expect(gcPercent(inUse, calm-1)).To(Equal(goPercent), "%d MiB, and much to do", inUse>>20)
	}
}

func TestGarbageIsLimitedUnlessTheEnvironmentSaysHow(t *testing.T) {
	g := NewWithT(t)
	var percent atomic.Int64
	set := func(to int) int { return int(percent.Swap(int64(to))) }
	collected := func() int64 {
		runtime.GC()
		return percent.Load()
	}
	var minutes, step atomic.Int64
	now := func() time.Time { return time.Unix(60*minutes.Add(step.Load()), 0) }
	kept := make([]byte, 2*mostGarbage)

	step.Store(1)
	t.Setenv("GOGC", "100")
	limitGarbage(set, now)
	g.Consistently(collected, "100ms").Should(BeZero())

	t.Setenv("GOGC", "")
	limitGarbage(set, now)
	g.Eventually(collected).Should(BeNumerically("~", 45, 5))
	step.Store(0) // there is much to do
	g.Eventually(collected).Should(BeEquivalentTo(goPercent))
	step.Store(1)
	g.Eventually(collected).Should(BeNumerically("~", 45, 5))
	runtime.KeepAlive(kept)
	g.Eventually(collected).Should(BeEquivalentTo(goPercent)) // it is not in use any more
}
