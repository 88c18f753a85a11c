// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Side is whom a request goes to.
type Side string

// The two sides that an operator talks to.
const (
	Kubernetes Side = "Kubernetes"
	Medblocks  Side = "Medblocks"
)

// Request is one request of an operator.
type Request struct {
	Side   Side
	Method string
	Path   string
	Query  url.Values
	Body   string
	// Write is the number of the request among the writes since Intercept, from 1; 0 for what is none: reads, dry runs,
	// and events, which nothing depends on.
	Write int
	// Status is the answer's; 0 while there is none, or where none came.
	Status int

	done <-chan struct{}
}

// Done is closed when the caller has given up on the request, or is done with its answer.
func (r *Request) Done() <-chan struct{} { return r.done }

// IsWrite tells whether the request may change something that the operator depends on.
func (r *Request) IsWrite() bool {
	switch {
	case r.Method == http.MethodGet, r.Query.Get("dryRun") != "":
		return false
	case r.Side == Medblocks:
		return true
	}
	return !r.isEvent()
}

func (r *Request) isEvent() bool {
	return r.Side == Kubernetes && (strings.HasSuffix(r.Path, "/events") || strings.Contains(r.Path, "/events/"))
}

func (r *Request) isWatch() bool { return r.Query.Get("watch") != "" }

// String is short and stable enough to name a request in a test's name.
func (r *Request) String() string {
	path := strings.Split(strings.Trim(r.Path, "/"), "/")
	if r.Side == Medblocks {
		return "Medblocks " + r.Method + " " + strings.Join(slices.DeleteFunc(path, isVendorsID), "/")
	}
	if i := slices.Index(path, "namespaces"); i >= 0 && i+2 < len(path) {
		path = path[i+2:]
	}
	return "Kubernetes " + r.Method + " " + strings.Join(path, "/")
}

// isVendorsID tells whether a part of a path differs from run to run.
func isVendorsID(part string) bool {
	return strings.HasPrefix(part, "wh_") || strings.HasPrefix(part, "evt_")
}

// Middleware handles a request of an operator. Calling send passes it on; not calling it keeps it from its receiver.
type Middleware func(w *Wire, r *Request, send func() (*http.Response, error)) (*http.Response, error)

// ErrCut is what requests meet after the wire was cut.
var ErrCut = errors.New("lab: the wire was cut")

// Wire carries all requests of one operator, to both sides.
type Wire struct {
	world *World

	mu         sync.Mutex
	middleware Middleware
	requests   []*Request
	writes     int
	// intercepted is how many requests there were at the last Intercept.
	intercepted int
	inFlight    int
	cut         chan struct{}
	isCut       bool
}

func newWire(w *World) *Wire { return &Wire{world: w, cut: make(chan struct{})} }

// Intercept sets the middleware, nil for none, and numbers writes from 1 again.
func (w *Wire) Intercept(m Middleware) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.middleware, w.writes, w.intercepted = m, 0, len(w.requests)
}

// Cut ends all traffic: what is under way gets no answer, watches end, and nothing passes from now on.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.isCut {
		w.isCut = true
		close(w.cut)
	}
}

// Done is closed when the wire was cut.
func (w *Wire) Done() <-chan struct{} { return w.cut }

// Requests are all requests so far, in the order in which they were sent.
func (w *Wire) Requests() []Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]Request, 0, len(w.requests))
	for _, r := range w.requests {
		all = append(all, *r)
	}
	return all
}

// Writes are those of the requests that may have changed something: all that were sent and not refused.
func (w *Wire) Writes() []Request {
	return slices.DeleteFunc(w.Requests(), func(r Request) bool { return !r.IsWrite() || r.Status >= 300 })
}

// Written is how many writes since Intercept were sent and not refused.
func (w *Wire) Written() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, r := range w.requests[w.intercepted:] {
		if r.IsWrite() && r.Status < 300 {
			n++
		}
	}
	return n
}

func (w *Wire) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.inFlight == 0
}

// side returns the transport to one side.
func (w *Wire) side(side Side, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) { return w.roundTrip(side, next, req) })
}

func (w *Wire) roundTrip(side Side, next http.RoundTripper, req *http.Request) (*http.Response, error) {
	r := &Request{Side: side, Method: req.Method, Path: req.URL.Path, Query: req.URL.Query()}
	ctx, cancel := context.WithCancel(req.Context())
	r.done = ctx.Done()
	req = req.Clone(ctx)
	if req.Body != nil && req.Method != http.MethodGet {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			cancel()
			return nil, fmt.Errorf("lab: reading the request: %w", err)
		}
		r.Body = string(body)
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	middleware, err := w.begin(r)
	if err != nil {
		cancel()
		return nil, err
	}
	go func() {
		select {
		case <-w.cut:
			cancel()
		case <-ctx.Done():
		}
	}()
	send := func() (*http.Response, error) {
		if w.closed() {
			return nil, ErrCut
		}
		resp, err := next.RoundTrip(req)
		if err == nil {
			w.answered(r, resp.StatusCode)
		}
		return resp, err
	}
	resp, err := through(middleware, w, r, send)
	if err != nil || resp == nil {
		w.end(r)
		cancel()
		return nil, errors.Join(err, errIfNil(resp, err))
	}
	// A body that comes slowly is under way too.
	resp.Body = &body{ReadCloser: resp.Body, cancel: sync.OnceFunc(func() { w.end(r); cancel() })}
	return resp, nil
}

// through passes a request through the middleware, if there is one.
func through(m Middleware, w *Wire, r *Request, send func() (*http.Response, error)) (*http.Response, error) {
	if m == nil {
		return send()
	}
	return m(w, r, send)
}

func errIfNil(resp *http.Response, err error) error {
	if resp == nil && err == nil {
		return errors.New("lab: the middleware returned neither an answer nor an error")
	}
	return nil
}

// begin files a request; it fails when nothing passes any more.
func (w *Wire) begin(r *Request) (Middleware, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isCut {
		return nil, ErrCut
	}
	if r.IsWrite() {
		w.writes++
		r.Write = w.writes
		w.world.active.Add(1)
	}
	if !r.isWatch() && !r.isEvent() {
		w.inFlight++
	}
	w.requests = append(w.requests, r)
	return w.middleware, nil
}

func (w *Wire) end(r *Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !r.isWatch() && !r.isEvent() {
		w.inFlight--
	}
	if r.IsWrite() {
		w.world.active.Add(1) // what was read while it was under way is of no use any more
	}
}

func (w *Wire) answered(r *Request, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.Status = status
}

func (w *Wire) closed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.isCut
}

// body ends what belongs to a request together with it.
type body struct {
	io.ReadCloser
	cancel func()
}

func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
