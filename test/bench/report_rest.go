// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"time"
)

func (l *latency) String() string {
	part := func(d time.Duration) string {
		return fmt.Sprintf("%s (%.2f ×)", round(d), d.Seconds()/l.interval.Seconds())
	}
	return fmt.Sprintf("p50 %s, p99 %s of %d, interval %s", part(l.percentile(50)), part(l.percentile(99)), len(l.measured), l.interval)
}

func (r *results) reportDisable(t *table) {
	l := &r.disable
	t.atMost("a silent disable is noticed", l.String(), fmt.Sprintf("p99 ≤ %v × --disabled-poll-interval", targetNotice),
		l.percentile(99).Seconds()/l.interval.Seconds(), targetNotice)
}

func (r *results) reportDrift(t *table) {
	t.note("a change at Medblocks is put back", "%s", r.drift.String())
}

func (r *results) reportMemory(t *table) {
	atRest, when := r.registered, "after the registrations"
	if r.steady.watched > 0 {
		atRest, when = r.steady.footprint, "at rest"
	}
	each := float64(atRest.resident-r.base.resident) / float64(r.cfg.n)
	measured := fmt.Sprintf("%.1f KiB (%s %s, base %s; heap in use %s)", each/kib, bytesOf(atRest.resident), when, bytesOf(r.base.resident), bytesOf(atRest.heaps))
	if r.cfg.n < manyResources {
		t.note("resident memory per resource over the base (its target is for 10,000)", "%s", measured)
	} else {
		t.atMost("resident memory per resource over the base", measured, "≤ "+bytesOf(targetResidentPer), each, targetResidentPer)
	}
	peak := max(r.registered.peak, r.restart.footprint.peak, r.steady.footprint.peak)
	t.atMost("peak of resident memory", bytesOf(peak), "≤ "+bytesOf(targetPeak)+" at 10,000", float64(peak), targetPeak)
}

func (r *results) reportRestart(t *table) {
	s := &r.restart
	sweep := pages(r.cfg.n + 1) // with the newcomer
	t.atMost("restart: full sweep", fmt.Sprintf("%d calls (and %d disabled polls in %s)", s.full, s.disabled, round(s.took)),
		fmt.Sprintf("≤ %.0f", sweep), float64(s.full), sweep)
	other := s.spent.vendorCalls() - 1 // the newcomer's
	writes := s.spent.kubeWrites() + s.spent.sum(refused)
	t.exactly("restart: other calls, Kubernetes writes, for resources that were there", fmt.Sprintf("%d, %d", other, writes),
		"0, 0", other == 0 && writes == 0)
	t.atMost("restart: a resource applied meanwhile is Ready", round(s.newcomer).String(), "≤ "+targetNewcomer.String(),
		s.newcomer.Seconds(), targetNewcomer.Seconds())
	t.note("restart: CPU", "%.1f CPU-seconds until nothing is left to do", s.footprint.cpu.Seconds())
}

func (r *results) reportLimits(t *table) {
	for i := range r.limits {
		l := &r.limits[i]
		what := fmt.Sprintf("vendor limit %v/s, operator %s", r.cfg.limit, l.variant)
		used := l.used(r.cfg.limit)
		t.atMost(what+": calls", fmt.Sprintf("%.2f × of what the limit allows (%d calls in %s, %d of them refused)", used, l.calls, round(l.window), l.refused),
			fmt.Sprintf("≤ %v ×", targetLimit), used, targetLimit)
		// A second's worth may be registered at once.
		ideal := max(float64(l.resources)-r.cfg.limit, 1) / r.cfg.limit
		t.note(what+": all Ready", "%s for %d resources: %.2f × the time that the limit needs",
			round(l.took), l.resources, l.took.Seconds()/ideal)
		t.note(what+": one registration", "%s", l.perResource())
		t.atMost(what+": younger resources served before an older one", fmt.Sprintf("%d at most", l.overtaken),
			fmt.Sprintf("< %d, as many as are at work at the same time", r.cfg.concurrency), float64(l.overtaken), float64(r.cfg.concurrency-1))
	}
}
