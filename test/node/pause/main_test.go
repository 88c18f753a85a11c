// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

const timeout = 20 * time.Second

// TestMain lets the test binary stand in for pause, with a child that nobody waits for.
func TestMain(m *testing.M) {
	if seconds := os.Getenv("PAUSE_TEST_CHILD"); seconds != "" {
		child := exec.CommandContext(context.Background(), "sleep", seconds)
		out, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			panic(err)
		}
		if seconds == "0" {
			_, _ = out.Read(make([]byte, 1)) // until it has ended
		}
		fmt.Fprintln(os.Stdout, child.Process.Pid)
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// start starts pause with a child that ends after some seconds, and waits until that is gone.
func start(t *testing.T, seconds string) *exec.Cmd {
	t.Helper()
	g := NewWithT(t)
	pause, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	command := exec.CommandContext(t.Context(), pause)
	command.Env = append(os.Environ(), "PAUSE_TEST_CHILD="+seconds)
	out, err := command.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(command.Start()).To(Succeed())
	child, err := bufio.NewReader(out).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(func() error {
		_, err := os.Stat("/proc/" + strings.TrimSpace(child))
		return err
	}).WithTimeout(timeout).Should(MatchError(os.ErrNotExist))
	return command
}

func TestPauseLetsGoOfItsChildrenAndEndsWhenItIsTold(t *testing.T) {
	for name, told := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT} {
		for when, seconds := range map[string]string{"a child ended before it began": "0", "a child ends while it waits": "0.5"} {
			t.Run(name+", "+when, func(t *testing.T) {
				g := NewWithT(t)
				command := start(t, seconds)
				g.Expect(command.Process.Signal(told)).To(Succeed())
				g.Expect(command.Wait()).To(Succeed())
			})
		}
	}
}
