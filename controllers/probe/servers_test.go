// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// loopback is what --probe-allow-cidr has to admit for servers of a test.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// What servers of a test answer most of the time.
var (
	ok      = outcome{expected: true, words: "it answered 200"}
	failing = outcome{words: "it answered 503"}
)

// patient is an asker for tests in which there is an answer, and hasty one for those in which there is none.
func patient() *asker { return &asker{allowed: loopback, limit: 20 * time.Second} }
func hasty() *asker   { return &asker{allowed: loopback, limit: 200 * time.Millisecond} }

// serve starts an HTTP server.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

func answering(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// converse starts a server that talks to each client as it likes, and returns its address.
func converse(t *testing.T, talk func(conn net.Conn)) string {
	t.Helper()
	listener := listen(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				talk(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// readRequest reads what a client asks for.
func readRequest(conn net.Conn) {
	if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		request.Body.Close()
	}
}

// hold keeps a connection open until the client closes it.
func hold(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// repeat says the same until the client has heard enough, and returns how many bytes that were.
func repeat(conn io.Writer, text string) int {
	for said := 0; ; {
		n, err := io.WriteString(conn, text)
		if said += n; err != nil {
			return said
		}
	}
}

func portOf(server *httptest.Server) string {
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return port
}
