// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"github.com/spf13/pflag"
)

// startProgram runs the program and returns its base URL from its first line.
func startProgram(t *testing.T, args ...string) (base string, stop func() error) {
	t.Helper()
	g := NewWithT(t)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), in, io.Discard) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(line).To(MatchRegexp(`^listening on http://127\.0\.0\.1:\d+\n$`))
	t.Cleanup(cancel)
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), func() error {
		cancel()
		return <-done
	}
}

func call(t *testing.T, method, url, key, body string) (int, map[string]any) {
	t.Helper()
	g := NewWithT(t)
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	g.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	g.Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	var out map[string]any
	if resp.ContentLength != 0 {
		g.Expect(json.NewDecoder(resp.Body).Decode(&out)).To(Succeed())
	}
	return resp.StatusCode, out
}

func TestTheProgramServesUntilItIsToldToStop(t *testing.T) {
	g := NewWithT(t)
	base, stop := startProgram(t, "--max-endpoints", "1", "--api-key", "mb_sk_sbx_one", "--api-version", "2027-01-01")
	body := `{"url":"https://receiver.example.com","events":["*"]}`
	status, made := call(t, http.MethodPost, base+"/webhooks", "mb_sk_sbx_one", body)
	g.Expect(status).To(Equal(http.StatusCreated))
	g.Expect(made["secret"]).To(HavePrefix("whsec_"))
	status, _ = call(t, http.MethodPost, base+"/webhooks", "mb_sk_sbx_one", body)
	g.Expect(status).To(Equal(http.StatusTooManyRequests))
	status, _ = call(t, http.MethodGet, base+"/webhooks", "mb_sk_sbx_two", "")
	g.Expect(status).To(Equal(http.StatusUnauthorized))
	g.Expect(stop()).To(Succeed())
	_, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	g.Expect(err).To(HaveOccurred())
}

func TestTheProgramStopsThoughACallHangs(t *testing.T) {
	g := NewWithT(t)
	base, stop := startProgram(t)
	status, _ := call(t, http.MethodPost, base+"/_emulator/faults", "", `{"kind":"hang"}`)
	g.Expect(status).To(Equal(http.StatusOK))
	hung := make(chan error, 1)
	go func() {
		resp, err := http.Get(base + "/webhooks")
		if err == nil {
			err = resp.Body.Close()
		}
		hung <- err
	}()
	g.Eventually(func() any {
		_, counters := call(t, http.MethodGet, base+"/_emulator/counters", "", "")
		return counters["calls"]
	}).Should(HaveKey("ListEndpoints"))
	g.Expect(stop()).To(Succeed())
	g.Expect(<-hung).To(HaveOccurred())
}

func TestTheProgramTrustsAGivenAuthorityInReceivers(t *testing.T) {
	g := NewWithT(t)
	got := make(chan struct{}, 1)
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got <- struct{}{} }))
	t.Cleanup(receiver.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: receiver.Certificate().Raw})
	g.Expect(os.WriteFile(file, ca, 0o600)).To(Succeed())

	base, stop := startProgram(t, "--delivery-ca", file)
	status, _ := call(t, http.MethodPost, base+"/webhooks", "mb_sk_sbx_one", `{"url":"`+receiver.URL+`","events":["*"]}`)
	g.Expect(status).To(Equal(http.StatusCreated))
	call(t, http.MethodPost, base+"/_emulator/events", "", `{}`)
	g.Eventually(got).Should(Receive())
	g.Expect(stop()).To(Succeed())
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	g := NewWithT(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { _ = taken.Close() })
	for _, c := range []struct{ args, says string }{
		{"--time-scale=0", "--time-scale"},
		{"--max-endpoints=-1", "--max-endpoints"},
		{"--latency=-1s", "--latency"},
		{"--latency-jitter=-1s", "--latency-jitter"},
		{"--rate-limit=-1", "--rate-limit"},
		{"--rate-burst=-1", "--rate-burst"},
		{"--log-level=loud", "--log-level"},
		{"--delivery-ca=/nonexistent", "--delivery-ca"},
		{"--delivery-ca=main_test.go", "no PEM certificate"},
		{"serve", "unexpected argument"},
		{"--listen=" + taken.Addr().String(), "in use"},
	} {
		g.Expect(run(t.Context(), []string{c.args}, io.Discard, io.Discard)).To(MatchError(ContainSubstring(c.says)), c.args)
	}
	g.Expect(run(t.Context(), []string{"--help"}, io.Discard, io.Discard)).To(MatchError(pflag.ErrHelp))
}
