// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// restarts is how often a program may end before it is taken for one that cannot run.
const restarts = 20

// supervise starts services and starts again the one that ends, and buries all orphans: it is the first process of the node. With its
// reaping every child, os/exec could not wait for one, so that processes are started and waited for directly.
func supervise(ctx context.Context, folder string, services []service) error {
	running := map[int]service{}
	for _, s := range services {
		pid, err := launch(folder, s)
		if err != nil {
			return err
		}
		running[pid] = s
		if s.ready != nil {
			if err := s.ready(ctx); err != nil {
				return fmt.Errorf("start %s: %w", s.name, err)
			}
		}
	}
	for ended := 0; ; {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if err == unix.EINTR { //nolint:errorlint // an errno, as the system call returned it
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for a process: %w", err)
		}
		s, ours := running[pid]
		if !ours {
			continue
		}
		if ended++; ended > restarts {
			return fmt.Errorf("%s has ended again (%v): something ended %d times", s.name, status, ended)
		}
		delete(running, pid)
		if pid, err = launch(folder, s); err != nil {
			return err
		}
		running[pid] = s
	}
}

// launch starts a program, without waiting for anything. Its output goes to a file.
func launch(folder string, s service) (pid int, err error) {
	log, err := os.OpenFile(logPath(folder, s.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	path, err := lookPath(folder, s.name)
	if err != nil {
		return 0, err
	}
	// Without the variables that say that this process is a stage: what is started is none.
	process, err := os.StartProcess(path, append([]string{path}, s.args...), &os.ProcAttr{
		Dir: "/", Env: []string{"PATH=" + os.Getenv("PATH")}, Files: []*os.File{nil, log, log}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", s.name, err)
	}
	pid = process.Pid
	return pid, process.Release()
}

// lookPath finds a program of the node: Kubernetes' are linked into the cluster's folder, the others are installed on the machine.
func lookPath(folder, name string) (string, error) {
	for _, dir := range append([]string{filepath.Join(folder, "bin")}, filepath.SplitList(os.Getenv("PATH"))...) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}
