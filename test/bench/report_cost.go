// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// perResource writes what one resource costs, each kind of request by itself.
func (c *cost) perResource() string {
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(c.spent)) {
		if strings.HasPrefix(kind, vendorList) || strings.HasPrefix(kind, leases) || kind == keyReads {
			continue // they come with time, and not with resources
		}
		kinds = append(kinds, fmt.Sprintf("%.4g × %s", c.per(c.spent[kind]), kind))
	}
	return strings.Join(kinds, "<br>")
}

// costs tells whether each resource costs exactly so many requests of each kind, and no other write and no other call.
func (c *cost) costs(wanted map[string]int) bool {
	calls, writes := 0, 0
	if _, counted := wanted[kubeEvents]; !counted {
		writes = c.spent.sum(kubeEvents, "kube patch events")
	}
	for kind, count := range wanted {
		if c.spent.sum(kind) != count*c.resources {
			return false
		}
		switch {
		case strings.HasPrefix(kind, "vendor"):
			calls += count * c.resources
		case isWrite(kind):
			writes += count * c.resources
		}
	}
	return c.spent.vendorCalls() == calls && c.spent.kubeWrites() == writes
}

// What one registration, update and deletion may cost. The Kubernetes events that tell people about it are not in it.
var (
	wantedRegistration = map[string]int{vendorCreate: 1, kubeResource: 2, kubeSecret: 1}
	wantedUpdate       = map[string]int{vendorGet: 1, vendorUpdate: 1, kubeResource: 1}
	wantedDeletion     = map[string]int{vendorGet: 1, vendorDelete: 1, kubeResource: 1, "kube delete secrets": 1}
)

func (r *results) reportRegistration(t *table) {
	c := &r.registration
	t.exactly("one registration", c.perResource(), "1 POST, 0 reads; 2 writes to the resource, 1 to the Secret (plus its read and dry run)",
		c.costs(wantedRegistration))
	t.note("from apply to all Ready", "%s (%.0f per second), %.1f CPU-seconds of the operator",
		round(c.took), float64(c.resources)/c.took.Seconds(), c.cpu.Seconds())
}

func (r *results) reportUpdate(t *table) {
	c := &r.update
	t.exactly("one update", c.perResource(), "1 live read + 1 PATCH, 1 write", c.costs(wantedUpdate))
	t.note(fmt.Sprintf("%d updates", c.resources), "%s", round(c.took))
}

func (r *results) reportDeletion(t *table) {
	c := &r.deletion
	t.exactly("one deletion", c.perResource(), "1 live read + 1 DELETE, 1 write to the resource, 1 Secret", c.costs(wantedDeletion))
	t.note(fmt.Sprintf("%d deletions", c.resources), "%s", round(c.took))
}

func (r *results) reportBare(t *table) {
	for _, bare := range r.bare {
		ratio := r.registration.took.Seconds() / bare.took.Seconds()
		what, measured := "all Ready, over the lower bound", fmt.Sprintf("%.2f × (bound: %s)", ratio, round(bare.took))
		if bare.events == 0 {
			t.atMost(what, measured, fmt.Sprintf("≤ %v ×", targetOverhead), ratio, targetOverhead)
			continue
		}
		t.note(fmt.Sprintf("the same, with the bound's client publishing %d events too", bare.events), "%s", measured)
	}
}

func (r *results) reportSteady(t *table) {
	s := &r.steady
	sweep := pages(r.cfg.n)
	sweeps, polls := float64(sweepsPerSteadyState), float64(pollsPerSteadyState)
	if r.cfg.scale() == 1 { // it may be watched for longer than the targets are for
		factor := float64(s.watched) / float64(defaultSteady)
		sweeps, polls = sweeps*factor, polls*factor
	}
	intervals := fmt.Sprintf("at --poll-interval %s and --disabled-poll-interval %s", r.cfg.scaled(defaultPoll), r.cfg.scaled(defaultDisabledPoll))
	full, disabled := targetPollSlack*sweeps*sweep, targetPollSlack*polls
	t.atMost(fmt.Sprintf("at rest for %s, %s: full sweeps", s.watched, intervals),
		fmt.Sprintf("%d calls", s.full), fmt.Sprintf("≤ %.0f", full), float64(s.full), full)
	t.atMost("at rest: disabled polls", fmt.Sprintf("%d calls", s.disabled), fmt.Sprintf("≤ %.0f", disabled), float64(s.disabled), disabled)
	other, writes := s.spent.vendorCalls(), s.spent.kubeWrites()+s.spent.sum(refused)
	t.exactly("at rest: other calls, Kubernetes writes", fmt.Sprintf("%d, %d", other, writes), "0, 0", other+writes == 0)
	t.note("at rest: other Kubernetes requests", "%d reads of the API key, %d requests for the leader's Lease", s.spent.sum(keyReads), s.spent.sum(leases))
	t.note("at rest: CPU", "%.2f CPU-seconds (%.2f %% of a core)", s.cpu.Seconds(), 100*s.cpu.Seconds()/s.watched.Seconds())
}

func (r *results) reportComparators(t *table) {
	for i := range r.comparators {
		c := &r.comparators[i]
		calls := c.calls(r.cfg.n, r.cfg.steady)
		what := "comparator, " + c.name
		t.note(what+": registration", "%.1f per second (%d resources in %s)",
			float64(c.resources-1)/c.took.Seconds(), c.resources-1, round(c.took))
		measured := fmt.Sprintf("%.0f calls, extrapolated from %d calls for %d resources in %s", calls, c.atRest.vendorCalls(), c.resources, round(c.watched))
		// It can be no faster than its workers: a call at a time each.
		possible := float64(c.concurrency) / r.cfg.latency.Seconds() * c.interval.Seconds()
		if float64(r.cfg.n) > possible {
			measured += fmt.Sprintf("; at a concurrency of %d it manages %.0f calls in an interval of %s, and would notice a disable that much later",
				c.concurrency, possible, c.interval)
		}
		if r.steady.watched == 0 {
			t.note(what+": at rest", "%s", measured)
			continue
		}
		ours := float64(r.steady.full + r.steady.disabled + r.steady.spent.vendorCalls())
		ratio := calls / max(ours, 1)
		measured = fmt.Sprintf("%.1f × the operator's (%s)", ratio, measured)
		target := targetComparator * float64(min(r.cfg.n, manyResources)) / manyResources // per object against per page: it grows with N
		t.exactly(what+": at rest, at the same detection time", measured, fmt.Sprintf("≥ %.3g × (%.0f × at 10,000)", target, targetComparator), ratio >= target)
		cpu := c.cpu.Seconds() / c.watched.Seconds() / float64(c.resources) * float64(r.cfg.n)
		t.note(what+": CPU at rest", "%.2f %% of a core, extrapolated", 100*cpu)
	}
}
