// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"os"
	"os/exec"
	"testing"

	. "github.com/onsi/gomega"
)

func TestWhatWasNotThereBeforeIsALeftover(t *testing.T) {
	g := NewWithT(t)
	before := traces{"mount at /": true, "network device lo": true, "network device node0": true}
	g.Expect(before.without(traces{"mount at /": true, "network device lo": true})).To(Succeed(), "what is gone is no leftover")
	g.Expect(before.without(traces{"mount at /": true, "network device switch0": true, "cgroup /sys/fs/cgroup/e2e-node-1": true})).To(MatchError(
		"left behind: cgroup /sys/fs/cgroup/e2e-node-1, network device switch0"))
}

func TestEverythingThatANodeCouldChangeIsLookedAt(t *testing.T) {
	g := NewWithT(t)
	found, err := look()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found).To(HaveKey("mount 1 at /proc"))
	g.Expect(isPlace("/proc/sys/kernel/panic")).To(BeTrue())
	g.Expect(isPlace("/tmp/e2e-node-1/disk")).To(BeTrue())
	g.Expect(isPlace("/var/lib/docker/overlay2/1/merged")).To(BeFalse(), "somebody else's")
	g.Expect(found).To(HaveKey(HavePrefix("setting vm/overcommit_memory=")))
	again, err := look()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(found.without(again)).To(Succeed())
}

func TestAProcessKnowsItsParent(t *testing.T) {
	g := NewWithT(t)
	// A name that looks like the fields after it.
	child := exec.Command("sh", "-c", `cp /bin/sleep "$0/) S 1 (" && exec "$0/) S 1 (" 60`, t.TempDir())
	g.Expect(child.Start()).To(Succeed())
	defer func() { _ = child.Wait() }()
	defer func() { _ = child.Process.Kill() }()
	g.Eventually(func() string { return firstArgument(child.Process.Pid) }).Should(HaveSuffix(") S 1 ("))
	g.Expect(parentOf(child.Process.Pid)).To(Equal(os.Getpid()))
	g.Expect(parentOf(1<<30)).To(BeZero(), "there is no such process")
	pids, err := processes()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(pids).To(ContainElements(os.Getpid(), child.Process.Pid))
}
