// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/medblocks/webhook-operator/test/process"
)

// The network: the machine room has a switch, and the node is plugged into it. Pods are behind the node.
const (
	roomSwitch = "switch0"
	roomPort   = "port0"
	nodeDevice = "node0"
	podSwitch  = "pods0"

	roomIP    = "10.77.0.1"
	nodeIP    = "10.77.0.2"
	prefix    = "/24"
	podCIDR   = "10.88.0.0/16"
	serviceIP = "10.96.0.1"
	services  = "10.96.0.0/16"

	apiServerPort = "6443"
)

// patience is how long one step of starting a cluster may take. It takes seconds; a machine that also compiles gets its time.
const patience = 2 * time.Minute

// enterRoom makes the machine room out of the namespaces that this process was started in.
func enterRoom() error {
	if err := awaitBegin(); err != nil {
		return err
	}
	if err := ownMounts(); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("room")); err != nil {
		return fmt.Errorf("set the host's name: %w", err)
	}
	return ip(context.Background(), [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", roomSwitch, "type", "bridge"},
		{"address", "add", roomIP + prefix, "dev", roomSwitch},
		{"link", "set", roomSwitch, "up"},
		// The tests talk to Pods and Services by way of the node.
		{"route", "add", podCIDR, "via", nodeIP},
		{"route", "add", services, "via", nodeIP},
	})
}

// start starts a program of the control plane. Its output goes to a file in folder. It ends with the machine room, whose processes are all
// killed then.
func start(folder, path string, args ...string) (*process.Process, error) {
	name := filepath.Base(path)
	return process.Start(name, exec.Command(path, args...), logPath(folder, name))
}

// ended is why a program runs no more; nil: it runs.
func ended(p *process.Process) error {
	if p.Running() {
		return nil
	}
	return p.EndedError()
}

func logPath(folder, name string) string { return filepath.Join(folder, "logs", name+".log") }

// plugIn connects the machine room with the node whose first process is pid.
func plugIn(ctx context.Context, pid int) error {
	return ip(ctx, [][]string{
		{"link", "add", roomPort, "type", "veth", "peer", "name", nodeDevice, "netns", strconv.Itoa(pid)},
		{"link", "set", roomPort, "master", roomSwitch, "up"},
	})
}

// ip sets up the network of the stage that it is called in.
func ip(ctx context.Context, commands [][]string) error {
	for _, args := range commands {
		if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %q: %w: %s", args, err, out)
		}
	}
	return nil
}
