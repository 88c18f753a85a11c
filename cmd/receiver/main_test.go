// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

// TestMain lets the test binary stand in for the receiver's own.
func TestMain(m *testing.M) {
	if os.Getenv("RECEIVER_TEST_RUN_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func command(t *testing.T, args []string, environment ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	binary, err := os.Executable()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), event.SecretName+"=", event.PreviousSecretName+"=", "RECEIVER_TEST_RUN_MAIN=1")
	cmd.Env = append(cmd.Env, environment...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	return cmd, &stderr
}

func TestTheReceiverSaysWhereItListensAndEndsCleanlyOnASignal(t *testing.T) {
	for name, tc := range map[string]struct {
		signal syscall.Signal
		args   []string
		status int
	}{
		"SIGTERM": {syscall.SIGTERM, []string{"--listen", "127.0.0.1:0"}, http.StatusOK},
		"SIGINT":  {syscall.SIGINT, []string{"--listen", "127.0.0.1:0", "--fail"}, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cmd, stderr := command(t, tc.args, event.SecretName+"=whsec_env")
			stdout, err := cmd.StdoutPipe()
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(cmd.Start()).To(Succeed())
			line, err := bufio.NewReader(stdout).ReadString('\n')
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(line).To(MatchRegexp(`^listening on http://127\.0\.0\.1:[1-9][0-9]*\n$`))
			url := strings.TrimPrefix(strings.TrimSpace(line), "listening on ")

			body := `{"id":"evt_1","type":"x"}`
			request, err := http.NewRequest(http.MethodPost, url+"/webhooks/medblocks", strings.NewReader(body))
			g.Expect(err).NotTo(HaveOccurred())
			request.Header.Set(event.SignatureHeader, event.Sign([]byte(body), "whsec_env", time.Now()))
			response, err := http.DefaultClient.Do(request)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(response.Body.Close()).To(Succeed())
			g.Expect(response.StatusCode).To(Equal(tc.status))

			g.Expect(cmd.Process.Signal(tc.signal)).To(Succeed())
			g.Expect(cmd.Wait()).To(Succeed())
			g.Expect(stderr.String()).NotTo(ContainSubstring("whsec_"))
		})
	}
}

func TestAReceiverThatCannotStartSaysWhy(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"without a secret":             {[]string{"--listen", "127.0.0.1:0"}, "no secret: give --secrets-dir or set " + event.SecretName},
		"with an unknown flag":         {[]string{"--port", "1"}, "unknown flag: --port"},
		"with an argument":             {[]string{"serve"}, `unexpected argument "serve"`},
		"with an address that is none": {[]string{"--secrets-dir", "x", "--listen", "127.0.0.1:99999"}, "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			cmd, stderr := command(t, tc.args)
			g.Expect(cmd.Run()).NotTo(Succeed())
			g.Expect(cmd.ProcessState.ExitCode()).To(Equal(1))
			g.Expect(stderr.String()).To(ContainSubstring(tc.says))
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	g := NewWithT(t)
	cmd, stderr := command(t, []string{"--help"})
	g.Expect(cmd.Run()).To(Succeed())
	for _, flag := range []string{"--listen", "--tls-cert-file", "--tls-private-key-file", "--secrets-dir", "--secrets-wait", "--fail"} {
		g.Expect(stderr.String()).To(ContainSubstring(flag))
	}
}
