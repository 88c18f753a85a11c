// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

const runMark = "contract-run"

// target is the server under test.
type target struct {
	base   string
	key    string
	run    string
	made   int
	vendor *emulator.Server // nil when the server is somebody else's
}

func newTarget(t *testing.T) *target {
	t.Helper()
	run := time.Now().UTC().Format("20060102T150405.000000000")
	if base := os.Getenv("MEDBLOCKS_CONTRACT_BASE_URL"); base != "" {
		key := os.Getenv("MEDBLOCKS_CONTRACT_API_KEY")
		if err := permitted(base, key, os.Getenv("MEDBLOCKS_CONTRACT_ALLOW_REMOTE")); err != nil {
			t.Fatal(err)
		}
		tg := &target{base: strings.TrimRight(base, "/"), key: key, run: run}
		t.Cleanup(func() { tg.sweep(t) })
		return tg
	}
	vendor := emulator.New(emulator.Options{})
	server := httptest.NewServer(vendor)
	t.Cleanup(server.Close)
	t.Cleanup(vendor.Close)
	tg := &target{base: server.URL, key: "mb_sk_sbx_contract", run: run, vendor: vendor}
	t.Cleanup(func() { tg.sweep(t) })
	return tg
}

// permitted keeps the suite on this machine, and away from production.
func permitted(base, key, allowRemote string) error {
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("MEDBLOCKS_CONTRACT_BASE_URL: %w", err)
	}
	if key == "" {
		return errors.New("MEDBLOCKS_CONTRACT_API_KEY is needed with MEDBLOCKS_CONTRACT_BASE_URL")
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "localhost" || (err == nil && addr.IsLoopback()) {
		return nil
	}
	if allowRemote != "1" {
		return fmt.Errorf("%s is not on this machine: set MEDBLOCKS_CONTRACT_ALLOW_REMOTE=1 if its owner agrees", u.Host)
	}
	if !strings.HasPrefix(key, "mb_sk_sbx_") {
		return errors.New("the contract is checked with a sandbox key (mb_sk_sbx_…) only")
	}
	return nil
}

// emulatorOnly skips a check that needs more than the vendor's documented calls.
func (tg *target) emulatorOnly(t *testing.T) {
	t.Helper()
	if tg.vendor == nil {
		t.Skip("needs the emulator's own surface")
	}
}

// assumed reports on a choice that the documentation leaves open.
func (tg *target) assumed(t *testing.T, holds bool, what string) {
	t.Helper()
	switch {
	case holds:
	case tg.vendor != nil:
		t.Errorf("the emulator does not do what is assumed: %s", what)
	default:
		t.Logf("ASSUMPTION DOES NOT HOLD: %s", what)
	}
}

// sweep removes what a failed check may have left behind.
func (tg *target) sweep(t *testing.T) {
	t.Helper()
	for _, e := range tg.listAll(t, "") {
		if metadata, isMap := e["metadata"].(map[string]any); isMap && metadata[runMark] == tg.run {
			tg.do(t, http.MethodDelete, "/webhooks/"+e["id"].(string), nil)
		}
	}
}

type response struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

type option func(*http.Request)

func withKey(key string) option {
	return func(r *http.Request) {
		r.Header.Del("Authorization")
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
	}
}

func withVersion(version string) option {
	return func(r *http.Request) { r.Header.Set("Version", version) }
}

// do makes one call. The body is JSON text, or a value to encode.
func (tg *target) do(t *testing.T, method, path string, body any, options ...option) response {
	t.Helper()
	g := NewWithT(t)
	var payload []byte
	switch b := body.(type) {
	case nil:
	case string:
		payload = []byte(b)
	default:
		var err error
		payload, err = json.Marshal(b)
		g.Expect(err).NotTo(HaveOccurred())
	}
	// Without the test's context: that one has ended when a cleanup runs.
	req, err := http.NewRequest(method, tg.base+path, bytes.NewReader(payload))
	g.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+tg.key)
	req.Header.Set("Version", "2026-04-25")
	req.Header.Set("Content-Type", "application/json")
	for _, o := range options {
		o(req)
	}
	client := &http.Client{Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	g.Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	g.Expect(err).NotTo(HaveOccurred())
	out := response{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &out.body) // an empty or foreign body stays nil, and is then looked at
	return out
}

// spec is a valid registration, marked as this run's.
func (tg *target) spec() map[string]any {
	return map[string]any{
		"url": "https://receiver.example.com/medblocks", "events": []string{"patient_flow.completed", "records.sync.failed"},
		"description": "contract", "metadata": map[string]any{runMark: tg.run},
	}
}

// create registers an endpoint with a URL of its own, and removes it at the end of the test.
func (tg *target) create(t *testing.T, tweak func(map[string]any)) map[string]any {
	t.Helper()
	spec := tg.spec()
	tg.made++
	spec["url"] = fmt.Sprintf("https://receiver.example.com/medblocks/%d", tg.made)
	if tweak != nil {
		tweak(spec)
	}
	resp := tg.do(t, http.MethodPost, "/webhooks", spec)
	NewWithT(t).Expect(resp.status).To(And(BeNumerically(">=", 200), BeNumerically("<", 300)), resp.raw)
	id := resp.body["id"].(string)
	t.Cleanup(func() { tg.do(t, http.MethodDelete, "/webhooks/"+id, nil) })
	return resp.body
}

func (tg *target) listAll(t *testing.T, filter string) []map[string]any {
	t.Helper()
	g := NewWithT(t)
	var out []map[string]any
	query := "?limit=100" + filter
	for {
		resp := tg.do(t, http.MethodGet, "/webhooks"+query, nil)
		g.Expect(resp.status).To(Equal(http.StatusOK), resp.raw)
		for _, item := range resp.body["data"].([]any) {
			out = append(out, item.(map[string]any))
		}
		if resp.body["has_more"] != true {
			return out
		}
		query = "?limit=100" + filter + "&starting_after=" + url.QueryEscape(resp.body["next_cursor"].(string))
	}
}

func ids(endpoints []map[string]any) []string {
	out := []string{}
	for _, e := range endpoints {
		out = append(out, e["id"].(string))
	}
	return out
}

// expectError checks the envelope that every failure has [doc].
func expectError(t *testing.T, resp response, status int) map[string]any {
	t.Helper()
	g := NewWithT(t)
	g.Expect(resp.status).To(Equal(status), resp.raw)
	g.Expect(resp.body).To(HaveKey("error"), resp.raw)
	e := resp.body["error"].(map[string]any)
	for _, field := range []string{"type", "code", "message", "doc_url", "request_id"} {
		g.Expect(e[field]).To(BeAssignableToTypeOf(""), "%s in %s", field, resp.raw)
		g.Expect(e[field]).NotTo(BeEmpty(), "%s in %s", field, resp.raw)
	}
	g.Expect(e).To(HaveKey("param"))
	g.Expect(resp.header.Get("X-Request-Id")).To(Equal(e["request_id"]))
	return e
}
