// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// Exhaustive tells whether every plan is to be run (EXHAUSTIVE=1), and not only the subset that `make test` has time for.
func Exhaustive() bool {
	value := os.Getenv("EXHAUSTIVE")
	return value != "" && value != "0"
}

// Pick returns all plans of an exhaustive run, and of every other run an evenly spread subset: every n-th, always the same.
// Those of a table whose rows are to be covered anyway are picked row by row.
func Pick[T any](plans []T, every int) []T {
	if Exhaustive() || every <= 1 {
		return plans
	}
	picked := make([]T, 0, len(plans)/every+1)
	for i := every / 2 % max(len(plans), 1); i < len(plans); i += every {
		picked = append(picked, plans[i])
	}
	return picked
}

// Tally counts the plans of one scenario.
type Tally struct {
	scenario      string
	mu            sync.Mutex
	plans, passed int
}

var report struct {
	mu      sync.Mutex
	tallies []*Tally
}

// Report opens the line of a scenario in the table that Main prints at the end. Asked again for the same scenario, it returns
// the same line. With LAB_REPORT=FILE each line is also appended to that file: package, scenario, plans and passed, with tabs
// between them.
func Report(scenario string) *Tally {
	report.mu.Lock()
	defer report.mu.Unlock()
	for _, t := range report.tallies {
		if t.scenario == scenario {
			return t
		}
	}
	t := &Tally{scenario: scenario}
	report.tallies = append(report.tallies, t)
	return t
}

// Plan counts the test as a plan of the scenario, and as passed if it has not failed or been skipped when it ends. Call it
// first: a test's cleanups run last to first, and the verdict is to come after all of them.
func (r *Tally) Plan(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	r.plans++
	r.mu.Unlock()
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.passed++
	})
}

// writeReport prints the table, and adds it to the file that LAB_REPORT names.
func writeReport(w io.Writer) error {
	report.mu.Lock()
	defer report.mu.Unlock()
	if len(report.tallies) == 0 {
		return nil
	}
	var lines strings.Builder
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "scenario\tplans\tpassed")
	sum := Tally{scenario: "all"}
	for _, t := range report.tallies {
		fmt.Fprintf(table, "%s\t%d\t%d\n", t.scenario, t.plans, t.passed)
		fmt.Fprintf(&lines, "%s\t%s\t%d\t%d\n", packageUnderTest(), t.scenario, t.plans, t.passed)
		sum.plans, sum.passed = sum.plans+t.plans, sum.passed+t.passed
	}
	fmt.Fprintf(table, "%s\t%d\t%d\n", sum.scenario, sum.plans, sum.passed)
	if err := table.Flush(); err != nil {
		return fmt.Errorf("lab: printing the report: %w", err)
	}
	return appendReport(os.Getenv("LAB_REPORT"), lines.String())
}

// appendReport adds lines in one write, as packages are tested at the same time.
func appendReport(path, lines string) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("lab: LAB_REPORT: %w", err)
	}
	if _, err := file.WriteString(lines); err != nil {
		_ = file.Close()
		return fmt.Errorf("lab: LAB_REPORT: %w", err)
	}
	return file.Close()
}

// packageUnderTest is the folder of the package whose test binary this is, such as test/crash.
func packageUnderTest() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "?"
	}
	path := strings.TrimSuffix(info.Path, ".test")
	return strings.TrimPrefix(strings.TrimPrefix(path, info.Main.Path), "/")
}
