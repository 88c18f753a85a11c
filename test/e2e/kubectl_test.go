// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// table splits what `kubectl get` prints: its columns are three spaces apart.
func table(out string) (header, row []string) {
	between := regexp.MustCompile(` {2,}`)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return between.Split(strings.TrimSpace(lines[0]), -1), between.Split(strings.TrimSpace(lines[len(lines)-1]), -1)
}

func TestKubectlShowsAnEndpointThatTheOperatorRegistered(t *testing.T) {
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "shown")
	out := kubectl(t, "", "wait", "--for=condition=Ready", "mwe/shown", "-n", n.namespace, "--timeout="+patience.String())
	g.Expect(out).To(Equal("medblockswebhookendpoint.connect.medblocks.com/shown condition met\n"))

	header, row := table(kubectl(t, "", "get", "mwe", "-n", n.namespace))
	g.Expect(header).To(Equal([]string{"NAME", "READY", "REASON", "ENDPOINT", "URL", "AGE"}))
	g.Expect(row[:5]).To(Equal([]string{"shown", "True", "Registered", "active", "https://receiver.example.com/shown"}))

	header, row = table(kubectl(t, "", "get", "mwe", "shown", "-o", "wide", "-n", n.namespace))
	g.Expect(header).To(Equal([]string{"NAME", "READY", "REASON", "ENDPOINT", "URL", "AGE", "ENDPOINT ID", "EVENTS", "SECRET", "MESSAGE"}))
	g.Expect(row).To(HaveLen(len(header)))
	g.Expect(row[6:9]).To(Equal([]string{n.endpoint(t).ID, `["*"]`, "shown-signing-secret"}))
	g.Expect(row[9]).To(ContainSubstring("registered and active"))

	describe := kubectl(t, "", "describe", "mwe", "shown", "-n", n.namespace)
	g.Expect(describe).To(MatchRegexp(`Normal +Registered +.* +medblocks-webhook-operator +Registered endpoint wh_`))
	suite.secrets.hear("kubectl describe", describe)
}

func TestKubectlExplainsTheReenablePolicy(t *testing.T) {
	g := NewWithT(t)
	g.Eventually(func() string { // the API server publishes the schema some time after the CRD
		return kubectl(t, "", "explain", "mwe.spec.reenablePolicy")
	}).WithTimeout(patience).WithPolling(often).Should(And(
		ContainSubstring("FIELD: reenablePolicy"), ContainSubstring("maxAttempts"), ContainSubstring("backoff"), ContainSubstring("Never (default"),
	))
}
