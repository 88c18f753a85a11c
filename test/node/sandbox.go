// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// stageVariable tells a process which stage it is; without it, it is outside.
	stageVariable = "E2E_NODE_STAGE"
	// folderVariable is the folder that all stages share.
	folderVariable = "E2E_NODE_FOLDER"

	stageRoom = "room"
	stageNode = "node"

	// goFile is the descriptor of the pipe whose end lets a stage begin: what it needs is there by then.
	goFile = 3
)

// namespaces are what a stage has of its own.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// Main is all that a TestMain does: it has run called in the machine room, and returns the exit code of the program. When anything was
// left behind on the machine, that is an error too.
func Main(run func() int) int {
	// A stage ends with the thread that has started it, see stage.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var err error
	code := 1
	switch os.Getenv(stageVariable) {
	case stageRoom:
		if err = enterRoom(); err == nil {
			code = run()
		}
	case stageNode:
		err = boot(os.Getenv(folderVariable))
	default:
		code, err = outside()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e-node:", err)
		return max(code, 1)
	}
	return code
}

// outside returns the exit code of the machine room.
func outside() (code int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	before, err := look()
	if err != nil {
		return 1, err
	}
	folder, err := os.MkdirTemp("", "e2e-node-")
	if err != nil {
		return 1, err
	}
	groups := cgroups{name: filepath.Base(folder)}
	defer func() {
		err = errors.Join(err, groups.remove(), os.RemoveAll(folder))
		if after, lookErr := look(); lookErr != nil {
			err = errors.Join(err, lookErr)
		} else {
			err = errors.Join(err, before.without(after))
		}
	}()
	if err := groups.create(); err != nil {
		return 1, err
	}
	room, begin, err := stage(ctx, stageRoom, folder)
	if err != nil {
		return 1, err
	}
	room.Args = append(room.Args, os.Args[1:]...)
	room.Stdin, room.Stdout, room.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := room.Start(); err != nil {
		return 1, fmt.Errorf("start the machine room: %w", err)
	}
	if err := groups.join(room.Process.Pid); err != nil {
		return 1, errors.Join(err, room.Process.Kill(), room.Wait())
	}
	err = errors.Join(begin.Close(), room.Wait())
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// stage is this program as another stage, which begins when what is returned is closed. It is killed when this process ends, or when ctx does.
func stage(ctx context.Context, name, folder string) (*exec.Cmd, io.Closer, error) {
	wait, begin, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), stageVariable+"="+name, folderVariable+"="+folder)
	cmd.ExtraFiles = []*os.File{wait}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	return cmd, &pipe{begin: begin, wait: wait}, nil
}

// pipe is the one that lets a stage begin. Its other end is the stage's by then.
type pipe struct{ begin, wait *os.File }

func (p *pipe) Close() error { return errors.Join(p.begin.Close(), p.wait.Close()) }

// awaitBegin returns when the stage may begin.
func awaitBegin() error {
	file := os.NewFile(goFile, "begin")
	_, err := io.ReadAll(file)
	return errors.Join(err, file.Close())
}

// ownMounts keeps what is mounted from now on from the stages before, and shows the stage's own processes in /proc.
func ownMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}
