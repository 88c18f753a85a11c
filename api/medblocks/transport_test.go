// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

func TestNoAnswerIsATransportError(t *testing.T) {
	reset := func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = connection.(*net.TCPConn).SetLinger(0)
			_ = connection.Close()
		}
	}
	plain := newVendor(t, answering(200, endpointJSON))
	resetting := newVendor(t, reset)
	untrusted := httptest.NewUnstartedServer(answering(200, endpointJSON))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about each handshake
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	closed := httptest.NewServer(answering(200, endpointJSON))
	closed.Close()
	cases := map[string]struct{ baseURL, summary string }{
		"connection refused":            {closed.URL, "no answer: connection refused"},
		"connection reset":              {resetting.URL, "no answer: the connection was closed before an answer"},
		"a certificate nobody vouches":  {untrusted.URL, "no answer: the server's TLS certificate cannot be verified"},
		"a server that speaks no TLS":   {strings.Replace(plain.URL, "http", "https", 1), "no answer: "},
		"a host that cannot be reached": {"https://127.0.0.1:1", "no answer: connection refused"},
	}
	for name, tc := range cases {
		for _, call := range allCalls() {
			t.Run(name+" in "+string(call.operation), func(t *testing.T) {
				g := NewWithT(t)
				var observed []medblocks.Call
				client := plain.client(t, func(c *medblocks.Config) {
					c.BaseURL = tc.baseURL
					c.Observer = func(call medblocks.Call) { observed = append(observed, call) }
				})
				err := call.call(context.Background(), client)
				var transport *medblocks.TransportError
				g.Expect(errors.As(err, &transport)).To(BeTrue(), "%v", err)
				g.Expect(transport.Operation).To(Equal(call.operation))
				g.Expect(medblocks.IsTransient(err)).To(BeTrue())
				g.Expect(medblocks.IsRejected(err)).To(BeFalse())
				g.Expect(medblocks.Summary(err)).To(HavePrefix(tc.summary))
				g.Expect(observed).To(HaveLen(1))
				g.Expect(observed[0].StatusCode).To(BeZero())
			})
		}
	}
	NewWithT(t).Expect(resetting.received()).To(HaveLen(len(allCalls())), "no call is repeated by the client")
}

func TestACallEndsAtItsTimeoutWhereverTheServerHangs(t *testing.T) {
	hang := func(r *http.Request) { <-r.Context().Done() }
	cases := map[string]http.HandlerFunc{
		"before its answer": func(_ http.ResponseWriter, r *http.Request) { hang(r) },
		"in its answer": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, endpointJSON[:10])
			_ = http.NewResponseController(w).Flush()
			hang(r)
		},
	}
	for name, answer := range cases {
		for _, call := range allCalls() {
			if call.operation == medblocks.OperationDeleteEndpoint && name == "in its answer" {
				continue // the status says it all
			}
			t.Run(name+" to "+string(call.operation), func(t *testing.T) {
				g := NewWithT(t)
				client := newVendor(t, answer).client(t, func(c *medblocks.Config) { c.Timeout = 50 * time.Millisecond })
				err := call.call(context.Background(), client)
				var transport *medblocks.TransportError
				g.Expect(errors.As(err, &transport)).To(BeTrue(), "%v", err)
				g.Expect(err).To(MatchError(context.DeadlineExceeded))
				g.Expect(err.Error()).To(ContainSubstring("nothing within 50ms"))
				g.Expect(medblocks.IsTransient(err)).To(BeTrue())
				g.Expect(medblocks.Summary(err)).To(Equal("no answer in time"))
			})
		}
	}
}

func TestAContextThatItsCallerCancelsIsNotTransient(t *testing.T) {
	for _, call := range allCalls() {
		t.Run(string(call.operation), func(t *testing.T) {
			g := NewWithT(t)
			ctx, cancel := context.WithCancel(context.Background())
			server := newVendor(t, func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			})
			err := call.call(ctx, server.client(t))
			var transport *medblocks.TransportError
			g.Expect(errors.As(err, &transport)).To(BeTrue(), "%v", err)
			g.Expect(err).To(MatchError(context.Canceled))
			g.Expect(err.Error()).NotTo(ContainSubstring("nothing within"), "it was not the client's timeout")
			g.Expect(medblocks.IsTransient(err)).To(BeFalse())
		})
	}
}
