// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// manager runs the operator's program until it ends by itself, and returns what it said and its exit code. It never gets as far as
// a cluster: there is none in its environment.
func manager(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, suite.stack.Programs.Manager, args...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=/nonexistent"}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("it did not end:\n%s", out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestTheHelpListsTheFlags(t *testing.T) {
	g := NewWithT(t)
	out, code := manager(t, "--help")
	g.Expect(code).To(Equal(0))
	for _, flag := range []string{
		"api-base-url", "api-version", "api-qps", "api-burst", "api-timeout", "poll-interval", "disabled-poll-interval", "cluster-id",
		"read-only", "max-concurrent-reconciles", "watch-namespaces", "watch-label-selector", "leader-elect", "leader-election-id",
		"secret-access", "metrics-bind-address", "metrics-secure", "health-probe-bind-address", "probe-allow-cidr", "allowed-environments", "operator-namespace",
		"kubeconfig", "zap-log-level", "zap-encoder",
	} {
		g.Expect(regexp.MustCompile(`(?m)^\s+--?`+flag+`\b.*\n?.*\S`).MatchString(out)).To(BeTrue(), "--%s, with an explanation, in:\n%s", flag, out)
	}
	for _, value := range []string{"https://app.medblocks.com", "2026-04-25", "30s", "5m0s", ":8443", ":8081"} {
		g.Expect(out).To(ContainSubstring(value), "a default")
	}
}

func TestAWrongFlagIsNamed(t *testing.T) {
	for _, c := range []struct{ arg, name string }{
		{"--no-such-flag", "no-such-flag"},
		{"--api-qps=fast", "api-qps"},
		{"--api-qps=0", "--api-qps"},
		{"--api-burst=0", "--api-burst"},
		{"--api-timeout=-1s", "--api-timeout"},
		{"--api-version=yesterday", "--api-version"},
		{"--api-base-url=http://api.example.com", "--api-base-url"},
		{"--api-base-url=nonsense", "--api-base-url"},
		{"--poll-interval=0s", "--poll-interval"},
		{"--disabled-poll-interval=1ms", "--disabled-poll-interval"},
		{"--cluster-id=a/b", "--cluster-id"},
		{"--max-concurrent-reconciles=0", "--max-concurrent-reconciles"},
		{"--watch-label-selector=a,=", "--watch-label-selector"},
		{"--secret-access=list", "--secret-access \"list\" must be watch or get"},
		{"--probe-allow-cidr=everywhere", "--probe-allow-cidr"},
		{"--probe-allow-cidr=10.0.0.0/8,10.1.2.3/16", "write 10.1.0.0/16"},
		{"--allowed-environments=Staging", "--allowed-environments"},
		{"--allowed-environments=Sandbox,production", "--allowed-environments"},
		{"--zap-log-level=loud", "zap-log-level"},
		{"--kubeconfig=/nonexistent/kubeconfig", "--kubeconfig"},
		{"--leader-elect", "--leader-election-namespace"}, // which has no default outside a cluster
		{"--leader-elect --leader-election-namespace=a --watch-namespaces=b", "--leader-election-id"},
		{"--leader-elect --leader-election-namespace=a --watch-label-selector=b", "--leader-election-id"},
		{"leader-elect", "leader-elect"}, // not a flag at all: it must not be ignored
	} {
		t.Run(c.arg, func(t *testing.T) {
			g := NewWithT(t)
			out, code := manager(t, strings.Fields(c.arg)...)
			g.Expect(code).NotTo(Equal(0))
			message, _, _ := strings.Cut(out, "\nUsage of ") // where all flags are listed
			g.Expect(message).To(ContainSubstring(c.name))
		})
	}
}

func TestSeveralWrongFlagsAreNamedAtOnce(t *testing.T) {
	g := NewWithT(t)
	out, code := manager(t, "--api-qps=0", "--poll-interval=0s", "--cluster-id=a/b")
	g.Expect(code).NotTo(Equal(0))
	g.Expect(out).To(And(ContainSubstring("--api-qps"), ContainSubstring("--poll-interval"), ContainSubstring("--cluster-id")))
}
