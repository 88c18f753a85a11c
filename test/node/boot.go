// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// nodeName is what the node is called in Kubernetes.
	nodeName = "node-1"
	// disk is what survives when the node loses power: it is at nodeDisk in the cluster's folder, and these folders of the node are on it.
	nodeDisk = "disk"
	// containerdSocket is where containerd listens, on the node.
	containerdSocket = "/run/containerd/containerd.sock"
	cniPlugins       = "/usr/lib/cni"
)

// boot is the first process of the node: it mounts what the node has for itself, and supervises what runs on it. It returns only if it
// cannot go on.
func boot(folder string) error {
	if err := awaitBegin(); err != nil {
		return err
	}
	ctx := context.Background()
	for _, step := range []func() error{
		ownMounts,
		func() error { return mountDisk(folder) },
		func() error { return copySysctls(folder) },
		func() error { return connect(ctx) },
		func() error { return unix.Sethostname([]byte(nodeName)) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("boot the node: %w", err)
		}
	}
	return supervise(ctx, folder, servicesOf(folder))
}

// mountDisk gives the node its own /run, which is empty after every boot, and its own /var and /etc/cni, which are kept. What this machine has
// in /var is seen below, and is never written.
func mountDisk(folder string) error {
	disk := filepath.Join(folder, nodeDisk)
	for _, name := range []string{"var", "work", "containerd", "kubelet"} {
		if err := os.MkdirAll(filepath.Join(disk, name), 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	layers := fmt.Sprintf("lowerdir=/var,upperdir=%s,workdir=%s", filepath.Join(disk, "var"), filepath.Join(disk, "work"))
	if err := unix.Mount("overlay", "/var", "overlay", 0, layers); err != nil {
		return fmt.Errorf("mount /var: %w", err)
	}
	// Not on that overlay: containers have overlays themselves, and those cannot be written to one.
	for _, name := range []string{"containerd", "kubelet"} {
		target := "/var/lib/" + name
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(filepath.Join(disk, name), target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", target, err)
		}
	}
	return nil
}

// copySysctls lets the kubelet write those settings of the kernel that are not the node's own to copies of them.
func copySysctls(folder string) error {
	for _, name := range sysctls {
		path := "/proc/sys/" + name
		value, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		fake := filepath.Join(folder, "sysctl-"+filepath.Base(name))
		if err := os.WriteFile(fake, value, 0o600); err != nil {
			return err
		}
		if err := unix.Mount(fake, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount a copy of %s: %w", path, err)
		}
	}
	return nil
}

// connect brings up the node's end of the cable.
func connect(ctx context.Context) error {
	err := ip(ctx, [][]string{
		{"link", "set", "lo", "up"},
		{"address", "add", nodeIP + prefix, "dev", nodeDevice},
		{"link", "set", nodeDevice, "up"},
		{"route", "add", "default", "via", roomIP},
	})
	if err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o600)
}

// service is a program that is to run on the node for as long as it is up.
type service struct {
	name string
	args []string
	// ready returns when what needs it may start.
	ready func(context.Context) error
}

// servicesOf are the node's, in the order in which they are started.
func servicesOf(folder string) []service {
	config := func(name string) string { return filepath.Join(folder, "config", name) }
	return []service{
		{name: "containerd", args: []string{"--config=" + config("containerd.toml")}, ready: func(ctx context.Context) error {
			if err := listening(ctx, containerdSocket); err != nil {
				return err
			}
			return loadImages(ctx, filepath.Join(folder, imagesFile))
		}},
		{name: "kube-proxy", args: []string{"--config=" + config("kube-proxy.yaml")}},
		{name: "kubelet", args: []string{
			"--config=" + config("kubelet.yaml"), "--kubeconfig=" + filepath.Join(folder, "pki", "kubelet.kubeconfig"),
			"--hostname-override=" + nodeName, "--node-ip=" + nodeIP, "--root-dir=/var/lib/kubelet",
		}},
	}
}

// listening returns when a server accepts connections.
func listening(ctx context.Context, socket string) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		connection, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return true, connection.Close()
	})
	if err != nil {
		return fmt.Errorf("wait for %s: %w", socket, err)
	}
	return nil
}

// loadImages gives containerd the images that Pods run. They stay on the disk: there is nothing to do when the node starts again.
func loadImages(ctx context.Context, file string) error {
	const loaded = "/var/lib/containerd/images-loaded"
	if _, err := os.Stat(loaded); err == nil {
		return nil
	}
	ctr := exec.CommandContext(ctx, "ctr", "--address="+containerdSocket, "--namespace=k8s.io", "images", "import", file)
	if out, err := ctr.CombinedOutput(); err != nil {
		return fmt.Errorf("load the images: %w: %s", err, out)
	}
	return os.WriteFile(loaded, nil, 0o600)
}
