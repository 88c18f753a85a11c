// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

func TestANewCgroupHasTheProcessorsOfItsParent(t *testing.T) {
	g := NewWithT(t)
	parent := t.TempDir()
	group := filepath.Join(parent, "e2e")
	g.Expect(os.Mkdir(group, 0o700)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(parent, "cpuset.cpus"), []byte("0-1\n"), 0o600)).To(Succeed())
	g.Expect(os.WriteFile(filepath.Join(parent, "cpuset.mems"), []byte("\n"), 0o600)).To(Succeed())
	g.Expect(inherit(group, "cpuset.cpus", "cpuset.mems", "cpuset.other")).To(Succeed())
	g.Expect(os.ReadFile(filepath.Join(group, "cpuset.cpus"))).To(BeEquivalentTo("0-1\n"))
	g.Expect(filepath.Join(group, "cpuset.mems")).NotTo(BeAnExistingFile(), "with version 2 an empty setting is everything")
	g.Expect(filepath.Join(group, "cpuset.other")).NotTo(BeAnExistingFile())
}

func TestCgroupsAreRemovedFromTheBottom(t *testing.T) {
	g := NewWithT(t)
	root := t.TempDir()
	g.Expect(os.MkdirAll(filepath.Join(root, "e2e", "kubepods", "burstable", "pod-1"), 0o700)).To(Succeed())
	g.Expect(os.MkdirAll(filepath.Join(root, "e2e", leaf), 0o700)).To(Succeed())
	g.Expect(removeTree(filepath.Join(root, "e2e"))).To(Succeed())
	g.Expect(filepath.Join(root, "e2e")).NotTo(BeADirectory())
	g.Expect(removeTree(filepath.Join(root, "e2e"))).To(Succeed(), "it is gone already")
}
