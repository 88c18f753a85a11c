// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// terminal runs the commands that a user would type, in a folder of its own.
type terminal struct {
	command func(ctx context.Context, program string, args ...string) *exec.Cmd
	// program is kubectl, and kubeconfig what it is to use.
	program, kubeconfig string
	dir                 string
	screen              *screen
}

// kubectl shows a command and what it prints.
func (t *terminal) kubectl(ctx context.Context, args ...string) error {
	return t.kubectlFrom(ctx, "", args...)
}

// kubectlFrom is kubectl, with what comes before the line that starts with the marker left out, and that said.
func (t *terminal) kubectlFrom(ctx context.Context, marker string, args ...string) error {
	t.screen.typed("kubectl " + shellWords(args))
	out, err := t.prepare(ctx, args...).CombinedOutput()
	text := string(out)
	if left, rest, found := strings.Cut(text, "\n"+marker); marker != "" && found {
		t.screen.line(t.screen.paint(dim, fmt.Sprintf("… (%d lines)", strings.Count(left, "\n")+1)))
		text = marker + rest
	}
	if text != "" {
		t.screen.output(text)
	}
	if err != nil {
		return fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return nil
}

func (t *terminal) prepare(ctx context.Context, args ...string) *exec.Cmd {
	cmd := t.command(ctx, t.program, args...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "KUBECONFIG="+t.kubeconfig, "KUBECACHEDIR="+filepath.Join(t.dir, ".kube-cache"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us; the context then ends it
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

var shellSafe = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellWords writes a command line that can be pasted into a shell.
func shellWords(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = arg
		if !shellSafe.MatchString(arg) {
			words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
