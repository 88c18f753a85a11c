// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	// ticks is the unit of CPU time in /proc, per second: Linux has no other in its interface to programs.
	ticks = 100
	kib   = 1 << 10
	mib   = 1 << 20
)

// footprint is what a process takes of the machine.
type footprint struct {
	cpu                   time.Duration // since its start
	resident, peak, heaps int64         // bytes
}

// footprintOf reads the kernel's account of a process.
func footprintOf(pid int) (footprint, error) {
	var f footprint
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return f, fmt.Errorf("read the account of a process: %w", err)
	}
	// The name of the program, in parentheses, may hold spaces; utime and stime are the 12th and 13th field after it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return f, fmt.Errorf("read the account of a process: %q has too few fields", stat)
	}
	for _, field := range fields[11:13] {
		used, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return f, fmt.Errorf("read the account of a process: %w", err)
		}
		f.cpu += time.Duration(used) * time.Second / ticks
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return f, fmt.Errorf("read the account of a process: %w", err)
	}
	f.resident, f.peak = kilobytes(status, "VmRSS:"), kilobytes(status, "VmHWM:")
	return f, nil
}

// kilobytes finds a line such as "VmRSS:	1234 kB" and returns bytes; 0 where there is none.
func kilobytes(status []byte, name string) int64 {
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == name {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err == nil {
				return n * kib
			}
		}
	}
	return 0
}

// footprint is that of the operator, with the heap that it reports itself.
func (w *world) footprint(ctx context.Context) (footprint, error) {
	f, err := footprintOf(w.subject.PID())
	if err != nil || w.operator == nil {
		return f, err
	}
	heap, err := metricOf(ctx, w.operator, "go_memstats_heap_inuse_bytes")
	f.heaps = int64(heap)
	return f, err
}

// metricOf reads one metric of the operator.
func metricOf(ctx context.Context, m *stack.Manager, name string) (float64, error) {
	url := "http" + strings.TrimPrefix(m.MetricsURL, "https") + "/metrics" // they are served without TLS here
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("read the operator's metrics: %w", err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("read the operator's metrics: %w", err)
	}
	for line := range strings.Lines(string(page)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("read the operator's metrics: there is no %s", name)
}

// machine describes where this runs.
func machine() string {
	memory, kernel := "unknown memory", "unknown"
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		memory = fmt.Sprintf("%.1f GiB", float64(kilobytes(info, "MemTotal:"))/(1<<30))
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = strings.TrimSpace(string(release))
	}
	return fmt.Sprintf("%d cores, %s, %s, %s/%s, kernel %s", runtime.NumCPU(), memory, runtime.Version(), runtime.GOOS, runtime.GOARCH, kernel)
}
