// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// timeLimit is how long a probe takes at most, from the look-up of a name to the head of the answer.
	timeLimit = 5 * time.Second
	// maxHeadBytes bounds what is read of an answer. Its body is not read at all.
	maxHeadBytes = 64 << 10

	userAgent = "medblocks-webhook-operator (receiver health probe)"

	noWord = "it closed the connection without an answer"
)

// asker makes single probes. It goes through the stages one by one – find, dial, secure, ask – so that each failure is told for what it is.
type asker struct {
	services client.Reader
	allowed  []netip.Prefix
	limit    time.Duration
	resolver *net.Resolver  // nil: the system's
	roots    *x509.CertPool // nil: the system's
}

// outcome is how one probe ended.
type outcome struct {
	expected bool
	words    string // for people: see Result.Last
	cause    error  // of a failure, for the operator's log; nil: there is no more to know
}

// trouble is why there was no answer: in words for people (see Result.Last), with the error behind them, if it tells more.
type trouble struct {
	words string
	cause error
}

// ask makes one probe. Services are looked for in the namespace only.
func (a *asker) ask(ctx context.Context, namespace string, t Target) outcome {
	status, failed := a.status(ctx, namespace, t)
	switch {
	case failed != nil:
		return outcome{words: failed.words, cause: failed.cause}
	case t.expects(status):
		return outcome{expected: true, words: fmt.Sprintf("it answered %d", status)}
	case len(t.ExpectedStatuses) > 0:
		return outcome{words: fmt.Sprintf("it answered %d, which is not one of probe.expectedStatuses", status)}
	}
	return outcome{words: fmt.Sprintf("it answered %d", status)}
}

// status is that of the target's answer.
func (a *asker) status(ctx context.Context, namespace string, t Target) (int, *trouble) {
	at, failed := a.find(ctx, namespace, t)
	if failed != nil {
		return 0, failed
	}
	ctx, cancel := context.WithTimeout(ctx, a.limit)
	defer cancel()
	conn, failed := a.dial(ctx, at)
	if failed != nil {
		return 0, failed
	}
	defer conn.Close()
	if at.url.Scheme == "https" {
		if conn, failed = a.secure(ctx, conn, at.url.Hostname()); failed != nil {
			return 0, failed
		}
	}
	return a.exchange(ctx, conn, at.url)
}

// dial connects to the first of the place's addresses that can be reached.
func (a *asker) dial(ctx context.Context, at place) (net.Conn, *trouble) {
	var tried tries
	dialer := net.Dialer{Resolver: a.resolver, ControlContext: at.guard.control(&tried), KeepAlive: -1}
	var first error
	for i, address := range at.addresses {
		conn, err := dialShare(ctx, &dialer, address, len(at.addresses)-i)
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, a.whyNotConnected(first, &tried)
}

// dialShare dials one of several addresses, and leaves time for the others.
func dialShare(ctx context.Context, dialer *net.Dialer, address string, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	return dialer.DialContext(ctx, "tcp", address)
}

// whyNotConnected tells why no address could be connected to. Of several, the error is that of the first, which may be another one next
// time: where some were refused, it is not told.
func (a *asker) whyNotConnected(err error, tried *tries) *trouble {
	var unknown *net.DNSError
	switch {
	case tried.refused.Load() && tried.admitted.Load():
		return &trouble{words: "it cannot be connected to at those of its addresses that are public, or that --probe-allow-cidr admits", cause: err}
	case tried.refused.Load():
		return &trouble{words: "its address is a loopback, link-local or private one, which --probe-allow-cidr does not admit", cause: err}
	case errors.As(err, &unknown):
		return &trouble{words: "its name cannot be resolved", cause: err}
	case errors.Is(err, syscall.ECONNREFUSED):
		return &trouble{words: "it refused the connection", cause: err}
	case isTimeout(err):
		return a.noAnswer(err)
	case isClosed(err): // so soon that it shows here already
		return &trouble{words: noWord, cause: err}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &trouble{words: "there is no route to it", cause: err}
	}
	return &trouble{words: "the connection failed", cause: err}
}

func (a *asker) noAnswer(err error) *trouble {
	return &trouble{words: fmt.Sprintf("it did not answer within %s", a.limit), cause: err}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() // context.DeadlineExceeded is one
}

// isClosed tells whether the other side has ended the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// secure makes TLS of a connection to the host.
func (a *asker) secure(ctx context.Context, conn net.Conn, host string) (net.Conn, *trouble) {
	name, _, _ := strings.Cut(host, "%") // no certificate is for the zone of an IPv6 address
	secured := tls.Client(conn, &tls.Config{
		ServerName: name, RootCAs: a.roots, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	})
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, a.whyNotSecured(err)
	}
	return secured, nil
}

func (a *asker) whyNotSecured(err error) *trouble {
	var (
		certificate *tls.CertificateVerificationError
		notTLS      tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &certificate):
		return &trouble{words: "its certificate is not valid" + whyNotValid(err), cause: err}
	case errors.As(err, &notTLS):
		return &trouble{words: "it does not speak TLS"} // the error holds a part of what it does speak
	case isTimeout(err):
		return a.noAnswer(err)
	case isClosed(err):
		return &trouble{words: noWord, cause: err}
	}
	return &trouble{words: "the TLS handshake failed", cause: err}
}

func whyNotValid(err error) string {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &authority):
		return ": unknown authority"
	case errors.As(err, &name):
		return ": it is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired: // x509 makes no difference
		return ": it has expired, or is not valid yet"
	}
	return ""
}

// exchange sends the request on the connection and returns the status of the answer. What else the answer holds goes nowhere. (A
// http.Transport would do more than that: it logs what a server says before it was asked.)
func (a *asker) exchange(ctx context.Context, conn net.Conn, to *url.URL) (int, *trouble) {
	head, err := requestTo(to)
	if err != nil {
		return 0, &trouble{words: notAURL}
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	_, _ = conn.Write(head) // who cannot be written to may have answered already, and otherwise cannot be read from
	answer := &io.LimitedReader{R: conn, N: maxHeadBytes}
	status, err := readStatus(answer)
	switch {
	case err == nil:
		return status, nil
	case ctx.Err() != nil:
		return 0, a.noAnswer(nil)
	case answer.N < maxHeadBytes:
		return 0, &trouble{words: "its answer is not valid HTTP"}
	}
	return 0, &trouble{words: noWord}
}

// requestTo is the request as it is sent. Redirects, cookies, proxies and the like are a client's, and there is none.
func requestTo(to *url.URL) ([]byte, error) {
	request := http.Request{
		Method: http.MethodGet, URL: to, Host: to.Host, Close: true,
		Header: http.Header{"User-Agent": {userAgent}},
	}
	var head bytes.Buffer
	err := request.Write(&head)
	return head.Bytes(), err
}

// readStatus reads the head of an answer, and of those provisional ones that come before it.
func readStatus(answer io.Reader) (int, error) {
	buffered := bufio.NewReader(answer)
	for {
		response, err := http.ReadResponse(buffered, nil) //nolint:bodyclose // that would read the body; the connection is closed instead
		switch {
		case err != nil:
			return 0, err
		case response.StatusCode < http.StatusContinue:
			return 0, errors.New("a status of no class")
		case response.StatusCode >= http.StatusOK, response.StatusCode == http.StatusSwitchingProtocols:
			return response.StatusCode, nil
		}
	}
}
