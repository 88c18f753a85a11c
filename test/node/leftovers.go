// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sysctls are the settings of the whole kernel that a kubelet writes. The node has copies of them.
var sysctls = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// places are where stages mount something, and devices are theirs. What else is mounted or plugged in meanwhile is somebody else's.
var (
	places  = []string{"/run", "/var", "/proc", "/var/lib/containerd", "/var/lib/kubelet"}
	devices = []string{roomSwitch, roomPort, nodeDevice, podSwitch}
)

// traces is what a cluster could leave behind on the machine: a line for each mount, network device, cgroup and setting of the kernel.
// A process would be in one of the cgroups, which could not be removed then.
type traces map[string]bool

// look reads what there is on the machine now. Of cgroups, and of processes, only those that belong to a cluster of this package.
func look() (traces, error) {
	found := traces{}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer mounts.Close()
	times := map[string]int{}
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		// The first two numbers are the mount's and its parent's; the fifth field is where it is.
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && isPlace(fields[4]) {
			times[fields[4]]++
			found[fmt.Sprintf("mount %d at %s", times[fields[4]], fields[4])] = true
		}
	}
	there, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for _, device := range there {
		if slices.Contains(devices, device.Name) {
			found["network device "+device.Name] = true
		}
	}
	for _, name := range sysctls {
		value, err := os.ReadFile("/proc/sys/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // this kernel has no such setting
		}
		if err != nil {
			return nil, err
		}
		found["setting "+name+"="+strings.TrimSpace(string(value))] = true
	}
	return found, found.lookForGroups()
}

func isPlace(path string) bool {
	return slices.Contains(places, path) || strings.HasPrefix(path, "/proc/sys/") || strings.Contains(path, "/e2e-node-")
}

// lookForGroups finds cgroups by their name. Every process of a cluster is in one of its cgroups, or in one below.
func (t traces) lookForGroups() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		groups, err := filepath.Glob(filepath.Join(root, "e2e-node-*"))
		if err != nil {
			return err
		}
		for _, group := range groups {
			t["cgroup "+group] = true
		}
	}
	return nil
}

// without complains about what was not there before. What is gone since is nobody's leftover.
func (t traces) without(after traces) error {
	var left []string
	for trace := range after {
		if !t[trace] {
			left = append(left, trace)
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.Sort(left)
	return fmt.Errorf("left behind: %s", strings.Join(left, ", "))
}
