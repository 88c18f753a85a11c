// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// The targets, in the order of the table. Ratios hold on any machine; times are for orientation.
const (
	targetOverhead       = 1.25 // of the lower bound
	targetPollSlack      = 1.1  // of the polls that the intervals make, because they are spread by a tenth
	targetComparator     = 90.0 // times the operator's calls
	targetNotice         = 1.1  // of the interval
	targetResidentPer    = 6 * kib
	targetPeak           = 128 * mib
	targetNewcomer       = 5 * time.Second
	targetLimit          = 1.1 // of what the limit allows
	pageSize             = 100
	manyResources        = 10_000
	sweepsPerSteadyState = int(defaultSteady / defaultPoll)
	pollsPerSteadyState  = int(defaultSteady / defaultDisabledPoll)
)

// row is a line of the table.
type row struct {
	what, measured, target, verdict string
}

// table collects rows.
type table struct{ rows []row }

// note adds what has no target.
func (t *table) note(what, format string, args ...any) {
	t.rows = append(t.rows, row{what, fmt.Sprintf(format, args...), "", ""})
}

// atMost adds what must not exceed a target.
func (t *table) atMost(what, measured, target string, is, limit float64) {
	verdict := "met"
	switch {
	case is > limit && limit > 0:
		verdict = fmt.Sprintf("**missed** by %.0f %%", math.Ceil((is/limit-1)*100))
	case is > limit:
		verdict = fmt.Sprintf("**missed**: %v", is)
	}
	t.rows = append(t.rows, row{what, measured, target, verdict})
}

// exactly adds what must be as the target says.
func (t *table) exactly(what, measured, target string, is bool) {
	verdict := "met"
	if !is {
		verdict = "**missed**"
	}
	t.rows = append(t.rows, row{what, measured, target, verdict})
}

// print writes everything as Markdown.
func (r *results) print(to io.Writer) error {
	t := &table{}
	for _, part := range []struct {
		measured bool
		report   func(*table)
	}{
		{r.registration.resources > 0, r.reportRegistration},
		{r.update.resources > 0, r.reportUpdate},
		{r.deletion.resources > 0, r.reportDeletion},
		{len(r.bare) > 0, r.reportBare},
		{r.steady.watched > 0, r.reportSteady},
		{len(r.comparators) > 0, r.reportComparators},
		{len(r.disable.measured) > 0, r.reportDisable},
		{len(r.drift.measured) > 0, r.reportDrift},
		{r.registration.resources > 0, r.reportMemory},
		{r.restart.took > 0, r.reportRestart},
		{len(r.limits) > 0, r.reportLimits},
	} {
		if part.measured {
			part.report(t)
		}
	}
	var text strings.Builder
	c := &r.cfg
	fmt.Fprintf(&text, "%s\n\n", machine())
	fmt.Fprintf(&text, "N = %d, concurrency %d, vendor latency %s", c.n, c.concurrency, c.latency)
	if c.latencyJitter > 0 {
		fmt.Fprintf(&text, " to %s", c.latency+c.latencyJitter)
	}
	fmt.Fprint(&text, "\n\n| what | measured | target | verdict |\n|---|---|---|---|\n")
	for _, row := range t.rows {
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", row.what, row.measured, row.target, row.verdict)
	}
	_, err := io.WriteString(to, text.String())
	return err
}

// round drops digits that nobody reads.
func round(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}

// bytes writes a size for people.
func bytesOf(n int64) string {
	if n < mib && n > -mib {
		return fmt.Sprintf("%.1f KiB", float64(n)/kib)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/mib)
}
