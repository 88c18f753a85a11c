// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/medblocks/webhook-operator/test/emulator"
)

// TestMain lets this program play the roles that the benchmark starts it in.
func TestMain(m *testing.M) {
	if slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "--role=") }) {
		main()
		return
	}
	ctrl.SetLogger(logr.Discard())
	m.Run()
}

// small is a run of a few seconds. What takes time is waited for; how long it takes is not looked at.
func small(t *testing.T, phases ...string) *results {
	t.Helper()
	g := NewWithT(t)
	var progress bytes.Buffer
	cfg, err := parseFlags([]string{
		"-n=20", "--steady=3s", "--quiet=400ms", "--samples=4", "--updates=8", "--limited=6", "--latency=2ms",
		"--disabled-poll-interval=300ms", "--poll-interval=1s", "--bin=../../bin", "--phases=" + strings.Join(phases, ","),
	}, &progress)
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	measured, err := measure(ctx, cfg, &progress)
	g.Expect(err).NotTo(HaveOccurred(), "%s", &progress)
	return measured
}

// expectTable looks for all lines in what is printed.
func expectTable(t *testing.T, r *results, lines ...string) {
	t.Helper()
	g := NewWithT(t)
	var page bytes.Buffer
	g.Expect(r.print(&page)).To(Succeed())
	for _, line := range lines {
		g.Expect(page.String()).To(ContainSubstring("| "+line), "%s", &page)
	}
}

func TestTheOperatorCostsWhatItIsMeantTo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	r := small(t, phaseUpdate, phaseRestart, phaseSteady, phaseDisable, phaseDrift, phaseLimit, phaseDelete)
	g.Expect(r.registration.costs(wantedRegistration)).To(BeTrue(), "registration: %s", r.registration.perResource())
	g.Expect(r.update.costs(wantedUpdate)).To(BeTrue(), "update: %s", r.update.perResource())
	g.Expect(r.deletion.costs(wantedDeletion)).To(BeTrue(), "deletion: %s", r.deletion.perResource())

	g.Expect(r.steady.full).To(BeNumerically(">=", 1))
	g.Expect(r.steady.disabled).To(BeNumerically(">=", 5))
	g.Expect(r.steady.spent.vendorCalls()).To(BeZero(), "%v", r.steady.spent)
	g.Expect(r.steady.spent.kubeWrites()).To(BeZero(), "%v", r.steady.spent)

	g.Expect(r.restart.full).To(Equal(1), "one page")
	g.Expect(r.restart.spent.vendorCalls()).To(Equal(1), "the newcomer's: %v", r.restart.spent)
	g.Expect(r.restart.spent.kubeWrites()).To(BeZero(), "%v", r.restart.spent)

	g.Expect(r.disable.measured).To(And(HaveLen(4), HaveEach(BeNumerically(">", 0))))
	g.Expect(r.drift.measured).To(And(HaveLen(4), HaveEach(BeNumerically(">", 0))))
	g.Expect(r.limits).To(HaveLen(2))
	for i := range r.limits {
		g.Expect(r.limits[i].calls).To(BeNumerically(">=", r.limits[i].resources))
	}
	g.Expect(r.steady.footprint.resident).To(BeNumerically(">", mib))
	expectTable(t, r, "one registration", "one update", "one deletion", "at rest", "a silent disable", "a change at Medblocks",
		"resident memory", "restart", "vendor limit")
}

func TestTheLowerBoundIsMeasuredToo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	r := small(t, phaseBare)
	g.Expect(r.bare).To(HaveLen(2))
	for i, wanted := range []map[string]int{
		{vendorCreate: 1, kubeResource: 2, kubeSecret: 1, kubeSecretDry: 1, kubeSecretGet: 1, kubeEvents: 0},
		{vendorCreate: 1, kubeResource: 2, kubeSecret: 1, kubeSecretDry: 1, kubeSecretGet: 1, kubeEvents: r.bare[1].events},
	} {
		g.Expect(r.bare[i].costs(wanted)).To(BeTrue(), "%s", r.bare[i].perResource())
	}
	expectTable(t, r, "one registration", "all Ready, over the lower bound")
}

func TestATextbookControllerIsMeasuredToo(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	r := small(t, phaseComparator)
	g.Expect(r.comparators).To(HaveLen(2))
	for i := range r.comparators {
		c := &r.comparators[i]
		g.Expect(c.spent.sum(vendorCreate)).To(Equal(c.resources-1), "%v", c.spent)
		g.Expect(c.atRest.sum(vendorGet)).To(BeNumerically(">", 0), "%v", c.atRest)
		g.Expect(c.atRest.kubeWrites()).To(BeZero(), "%v", c.atRest)
	}
	expectTable(t, r, "comparator, ")
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	g := NewWithT(t)
	for flag, says := range map[string]string{
		"-n=1": "-n", "--phases=dance": "dance", "--steady=1s": "--steady", "--limit=0": "--limit", "--samples=0": "--samples", "much": "much",
	} {
		_, err := parseFlags([]string{flag}, &bytes.Buffer{})
		g.Expect(err).To(MatchError(ContainSubstring(says)), flag)
	}
}

func TestWhatComparesIsCountedRight(t *testing.T) {
	g := NewWithT(t)
	g.Expect(mostOvertaken([]string{"a", "b", "c"})).To(Equal(0))
	g.Expect(mostOvertaken([]string{"b", "c", "a", "d"})).To(Equal(2), "b and c came before a")

	l := latency{}
	g.Expect(l.percentile(99)).To(BeZero())
	for i := range 200 {
		l.measured = append(l.measured, time.Duration(i+1))
	}
	g.Expect([]time.Duration{l.percentile(50), l.percentile(99), l.percentile(100)}).To(Equal([]time.Duration{100, 198, 200}))

	at := time.Now()
	patch := func(id string, after time.Duration) emulator.Call {
		return emulator.Call{Operation: emulator.OperationUpdateEndpoint, Path: "/webhooks/" + id, At: at.Add(after)}
	}
	g.Expect(betweenUpdates([]emulator.Call{patch("a", 1), patch("b", 2), {Operation: emulator.OperationListEndpoints}, patch("a", 5)})).
		To(Equal([]time.Duration{4}))
	once := cost{resources: 2, spent: tally{vendorCreate + " 201": 2, kubeStatus: 2, kubeEvents: 3, vendorList + " 200": 7, leases + "update leases": 1}}
	g.Expect(once.costs(map[string]int{vendorCreate: 1, kubeStatus: 1})).To(BeTrue())
	g.Expect(once.costs(map[string]int{vendorCreate: 1})).To(BeFalse(), "a write that was not expected")
	g.Expect(once.perResource()).To(Equal(fmt.Sprintf("1.5 × %s<br>1 × %s<br>1 × %s 201", kubeEvents, kubeStatus, vendorCreate)))
}
