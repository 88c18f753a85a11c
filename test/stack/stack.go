// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package stack runs the built programs together, each as a process of its own on free loopback ports: the operator with the
// permissions that the repository ships, the emulator of Medblocks, and the sample receiver, beside a real control plane. The
// demo and the end-to-end tests share it.
package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/process"
)

const (
	// startTimeout is how long one program may take until it serves. Idle machines need a second.
	startTimeout = 90 * time.Second
	// stopTimeout is how long one program may take to end. The operator may have a call in flight.
	stopTimeout = 45 * time.Second
)

// Programs are the paths of the built programs.
type Programs struct {
	Manager, Emulator, Receiver, Demo, Plugin string
}

// FindPrograms finds the programs in a folder, such as bin.
func FindPrograms(dir string) (Programs, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Programs{}, fmt.Errorf("find the programs: %w", err)
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	found := Programs{
		Manager: path("manager"), Emulator: path("emulator"), Receiver: path("receiver"), Demo: path("demo"), Plugin: path("kubectl-medblocks"),
	}
	var missing []string
	for _, program := range []string{found.Manager, found.Emulator, found.Receiver, found.Demo, found.Plugin} {
		if info, err := os.Stat(program); err != nil || !info.Mode().IsRegular() {
			missing = append(missing, filepath.Base(program))
		}
	}
	if len(missing) > 0 {
		return Programs{}, fmt.Errorf("%s: not in %s: run `make build`", strings.Join(missing, ", "), dir)
	}
	return found, nil
}

// Stack starts programs and ends them in the reverse order. Several goroutines may start and end operators.
type Stack struct {
	Plane    *controlplane.ControlPlane
	Programs Programs
	// Dir holds the logs and the mounted Secret. It is within the control plane's folder: whoever removes that (Stop, or its
	// watchdog after our death) removes this too.
	Dir string

	mu        sync.Mutex
	processes []*process.Process
}

// New is a stack beside a control plane. The caller stops the stack before the control plane.
func New(plane *controlplane.ControlPlane, programs Programs) (*Stack, error) {
	dir, err := os.MkdirTemp(filepath.Dir(plane.AdminKubeconfig()), "stack-")
	if err != nil {
		return nil, fmt.Errorf("create a folder: %w", err)
	}
	return &Stack{Plane: plane, Programs: programs, Dir: dir}, nil
}

// Stop ends everything that still runs. A program that ended by itself, or with an error, is an error, unless Kill or Stop of
// the process was called on purpose.
func (s *Stack) Stop() error {
	var errs []error
	for i := len(s.processes) - 1; i >= 0; i-- {
		errs = append(errs, s.processes[i].Stop(stopTimeout))
	}
	s.processes = nil
	return errors.Join(errs...)
}

// Check returns an error when a program has ended by itself.
func (s *Stack) Check() error {
	for _, p := range s.processes {
		if !p.Running() {
			return p.EndedError()
		}
	}
	return nil
}

// EndProcess stops one program before the others.
func (s *Stack) EndProcess(p *process.Process) error {
	s.disown(p)
	return p.Stop(stopTimeout)
}

// KillProcess ends one program as a crash would.
func (s *Stack) KillProcess(p *process.Process) error {
	s.disown(p)
	return p.Kill()
}

func (s *Stack) disown(p *process.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.processes[:0]
	for _, other := range s.processes {
		if other != p {
			kept = append(kept, other)
		}
	}
	s.processes = kept
}

// start starts a program. Its log is the file NAME.log, to which a later program of the same name adds.
func (s *Stack) start(name, path string, args ...string) (*process.Process, error) {
	// Not bound to a context: what runs is ended in order, by Stop.
	cmd := s.Plane.Command(context.Background(), path, args...)
	cmd.Dir = s.Dir
	p, err := process.Start(name, cmd, s.LogPath(name))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes = append(s.processes, p)
	return p, nil
}

// LogPath is where a program's output goes.
func (s *Stack) LogPath(name string) string { return filepath.Join(s.Dir, name+".log") }

var listening = regexp.MustCompile(`(?m)^listening on (https?://\S+)$`)

// serve starts a program that says where it listens.
func (s *Stack) serve(ctx context.Context, name, path string, args ...string) (*process.Process, string, error) {
	p, err := s.start(name, path, args...)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	found, err := p.AwaitLine(ctx, listening)
	if err != nil {
		return nil, "", err
	}
	return p, found[1], nil
}
