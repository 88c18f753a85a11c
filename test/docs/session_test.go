// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// loop is what the shell of a session runs: it takes one step after another from us, and tells how each has ended. A step that
// fails ends the shell, as with a script of a careful person; one that may be repeated does not.
const loop = `set -eu -o pipefail
source "$FUNCTIONS"
while read -r __how __step __output <&3; do
  __status=0
  if [ "$__how" = try ]; then
    source "$__step" >"$__output" 2>&1 </dev/null 3<&- 4>&- || __status=$?
  else
    source "$__step" >"$__output" 2>&1 </dev/null 3<&- 4>&-
  fi
  echo "$__status" >&4
done
`

// session is a shell in which the commands of one page run, in a copy of the checkout.
type session struct {
	dir   string // the copy of the checkout
	notes string // the steps and what they print
	swap  *swaps
	cmd   *exec.Cmd
	tell  io.WriteCloser
	hear  *bufio.Reader
	steps int
	ended bool // the shell has, because a step failed
}

// startSession starts the shell of a page. Namespace is that of the kubeconfig's context.
func (s *site) startSession(ctx context.Context, p *page, dir, namespace string) (*session, error) {
	x := &session{dir: filepath.Join(dir, "checkout"), notes: filepath.Join(dir, "notes"), swap: newSwaps(p, namespace, s.emulator.URL)}
	home := filepath.Join(dir, "home")
	for _, folder := range []string{x.notes, home} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return nil, err
		}
	}
	if err := copyCheckout(root, x.dir); err != nil {
		return nil, err
	}
	if err := s.writeTools(ctx, x); err != nil {
		return nil, err
	}
	kubeconfig := filepath.Join(home, "kubeconfig")
	if err := writeKubeconfig(kubeconfig, s.plane.AdminKubeconfig(), namespace); err != nil {
		return nil, err
	}
	functions, err := filepath.Abs(filepath.Join("testdata", "functions.sh"))
	if err != nil {
		return nil, err
	}
	x.cmd = s.plane.Command(ctx, "/usr/bin/env", "bash", "-c", loop)
	x.cmd.Dir = x.dir
	x.cmd.Env = append(os.Environ(), "FUNCTIONS="+functions, "HOME="+home, "KUBECONFIG="+kubeconfig, "KUBECACHEDIR="+filepath.Join(home, "cache"),
		"KUBECTL="+s.plane.KubectlPath(), "EMULATOR="+s.emulator.URL, "MEDBLOCKS_API_BASE_URL="+s.emulator.URL, "API_KEY="+x.swap.apiKey, "NAMESPACE="+namespace, "EDITOR=true", "PAGER=cat",
		"GOCACHE="+goCache(), "GOMODCACHE="+goModCache(), "GOFLAGS=-buildvcs=false", "GIT_CEILING_DIRECTORIES="+dir,
		"PATH="+strings.Join([]string{filepath.Join(dir, "tools"), filepath.Join(root, "bin", "tools"), os.Getenv("PATH")}, ":"))
	return x, x.start()
}

func (x *session) start() error {
	theirSteps, ourSteps, err := os.Pipe()
	if err != nil {
		return err
	}
	ourResults, theirResults, err := os.Pipe()
	if err != nil {
		return err
	}
	x.cmd.ExtraFiles = []*os.File{theirSteps, theirResults}
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = x.cmd.Start()
	x.tell, x.hear = ourSteps, bufio.NewReader(ourResults)
	return errors.Join(err, theirSteps.Close(), theirResults.Close())
}

// stop ends the shell and everything that it has left running.
func (x *session) stop() {
	_ = x.tell.Close()
	_ = syscall.Kill(-x.cmd.Process.Pid, syscall.SIGTERM)
	_ = x.cmd.Wait()
	_ = syscall.Kill(-x.cmd.Process.Pid, syscall.SIGKILL) // what did not listen; there may be nothing
}

// run does one step. Where the page shows an output, that has to be printed; where not, the step has to succeed.
func (x *session) run(ctx context.Context, s step) error {
	s.script, s.expect = x.swap.inCommand(s.script), x.swap.in(s.expect)
	if strings.Contains(s.script, "…") {
		return fmt.Errorf("line %d: nobody knows what … stands for in\n%s", s.line, indent(s.script))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	x.steps++
	var last error
	err := wait.PollUntilContextCancel(ctx, 3*often, true, func(ctx context.Context) (bool, error) {
		err := x.attempt(ctx, s)
		if last == nil || ctx.Err() == nil {
			last = err // and not that time was up in the middle of the last attempt
		}
		if err != nil && s.again && !x.ended {
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return fmt.Errorf("line %d: %w\nof\n%s", s.line, errors.Join(err, last), indent(s.script))
	}
	return x.awaitServers(ctx, s)
}

func (x *session) attempt(ctx context.Context, s step) error {
	how := "run"
	switch {
	case s.server:
		s.script = "{\n" + s.script + "} &\n"
	case s.expect != "":
		how = "try"
	}
	status, output, err := x.do(ctx, how, s.script)
	switch {
	case err != nil:
		return err
	case s.server:
		return x.awaitOutput(ctx, output, s.expect)
	}
	printed, err := os.ReadFile(output)
	switch {
	case err != nil:
		return err
	case s.expect != "":
		if err := matches(s.expect, string(printed)); err != nil {
			return err
		}
		x.swap.learn(s.expect, string(printed))
		return nil
	case status != "0":
		return fmt.Errorf("exit status %s, after\n%s", status, indent(string(printed)))
	}
	return nil
}

// do hands a script to the shell and waits for its end.
func (x *session) do(ctx context.Context, how, script string) (status, output string, err error) {
	file := filepath.Join(x.notes, fmt.Sprintf("%03d.sh", x.steps))
	output = strings.TrimSuffix(file, ".sh") + ".out"
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return "", "", err
	}
	if _, err := fmt.Fprintln(x.tell, how, file, output); err != nil {
		return "", "", err
	}
	heard := make(chan error, 1)
	go func() {
		var err error
		status, err = x.hear.ReadString('\n')
		heard <- err
	}()
	select {
	case <-ctx.Done():
		x.stop()
		err = errors.Join(context.Cause(ctx), <-heard)
	case err = <-heard:
	}
	if err != nil {
		x.ended = true
		printed, _ := os.ReadFile(output)
		return "", output, fmt.Errorf("the command failed, or did not end (%w), after\n%s", err, indent(string(printed)))
	}
	return strings.TrimSpace(status), output, nil
}

// transcript is what the steps have printed so far.
func (x *session) transcript() string {
	var all strings.Builder
	for i := 1; i <= x.steps; i++ {
		script, _ := os.ReadFile(filepath.Join(x.notes, fmt.Sprintf("%03d.sh", i)))
		printed, _ := os.ReadFile(filepath.Join(x.notes, fmt.Sprintf("%03d.out", i)))
		fmt.Fprintf(&all, "--- step %d\n%s\n%s\n", i, script, indent(string(printed)))
	}
	return all.String()
}

// awaitOutput waits until a server has printed what the page shows.
func (x *session) awaitOutput(ctx context.Context, path, expected string) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, often, true, func(context.Context) (bool, error) {
		printed, err := os.ReadFile(path)
		if err == nil {
			err = matches(expected, string(printed))
		}
		last = err
		return err == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}

// awaitServers waits until the programs that a step has started listen: a reader takes longer than that to the next block.
func (x *session) awaitServers(ctx context.Context, s step) error {
	if !programs.MatchString(s.script) || asking.MatchString(s.script) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, address := range x.swap.servers(s.script) {
		if err := awaitListener(ctx, address); err != nil {
			return fmt.Errorf("line %d: wait until somebody listens at %s: %w", s.line, address, err)
		}
	}
	return nil
}
