// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package process

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// script starts a shell script that ends with the test.
func script(t *testing.T, text string) *Process {
	t.Helper()
	p, err := Start("script", exec.CommandContext(t.Context(), "/bin/sh", "-c", text), filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

var ready = regexp.MustCompile(`ready on (\S+)\n`)

func TestALineOfEitherStreamIsFoundWithItsGroups(t *testing.T) {
	for _, stream := range []string{"1", "2"} {
		g := NewWithT(t)
		p := script(t, "echo something else; echo ready on port-7 >&"+stream+"; exec tail -f /dev/null")
		found, err := p.AwaitLine(within(t), ready)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found).To(HaveExactElements("ready on port-7\n", "port-7"))
		g.Expect(p.Running()).To(BeTrue())
		g.Expect(p.ExitCode()).To(Equal(-1))
	}
}

func TestAProcessThatEndsBeforeItsLineIsQuoted(t *testing.T) {
	g := NewWithT(t)
	p := script(t, "echo no such port >&2; exit 3")
	_, err := p.AwaitLine(within(t), ready)
	g.Expect(err).To(MatchError(And(ContainSubstring("script ended by itself (exit status 3)"), ContainSubstring("no such port"))))
	g.Expect(p.ExitCode()).To(Equal(3))
}

func TestWaitingForALineEndsWithItsContext(t *testing.T) {
	g := NewWithT(t)
	p := script(t, "exec tail -f /dev/null")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := p.AwaitLine(ctx, ready)
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
}

func TestAProcessThatObeysIsStoppedWithoutAnError(t *testing.T) {
	g := NewWithT(t)
	p := script(t, `trap 'echo bye; exit 0' TERM; echo ready on 1; while :; do sleep 0.05; done`)
	_, err := p.AwaitLine(within(t), ready)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Stop(30 * time.Second)).To(Succeed())
	g.Expect(p.Tail(1)).To(Equal("bye"))
	g.Expect(p.ExitCode()).To(Equal(0))
}

func TestAProcessThatFailsAtItsEndIsAnError(t *testing.T) {
	g := NewWithT(t)
	p := script(t, `trap 'exit 4' TERM; echo ready on 1; while :; do sleep 0.05; done`)
	_, err := p.AwaitLine(within(t), ready)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Stop(30 * time.Second)).To(MatchError(ContainSubstring("exit status 4")))
}

func TestAProcessThatDoesNotObeyIsKilledAndSaidToBe(t *testing.T) {
	g := NewWithT(t)
	p := script(t, `trap '' TERM; echo ready on 1; while :; do sleep 0.05; done`)
	_, err := p.AwaitLine(within(t), ready)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(p.Stop(100 * time.Millisecond)).To(MatchError(ContainSubstring("was killed")))
	g.Expect(p.Running()).To(BeFalse())
	g.Expect(p.Stop(time.Second)).To(MatchError(ContainSubstring("ended by itself")), "a second time")
	g.Expect(p.Kill()).To(Succeed(), "nothing left to kill")
}

func TestTheTailIsTheEndOfTheLog(t *testing.T) {
	g := NewWithT(t)
	p := script(t, "echo one; echo two; echo three")
	g.Eventually(p.Done()).WithTimeout(30 * time.Second).Should(BeClosed())
	g.Expect(p.Tail(2)).To(Equal("two\nthree"))
	g.Expect(p.Tail(9)).To(Equal("one\ntwo\nthree"))
}

func TestALogThatIsContinuedIsReadFromItsNewBeginning(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "log")
	for _, word := range []string{"one", "two"} {
		p, err := Start("script", exec.CommandContext(t.Context(), "/bin/sh", "-c", "echo ready on "+word), path)
		g.Expect(err).NotTo(HaveOccurred())
		found, err := p.AwaitLine(within(t), ready)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(found[1]).To(Equal(word))
		g.Eventually(p.Done()).WithTimeout(30 * time.Second).Should(BeClosed())
	}
	content, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(content)).To(Equal("ready on one\nready on two\n"))
}
