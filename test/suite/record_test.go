// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
)

// buffer is a log that can be read while it is written.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// kubeCall is one request of the operator to the API server.
type kubeCall struct {
	Method, Path, Body string
	DryRun             bool
	Status             int // 0 = no answer
}

// writes tells whether something may have been stored.
func (c kubeCall) writes() bool {
	return c.Method != http.MethodGet && !c.DryRun && c.Status < 300
}

func (c kubeCall) about(resource string) bool {
	return strings.Contains(c.Path, "/"+resource+"/") || strings.HasSuffix(c.Path, "/"+resource)
}

// recorder notes what the operator asks the API server for. It outlives restarts of the operator.
type recorder struct {
	mu    sync.Mutex
	calls []kubeCall
}

func (r *recorder) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		call := kubeCall{Method: req.Method, Path: req.URL.Path, DryRun: req.URL.Query().Get("dryRun") != ""}
		if req.Body != nil && req.Method != http.MethodGet {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			call.Body = string(body)
			req = req.Clone(req.Context())
			req.Body = io.NopCloser(bytes.NewReader(body))
		}
		resp, err := next.RoundTrip(req)
		if err == nil {
			call.Status = resp.StatusCode
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.calls = append(r.calls, call)
		return resp, err
	})
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = nil
}

func (r *recorder) all(keep func(kubeCall) bool) []kubeCall {
	r.mu.Lock()
	defer r.mu.Unlock()
	var kept []kubeCall
	for _, call := range r.calls {
		if keep(call) {
			kept = append(kept, call)
		}
	}
	return kept
}

// resourceWrites are the writes to the resource itself, its status included.
func (r *recorder) resourceWrites() []kubeCall {
	return r.all(func(c kubeCall) bool { return c.writes() && c.about("medblockswebhookendpoints") })
}

func (r *recorder) secretWrites() []kubeCall {
	return r.all(func(c kubeCall) bool { return c.writes() && c.about("secrets") })
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
