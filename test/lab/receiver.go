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
	others map[string]int // by path
	refuse int            // so many deliveries
	last   map[string]Delivered
}

// Delivered is what arrived last at a path.
type Delivered struct {
	Body      []byte
	Signature string
}

func newReceiver() *Receiver {
	r := &Receiver{status: http.StatusOK, last: map[string]Delivered{}, others: map[string]int{}}
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

// AnswerAt sets the status of one path: the receiver of the resource of that name.
func (r *Receiver) AnswerAt(name string, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.others[name] = status
}

// RefuseNext has the next deliveries refused, whatever probes are answered.
func (r *Receiver) RefuseNext(deliveries int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = deliveries
}

// Last is what arrived last at the path of that name.
func (r *Receiver) Last(name string) (Delivered, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.last[name]
	return d, ok
}

// ServeHTTP takes a delivery, and answers a probe.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	status := r.status
	if other, ok := r.others[strings.Trim(req.URL.Path, "/")]; ok {
		status = other
	}
	if req.Method == http.MethodPost {
		r.last[strings.Trim(req.URL.Path, "/")] = Delivered{Body: body, Signature: req.Header.Get("Medblocks-Signature")}
		if r.refuse > 0 {
			r.refuse--
			status = http.StatusServiceUnavailable
		}
	}
	r.mu.Unlock()
	w.WriteHeader(status)
}
