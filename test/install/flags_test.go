// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os/exec"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
)

// TestTheOperatorKnowsEveryFlagThatTheChartSets: a program of this checkout says which it knows.
func TestTheOperatorKnowsEveryFlagThatTheChartSets(t *testing.T) {
	g := NewWithT(t)
	out, err := exec.CommandContext(t.Context(), root+"/bin/manager", "--help").CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), "%s: run make build", out)
	flags := map[string]bool{}
	for _, path := range valueSets(t) {
		for _, deployment := range all[appsv1.Deployment](t, parse(t, render(t, path)), "Deployment") {
			for _, arg := range deployment.Spec.Template.Spec.Containers[0].Args {
				name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
				flags[name] = true
			}
		}
	}
	g.Expect(len(flags)).To(BeNumerically(">", 15))
	for name := range flags {
		g.Expect(string(out)).To(MatchRegexp(`(?m)^ *--?`+name+`\b`), "--%s", name)
	}
}
