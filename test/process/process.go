// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package process runs a program beside a test or the demo: it is started, watched through what it writes, asked to end, and
// killed when it does not. Nothing here survives its parent by itself: give it commands of controlplane.ControlPlane.Command,
// which are killed when the parent dies.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// pollInterval is how often the log is read while somebody waits for a line.
const pollInterval = 20 * time.Millisecond

// Process is a program that was started. Its methods may be called from several goroutines.
type Process struct {
	name    string
	logPath string
	logFrom int64 // where in the file this process began
	cmd     *exec.Cmd
	done    chan struct{} // closed once it has ended
}

// Start starts a command. What it writes to standard output and error is appended to the file logPath, which the program holds
// open itself: nothing is lost, however it or we end. It gets a process group of its own, so that Ctrl-C in a terminal
// reaches us and not it: we stop things in order.
func Start(name string, cmd *exec.Cmd, logPath string) (*Process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, logPath: logPath, logFrom: info.Size(), cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // How it ended is in cmd.ProcessState.
	}()
	return p, nil
}

// Name is what the process was called at its start.
func (p *Process) Name() string { return p.name }

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed once the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running tells whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ExitCode is that of a process that has ended, −1 if a signal ended it, and also −1 while it runs.
func (p *Process) ExitCode() int {
	if p.Running() {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

// Log is everything that this process has written so far.
func (p *Process) Log() string {
	content, err := os.ReadFile(p.logPath)
	if err != nil {
		return fmt.Sprintf("(the log of %s cannot be read: %v)", p.name, err)
	}
	return string(content[min(p.logFrom, int64(len(content))):])
}

// Tail is the last lines that were written.
func (p *Process) Tail(lines int) string {
	all := strings.Split(strings.TrimRight(p.Log(), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// AwaitLine waits until something in the log matches, and returns the match and its groups. It fails when the process ends
// before that, and when ctx does.
func (p *Process) AwaitLine(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	var found []string
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(context.Context) (bool, error) {
		ended := !p.Running() // asked first: what it wrote before its end counts
		if found = pattern.FindStringSubmatch(p.Log()); found != nil {
			return true, nil
		}
		if ended {
			return false, p.EndedError()
		}
		return false, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait until %s says %q: %w", p.name, pattern, err)
	}
	return found, nil
}

// EndedError tells how the process ended, and its last words. It is for a process that has ended.
func (p *Process) EndedError() error {
	return fmt.Errorf("%s ended by itself (%s); its last words:\n%s", p.name, p.cmd.ProcessState, p.Tail(10))
}

// Signal sends a signal. It is no error if the process has ended.
func (p *Process) Signal(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Stop asks the process to end with SIGTERM and waits for it. A process that had ended by itself, that had to be killed after
// the patience given, or that ended with an error, is an error.
func (p *Process) Stop(patience time.Duration) error {
	if !p.Running() {
		return p.EndedError()
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("%s did not end within %s of SIGTERM and was killed", p.name, patience), p.Kill())
	}
	if !p.cmd.ProcessState.Success() {
		return p.EndedError()
	}
	return nil
}

// Kill ends the process without a chance to tidy up, and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}
