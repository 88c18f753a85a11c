// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestAnExhaustiveRunTakesEveryPlanAndAnyOtherOneASpreadOfThem(t *testing.T) {
	g := NewWithT(t)
	plans := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	t.Setenv("EXHAUSTIVE", "1")
	g.Expect(Pick(plans, 4)).To(Equal(plans))
	t.Setenv("EXHAUSTIVE", "")
	g.Expect(Pick(plans, 4)).To(Equal([]int{2, 6}))
	g.Expect(Pick(plans, 1)).To(Equal(plans))
	g.Expect(Pick([]int{7}, 4)).To(Equal([]int{7}), "a single plan is no less than a subset")
	g.Expect(Pick([]int(nil), 4)).To(BeEmpty())
}

func TestTheReportCountsPlansAndThoseThatPassed(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "report")
	t.Setenv("LAB_REPORT", file)
	saved := report.tallies
	report.tallies = nil
	defer func() { report.tallies = saved }()

	for _, ended := range []*verdict{{TB: t}, {TB: t, failed: true}, {TB: t, skipped: true}} {
		Report("register").Plan(ended)
		ended.cleanup()
	}
	var table bytes.Buffer
	g.Expect(writeReport(&table)).To(Succeed())
	g.Expect(writeReport(&table)).To(Succeed())
	g.Expect(table.String()).To(HavePrefix("scenario  plans  passed\nregister  3      1\nall       3      1\n"))
	line := "test/lab\tregister\t3\t1\n"
	g.Expect(os.ReadFile(file)).To(BeEquivalentTo(line+line), "lines are added to the file")
}

// verdict is a test that ends as it is told.
type verdict struct {
	testing.TB
	failed, skipped bool
	cleanup         func()
}

func (v *verdict) Failed() bool        { return v.failed }
func (v *verdict) Skipped() bool       { return v.skipped }
func (v *verdict) Cleanup(last func()) { v.cleanup = last }
