// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// The guard sees to it that nothing outlives the process that started a control plane, however that ends: a test
// that panics, runs into its time limit or is killed cannot stop anything itself.
//
// Every program is started through a shell that notes its own process id and then becomes the program. A watchdog process
// holds the read end of a pipe whose write end only our process has. When that end closes without a word of farewell, our
// process is gone, and the watchdog kills what was noted and removes the folder. (On Linux a parent-death signal would do the
// killing, but envtest leaves no room to ask for one, and it would not remove credentials.)
type guard struct {
	dir      string
	watchdog *exec.Cmd
	farewell io.WriteCloser
}

var (
	//go:embed become.sh
	becomeScript string
	//go:embed watchdog.sh
	watchdogScript string
)

const shell = "/bin/sh"

func (c *ControlPlane) startGuard(context.Context) error {
	g := &guard{dir: c.dir}
	for _, dir := range []string{g.pids(), g.latest(), g.wrappers()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("start the watchdog: %w", err)
		}
	}
	// Not bound to a context: it must outlive whatever is cancelled.
	g.watchdog = exec.Command(shell, "-c", watchdogScript, "watchdog", g.dir)
	g.watchdog.SysProcAttr = ownGroup()
	g.watchdog.Dir = "/"
	var err error
	if g.farewell, err = g.watchdog.StdinPipe(); err != nil {
		return fmt.Errorf("start the watchdog: %w", err)
	}
	if err := g.watchdog.Start(); err != nil {
		return fmt.Errorf("start the watchdog: %w", err)
	}
	c.guard = g
	return nil
}

func (g *guard) pids() string     { return filepath.Join(g.dir, "pids") }
func (g *guard) latest() string   { return filepath.Join(g.dir, "latest") }
func (g *guard) wrappers() string { return filepath.Join(g.dir, "wrappers") }

// command is exec.CommandContext for a program that must not outlive us. The process keeps its id when it becomes the program,
// so that signals reach the program.
func (g *guard) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, shell, append([]string{"-c", becomeScript, g.pids(), path}, args...)...)
}

// lazyCollector has the garbage collector of a program run less often, unless the caller's environment says how often: of what
// an API server computes under a test, a fifth is that, and there is memory enough for what a test stores.
const lazyCollector = `export GOGC="${GOGC:-400}"`

// wrap writes a script that does what command does, for those who can only be told a path.
func (g *guard) wrap(path string) (string, error) {
	wrapper := filepath.Join(g.wrappers(), filepath.Base(path))
	script := fmt.Sprintf("#!%s\n%s\nexec %s -c %s %s %s \"$@\"\n", shell, lazyCollector, shell, quote(becomeScript), quote(g.pids()), quote(path))
	if err := os.WriteFile(wrapper, []byte(script), 0o700); err != nil {
		return "", fmt.Errorf("wrap %s: %w", path, err)
	}
	return wrapper, nil
}

// dismiss ends the watchdog and waits for it. When not everything has ended, it first kills the rest.
func (g *guard) dismiss(clean bool) error {
	var errs []error
	if clean {
		_, err := io.WriteString(g.farewell, "farewell\n")
		errs = append(errs, err)
	}
	errs = append(errs, g.farewell.Close(), g.watchdog.Wait())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("end the watchdog: %w", err)
	}
	return nil
}

// quote makes s one word for a shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// ownGroup keeps a process out of the terminal's foreground group: Ctrl-C must reach the one who then stops things in order, and
// not the things.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
