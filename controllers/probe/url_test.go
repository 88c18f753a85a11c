// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestWhatIsNoURLIsSaid(t *testing.T) {
	for _, text := range []string{
		"", "receiver", "/healthz", "//receiver.example", "ftp://receiver.example", "file:///etc/passwd", "http:", "http://", "https:///healthz",
		"http://:80", "http://receiver.example:port", "http://receiver.example:99999", "http://receiver.example:-1", "http://[::1", "http://::1]",
		"http://a b", "http://receiver.example/\x00", "http://receiver.example/%zz", "http:receiver.example", "mailto:a@example.com", "http://%00",
		"http://\u200d.example", "http://]", "http://receiver.example?a b", "javascript:alert(1)", "unix:///var/run/docker.sock",
	} {
		t.Run(text, func(t *testing.T) {
			NewWithT(t).Expect(patient().askURL(t, text)).To(Equal(outcome{words: "probe.url is not a URL"}))
		})
	}
}

// FuzzNoURLMakesAProbePanic asks whatever it is, of a server that has been connected to.
func FuzzNoURLMakesAProbePanic(f *testing.F) {
	for _, text := range []string{
		"https://receiver.example/healthz?a=b", "http://[fe80::1%25eth0]:8080/", "http://user:password@receiver.example/#fragment",
		"http://bücher.example", "HTTP://RECEIVER.EXAMPLE.", "http://receiver.example:", "http://1:0", "http://a/%2f", "http://a?%", "http://[::ffff:1.2.3.4]",
		"/healthz?a=b", "//other", "/../..?/", "@other/", ":80@other/",
		"http://a\\b", "http://a/\r\nX-A: b", "http://*", "http://a/*", "http://a;b", "http://a/%e2%80%ae", "http://０/",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := hasty()
		if to, err := (Service{Namespace: "shop", Name: "orders", Port: 8080, Path: text}).url(); err == nil {
			if to.Host != "orders.shop.svc:8080" || to.User != nil {
				t.Errorf("path %q leads to %s", text, to)
			}
			expectOneRequest(t, a, to)
		}
		at, failed := a.find(t.Context(), "shop", Target{URL: text})
		if failed != nil {
			if failed.words != notAURL {
				t.Errorf("%q: %s", text, failed.words)
			}
			return
		}
		host, port, err := net.SplitHostPort(at.addresses[0])
		if err != nil || host == "" || port == "" {
			t.Errorf("%q leads to %q", text, at.addresses[0])
		}
		expectOneRequest(t, a, at.url)
	})
}

// expectOneRequest sends a request over a pipe, and sees that it is one and only one.
func expectOneRequest(t *testing.T, a *asker, to *url.URL) {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	rest := make(chan []byte, 1)
	go func() {
		defer server.Close()
		reader := bufio.NewReader(server)
		if _, err := http.ReadRequest(reader); err != nil {
			t.Errorf("%s: %v", to, err)
		}
		_, _ = io.WriteString(server, "HTTP/1.1 204 No Content\r\n\r\n")
		more, _ := io.ReadAll(reader)
		rest <- more
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	status, failed := a.exchange(ctx, client, to)
	client.Close()
	if more := <-rest; len(more) > 0 {
		t.Errorf("%s: %q follows the request", to, more)
	}
	if failed == nil && status != http.StatusNoContent {
		t.Errorf("%s: status %d", to, status)
	}
}
