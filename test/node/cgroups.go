// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// leaf is the cgroup of everything that is no Pod. Pods have theirs beside it: with version 2, a cgroup with others below it
	// has no processes.
	leaf = "machine"
	// emptied is how long killed processes may take to leave their cgroup.
	emptied = 20 * time.Second
)

// cgroups are those of one cluster: one of the same name in each hierarchy (version 1 has several, version 2 has one). Those in which
// this process already is are no parents of it: a kubelet names its own from the top.
type cgroups struct{ name string }

// hierarchies returns where cgroups are mounted.
func hierarchies() ([]string, error) {
	mounts, err := os.Open("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	defer mounts.Close()
	var roots []string
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 2 && strings.HasPrefix(fields[2], "cgroup") {
			roots = append(roots, fields[1])
		}
	}
	if len(roots) == 0 {
		return nil, errors.New("there are no cgroups")
	}
	return roots, nil
}

func (c cgroups) create() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		for _, group := range []string{filepath.Join(root, c.name), filepath.Join(root, c.name, leaf)} {
			if err := os.Mkdir(group, 0o755); err != nil {
				return err
			}
			if err := inherit(group, "cpuset.cpus", "cpuset.mems"); err != nil {
				return err
			}
		}
	}
	return nil
}

// inherit copies settings that a new cgroup of version 1 does not have, and without which it takes no process.
func inherit(group string, settings ...string) error {
	for _, setting := range settings {
		value, err := os.ReadFile(filepath.Join(filepath.Dir(group), setting))
		if errors.Is(err, fs.ErrNotExist) {
			continue // another controller's
		}
		if err != nil {
			return err
		}
		if len(strings.TrimSpace(string(value))) == 0 {
			continue // version 2: all of them
		}
		if err := os.WriteFile(filepath.Join(group, setting), value, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// join moves a process into all of them. What it starts from then on is in them too.
func (c cgroups) join(pid int) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		procs := filepath.Join(root, c.name, leaf, "cgroup.procs")
		if err := os.WriteFile(procs, []byte(strconv.Itoa(pid)), 0o600); err != nil {
			return fmt.Errorf("join a cgroup: %w", err)
		}
	}
	return nil
}

// remove removes them and all below. A process that is still in one of them, and stays there, is an error.
func (c cgroups) remove() error { return removeAll(c.name) }

// removePods removes those of Pods. Of a machine without power, none are left.
func (c cgroups) removePods() error { return removeAll(filepath.Join(c.name, "kubepods")) }

// removeAll removes a cgroup, and those below it, from every hierarchy.
func removeAll(name string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	var errs []error
	for _, root := range roots {
		group := filepath.Join(root, name)
		err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, emptied, true, func(context.Context) (bool, error) {
			err := removeTree(group)
			if errors.Is(err, unix.EBUSY) {
				return false, nil
			}
			return true, err
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("remove the cgroup %s: %w (processes: %s)", group, err, members(group)))
		}
	}
	return errors.Join(errs...)
}

// removeTree removes a cgroup and those below it. (os.RemoveAll would try to remove its files, which are not files.)
func removeTree(group string) error {
	entries, err := os.ReadDir(group)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(filepath.Join(group, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := unix.Rmdir(group); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

// members lists the processes in a cgroup and below, for an error message.
func members(group string) string {
	var pids []string
	_ = filepath.WalkDir(group, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Base(path) == "cgroup.procs" {
			content, _ := os.ReadFile(path)
			pids = append(pids, strings.Fields(string(content))...)
		}
		return nil
	})
	return strings.Join(pids, " ")
}
