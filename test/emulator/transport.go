// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	hugeBodyBytes = 8 << 20
	gzipBombBytes = 16 << 20
	// defaultRedirect leads to a closed port of this machine, never elsewhere.
	defaultRedirect = "http://127.0.0.1:9/"
)

// transport carries one call's answer to the client, or fails to.
type transport struct {
	s *Server
	c *call
	w http.ResponseWriter
}

// before runs what comes before the call's effect. It returns false when the
// call has been answered (or cut) and must not take effect now.
func (t *transport) before(rt route) bool {
	f := t.c.fault
	t.s.wait(t.s.latency())
	if f != nil && !f.effectFirst() && f.Kind != FaultLateEffect {
		t.s.wait(f.Delay)
	}
	if t.s.callHook(t.c, PhaseBefore, 0) != nil {
		t.record(0)
		t.cut(false)
		return false
	}
	switch {
	case f == nil || !f.replaces() || f.effectFirst():
		return true
	case f.Kind == FaultLateEffect:
		t.s.background(func() {
			t.s.wait(f.Delay)
			if t.s.ctx.Err() == nil {
				t.s.execute(t.c, rt)
			}
		})
	}
	t.replace()
	return false
}

// finish sends the answer of a call that took effect.
func (t *transport) finish(a answer) {
	f := t.c.fault
	if f != nil && f.effectFirst() {
		t.s.wait(f.Delay)
	}
	if t.s.callHook(t.c, PhaseAfterEffect, a.status) != nil {
		t.record(0)
		t.cut(false)
		return
	}
	if f != nil && f.replaces() {
		t.replace()
		return
	}
	raw := encode(a.body)
	if f != nil && a.status < 300 {
		t.spoil(a, raw)
		return
	}
	t.send(a, raw)
}

// replace sends what a fault has instead of the call's answer.
func (t *transport) replace() {
	f := t.c.fault
	header := http.Header{}
	if f.RetryAfter != "" {
		header.Set("Retry-After", f.RetryAfter)
	}
	switch f.Kind {
	case FaultStatus:
		a := failure(f.apiError(), t.c.requestID)
		t.send(a, encode(a.body))
	case FaultUnavailable:
		t.send(answer{status: f.status(http.StatusServiceUnavailable), header: header}, nil)
	case FaultHTML:
		header.Set("Content-Type", "text/html; charset=utf-8")
		page := "<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"
		t.send(answer{status: f.status(http.StatusBadGateway), header: header}, []byte(page))
	case FaultRedirect:
		header.Set("Location", defaultRedirect)
		if f.Location != "" {
			header.Set("Location", f.Location)
		}
		t.send(answer{status: f.status(http.StatusTemporaryRedirect), header: header}, nil)
	case FaultHang:
		t.record(0)
		t.untilClientLeaves()
		t.cut(false)
	case FaultReset:
		t.record(0)
		t.cut(true)
	case FaultLostAnswer, FaultLateEffect:
		t.record(0)
		t.cut(false)
	}
}

func (t *transport) send(a answer, raw []byte) {
	t.record(a.status)
	t.headers(a, len(raw))
	_, _ = t.w.Write(raw) // a client that has gone needs no answer
}

func (t *transport) headers(a answer, length int) {
	h := t.w.Header()
	h.Set("X-Request-Id", t.c.requestID)
	if a.body != nil {
		h.Set("Content-Type", "application/json")
	}
	for name, values := range a.header {
		h[name] = values
	}
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	t.w.WriteHeader(a.status)
}

// cut ends the connection without an answer. A few bytes of a status line go
// out first: without any, net/http's client takes a GET on a reused connection
// for unanswered and sends it again by itself, and one fault would be met twice.
func (t *transport) cut(reset bool) {
	conn, _, err := http.NewResponseController(t.w).Hijack()
	if err != nil {
		// HTTP/2, or a recorder: the stream is all there is to abort.
		panic(http.ErrAbortHandler)
	}
	_, _ = conn.Write([]byte("HTTP/1.1 "))
	if over, isTLS := conn.(*tls.Conn); isTLS {
		conn = over.NetConn() // without the farewell of TLS
	}
	if tcp, isTCP := conn.(*net.TCPConn); isTCP && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (t *transport) untilClientLeaves() {
	select {
	case <-t.c.request.Context().Done():
	case <-t.s.ctx.Done():
	}
}

// wait is wall-clock time; see Fault.Delay.
func (s *Server) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// background runs f until Close, which waits for it.
func (s *Server) background(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil {
		s.wg.Go(f)
	}
}

func (s *Server) callHook(c *call, phase Phase, status int) error {
	s.mu.Lock()
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(HookCall{Operation: c.op, Phase: phase, APIKey: c.key, ID: c.id, RequestID: c.requestID, Status: status})
}
