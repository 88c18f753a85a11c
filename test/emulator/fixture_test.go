// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/medblocks/webhook-operator/test/emulator"
)

const key = "mb_sk_sbx_tests"

var start = time.Date(2026, 4, 25, 14, 30, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(10 * time.Second) // the machine may be busy with other packages
	m.Run()
}

// fixture is an emulator behind a real port.
type fixture struct {
	*emulator.Server
	t   *testing.T
	url string
	clk *clocktesting.FakeClock
}

// newFixture starts an emulator on a fake clock that stands at start.
func newFixture(t *testing.T, tweak ...func(*emulator.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, clk: clocktesting.NewFakeClock(start)}
	opts := emulator.Options{Clock: f.clk}
	for _, change := range tweak {
		change(&opts)
	}
	f.Server = emulator.New(opts)
	server := httptest.NewServer(f.Server)
	t.Cleanup(server.Close)
	t.Cleanup(f.Close)
	f.url = server.URL
	return f
}

type response struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// try makes a call that may get no answer. Connections are not reused, so that
// what one test does to a connection stays with it.
func (f *fixture) try(method, path, body string) (response, error) {
	req, err := http.NewRequest(method, f.url+path, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Close = true
	client := http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return response{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	out := response{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &out.body)
	return out, err
}

func (f *fixture) do(method, path, body string) response {
	f.t.Helper()
	resp, err := f.try(method, path, body)
	NewWithT(f.t).Expect(err).NotTo(HaveOccurred())
	return resp
}

// register makes an endpoint through the API.
func (f *fixture) register(url string) emulator.EndpointWithSecret {
	f.t.Helper()
	g := NewWithT(f.t)
	resp := f.do(http.MethodPost, "/webhooks", `{"url":"`+url+`","events":["*"]}`)
	g.Expect(resp.status).To(BeNumerically("<", 300), resp.raw)
	e, err := f.Endpoint(resp.body["id"].(string))
	g.Expect(err).NotTo(HaveOccurred())
	return e
}

// fire makes one event for the only endpoint and waits for its first attempt.
func (f *fixture) fire() string {
	f.t.Helper()
	fired := f.Fire(key, "records.sync.failed", nil)
	NewWithT(f.t).Expect(fired).To(HaveLen(1))
	f.settle()
	return fired[0].ID
}

func (f *fixture) settle() {
	f.t.Helper()
	NewWithT(f.t).Eventually(f.Idle, "10s", "1ms").Should(BeTrue())
}

// step moves the clock and waits for the attempts that fall due.
func (f *fixture) step(d time.Duration) {
	f.t.Helper()
	f.clk.Step(d)
	f.settle()
}

func (f *fixture) status(id string) string {
	f.t.Helper()
	e, err := f.Endpoint(id)
	NewWithT(f.t).Expect(err).NotTo(HaveOccurred())
	return e.Status
}

func (f *fixture) event(endpointID, id string) emulator.EventRecord {
	f.t.Helper()
	for _, record := range f.Events(endpointID) {
		if record.ID == id {
			return record
		}
	}
	f.t.Fatalf("no event %s", id)
	return emulator.EventRecord{}
}

// receiver is a user's server; answer decides what it says.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	answer   http.HandlerFunc
	requests []received
}

type received struct {
	header http.Header
	body   string
}

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.requests = append(r.requests, received{header: req.Header.Clone(), body: string(body)})
	answer := r.answer
	r.mu.Unlock()
	answer(w, req)
}

func (r *receiver) got() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.requests...)
}

func (r *receiver) setAnswer(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
