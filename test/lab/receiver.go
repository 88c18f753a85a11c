// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Receiver takes all deliveries of a world, by the path of the URL.
type Receiver struct {
	URL string

	server *httptest.Server
	mu     sync.Mutex
	status int
	last   map[string]Delivered
}

// Delivered is what arrived last at a path.
type Delivered struct {
	Body      []byte
	Signature string
}

func newReceiver() *Receiver {
	r := &Receiver{status: http.StatusOK, last: map[string]Delivered{}}
	r.server = httptest.NewServer(r)
	r.URL = r.server.URL
	return r
}

func (r *Receiver) close() { r.server.Close() }

// Answer sets the status that deliveries are answered with.
func (r *Receiver) Answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// Last is what arrived last at the path of that name.
func (r *Receiver) Last(name string) (Delivered, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.last[name]
	return d, ok
}

// ServeHTTP takes a delivery.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.last[strings.Trim(req.URL.Path, "/")] = Delivered{Body: body, Signature: req.Header.Get("Medblocks-Signature")}
	status := r.status
	r.mu.Unlock()
	w.WriteHeader(status)
}
