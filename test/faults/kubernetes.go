// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/test/lab"
)

// errLost is what a request meets whose connection is lost. It is not a reset, which client-go would wait a second after.
var errLost = errors.New("the connection to the API server was lost")

// errTimeout is what a request meets that nobody has answered in time.
var errTimeout = fmt.Errorf("read tcp: %w", os.ErrDeadlineExceeded)

// OfKubernetes are all faults of requests to the API server, but for those of watches.
func OfKubernetes() []Fault {
	isWrite := func(c Call) bool { return !strings.HasPrefix(string(c), http.MethodGet) }
	var all []Fault
	for _, refusal := range []struct {
		status  int
		reason  metav1.StatusReason
		befalls func(Call) bool
	}{
		{http.StatusConflict, metav1.StatusReasonConflict, isWrite},
		{http.StatusForbidden, metav1.StatusReasonForbidden, always},
		{http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests, always},
		{http.StatusInternalServerError, metav1.StatusReasonInternalError, always},
		{http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, always},
		{http.StatusGatewayTimeout, metav1.StatusReasonTimeout, always},
	} {
		answer := func(*lab.World, *lab.Request) (*http.Response, error) {
			return failure(refusal.status, refusal.reason), nil
		}
		kind := fmt.Sprintf("Kubernetes %d", refusal.status)
		all = append(all, Fault{Name: kind, Kind: kind, Befalls: refusal.befalls, New: instead(answer)})
		if refusal.status >= http.StatusInternalServerError {
			all = append(all, Fault{Name: kind + " after the effect", Kind: kind + " after the effect", Befalls: isWrite, New: after(answer)})
		}
	}
	lost := func(*lab.World, *lab.Request) (*http.Response, error) { return nil, errLost }
	timeout := func(*lab.World, *lab.Request) (*http.Response, error) { return nil, errTimeout }
	return append(all,
		Fault{Name: "timeout", Kind: "Kubernetes timeout", Befalls: always, New: instead(timeout)},
		Fault{Name: "timeout after the effect", Kind: "Kubernetes timeout after the effect", Befalls: isWrite, New: after(timeout)},
		Fault{Name: "lost connection", Kind: "Kubernetes lost", Befalls: always, New: instead(lost)},
		Fault{Name: "lost connection after the effect", Kind: "Kubernetes lost after the effect", Befalls: isWrite, New: after(lost)})
}

// failure is an error of the API server.
func failure(status int, reason metav1.StatusReason) *http.Response {
	return text(status, "application/json", string(encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Message: "injected fault", Reason: reason, Code: int32(status),
	})))
}

// Watches knows the watches of an operator, and breaks them.
type Watches struct {
	// Next handles all other requests; nil: they pass.
	Next lab.Middleware

	// Tell ends watches as an API server does that has compacted what they still need: with an event that says so, in the stream.
	Tell bool

	mu      sync.Mutex
	open    []*io.PipeWriter
	expired int
}

// Middleware has to be there before the first watch begins.
func (w *Watches) Middleware(wire *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
	if r.Query.Get("watch") == "" {
		if w.Next != nil {
			return w.Next(wire, r, send)
		}
		return send()
	}
	if w.expires() {
		return failure(http.StatusGone, metav1.StatusReasonExpired), nil
	}
	resp, err := send()
	if err != nil {
		return nil, err
	}
	reader, writer := io.Pipe()
	inner := resp.Body
	go func() {
		_, err := io.Copy(writer, inner)
		_ = writer.CloseWithError(err)
	}()
	resp.Body = &piped{PipeReader: reader, inner: inner}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = append(w.open, writer)
	return resp, nil
}

func (w *Watches) expires() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.expired == 0 {
		return false
	}
	w.expired--
	return true
}

// Break ends all watches. As many of those that follow as expired says are told that the history since is compacted.
func (w *Watches) Break(expired int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, writer := range w.open {
		if !w.Tell {
			_ = writer.CloseWithError(io.ErrUnexpectedEOF)
			continue
		}
		go func() { // whoever reads it may have gone
			_, err := writer.Write(expiredEvent())
			_ = writer.CloseWithError(err)
		}()
	}
	w.open, w.expired = nil, expired
}

// expiredEvent is what a watch is told whose history is gone.
func expiredEvent() []byte {
	return encode(map[string]any{"type": "ERROR", "object": metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure,
		Message: "too old resource version", Reason: metav1.StatusReasonExpired, Code: http.StatusGone,
	}})
}

// piped closes both ends.
type piped struct {
	*io.PipeReader
	inner io.Closer
}

func (p *piped) Close() error { return errors.Join(p.PipeReader.Close(), p.inner.Close()) }
