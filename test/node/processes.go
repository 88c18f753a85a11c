// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

const terminate = syscall.SIGTERM

func kill(pid int, signal syscall.Signal) error {
	if err := syscall.Kill(pid, signal); err != nil {
		return fmt.Errorf("send signal %s to process %d: %w", signal, pid, err)
	}
	return nil
}

// processOf finds a program that the node's first process has started.
func (c *Cluster) processOf(program string) (pid int, err error) {
	pids, err := processes()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		if filepath.Base(firstArgument(pid)) == program && parentOf(pid) == c.node.Process.Pid {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no %s runs on the node", program)
}

// ContainerProcess is the first process of a container, as the machine room sees it: it can be sent signals, and read in /proc.
func (c *Cluster) ContainerProcess(pod *corev1.Pod, container string) (pid int, err error) {
	var id string
	for _, status := range pod.Status.ContainerStatuses {
		if status.Name == container {
			_, id, _ = strings.Cut(status.ContainerID, "//")
		}
	}
	if id == "" {
		return 0, fmt.Errorf("container %s of Pod %s does not run", container, pod.Name)
	}
	pids, err := processes()
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		groups, _ := os.ReadFile(procFile(pid, "cgroup"))
		if bytes.Contains(groups, []byte(id)) {
			return pid, nil // the first one has the lowest number
		}
	}
	return 0, fmt.Errorf("container %s of Pod %s has no process", container, pod.Name)
}

// NodeFile is the path, in the machine room, of a file on the node.
func (c *Cluster) NodeFile(path string) string {
	return procFile(c.node.Process.Pid, "root"+path)
}

func procFile(pid int, name string) string {
	return "/proc/" + strconv.Itoa(pid) + "/" + name
}

// processes returns all that the machine room sees, lowest number first.
func processes() ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

func firstArgument(pid int) string {
	line, _ := os.ReadFile(procFile(pid, "cmdline"))
	first, _, _ := strings.Cut(string(line), "\x00")
	return first
}

// parentOf reads the fourth field of stat. The second, the name, is in parentheses and may hold anything.
func parentOf(pid int) int {
	stat, _ := os.ReadFile(procFile(pid, "stat"))
	_, rest, _ := strings.Cut(string(stat[max(0, bytes.LastIndexByte(stat, ')')):]), " ")
	if fields := strings.Fields(rest); len(fields) > 1 {
		parent, _ := strconv.Atoi(fields[1])
		return parent
	}
	return 0
}

// unplugged returns when the cable is gone, which the kernel removes some time after the node's last process.
func (c *Cluster) unplugged(ctx context.Context) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		_, err := net.InterfaceByName(roomPort)
		return err != nil, nil
	})
	if err != nil {
		return errors.Join(errors.New("the node's network is still there"), err)
	}
	return nil
}
