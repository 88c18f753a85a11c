// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// askURL makes a probe, and leaves out the error behind a failure, which differs from time to time.
func (a *asker) askURL(t *testing.T, url string, expected ...int32) outcome {
	t.Helper()
	ended := a.ask(t.Context(), "shop", Target{URL: url, ExpectedStatuses: expected})
	ended.cause = nil
	return ended
}

func TestTheStatusOfTheAnswerDecides(t *testing.T) {
	for name, test := range map[string]struct {
		status   int
		expected []int32
		ended    outcome
	}{
		"by default 200":            {200, nil, outcome{expected: true, words: "it answered 200"}},
		"by default a redirect":     {302, nil, outcome{expected: true, words: "it answered 302"}},
		"by default 401":            {401, nil, outcome{expected: true, words: "it answered 401"}},
		"by default 404":            {404, nil, outcome{words: "it answered 404"}},
		"by default 503":            {503, nil, outcome{words: "it answered 503"}},
		"a status that is asked":    {503, []int32{200, 503}, outcome{expected: true, words: "it answered 503"}},
		"a status that is not":      {204, []int32{200, 503}, outcome{words: "it answered 204, which is not one of probe.expectedStatuses"}},
		"a status beyond all known": {999, nil, outcome{words: "it answered 999"}},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, answering(test.status))
			NewWithT(t).Expect(patient().askURL(t, server.URL, test.expected...)).To(Equal(test.ended))
		})
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	g := NewWithT(t)
	asked := make(chan *http.Request, 1)
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked <- r })
	g.Expect(patient().askURL(t, server.URL+"/health%2Fz/?deep=yes&x=%20")).To(Equal(ok))
	request := <-asked
	g.Expect(request.Method).To(Equal(http.MethodGet))
	g.Expect(request.RequestURI).To(Equal("/health%2Fz/?deep=yes&x=%20"))
	g.Expect(request.Host).To(Equal(server.Listener.Addr().String()))
	g.Expect(request.Close).To(BeTrue(), "the connection is used once")
	g.Expect(request.Header).To(Equal(http.Header{
		"User-Agent": {"medblocks-webhook-operator (receiver health probe)"}, "Connection": {"close"},
	}))
	g.Expect(request.ContentLength).To(BeZero())
}

func TestARedirectIsAnAnswerAndIsNotFollowed(t *testing.T) {
	g := NewWithT(t)
	target := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") })
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, status) })
		g.Expect(patient().askURL(t, server.URL).expected).To(BeTrue())
	}
}

func TestTheProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	g := NewWithT(t)
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	server := serve(t, answering(200))
	a := patient()
	a.resolver = newNameServer(t).with("receiver.example", "127.0.0.1").resolver() // Go itself uses no proxy for localhost
	g.Expect(a.askURL(t, "http://receiver.example:"+portOf(server))).To(Equal(ok))
}

func TestABodyIsNotReadHoweverLongItIs(t *testing.T) {
	g := NewWithT(t)
	said := make(chan int, 1)
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { said <- repeat(w, "patient data ") })
	g.Expect(patient().askURL(t, server.URL)).To(Equal(ok))
	g.Eventually(said).WithTimeout(10*time.Second).Should(Receive(BeNumerically("<", 64<<20)), "the connection is closed; what is on the way fills buffers of the kernel")
}

func TestAnEndlessHeadIsNotReadToItsEnd(t *testing.T) {
	for name, test := range map[string]struct{ begin, goOn string }{
		"many fields":           {"HTTP/1.1 200 OK\r\n", "X-Patient: a name, a date of birth, a diagnosis\r\n"},
		"one field":             {"HTTP/1.1 200 OK\r\nX-Patient: ", "a name, a date of birth, a diagnosis; "},
		"a field in many lines": {"HTTP/1.1 200 OK\r\nX-Patient:", " a name, a date of birth, a diagnosis\r\n"},
		"a reason":              {"HTTP/1.1 200 ", "a name, a date of birth, a diagnosis; "},
		"provisional answers":   {"", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			said := make(chan int, 1)
			address := converse(t, func(conn net.Conn) {
				readRequest(conn)
				_, _ = io.WriteString(conn, test.begin)
				said <- repeat(conn, test.goOn)
			})
			g.Expect(patient().askURL(t, "http://"+address)).To(Equal(outcome{words: "its answer is not valid HTTP"}))
			g.Eventually(said).WithTimeout(10 * time.Second).Should(Receive(BeNumerically("<", 64<<20)))
		})
	}
}

// TestEachFailureHasItsWords: they are the same each time, whatever happens first, and hold nothing of what the receiver says.
func TestEachFailureHasItsWords(t *testing.T) {
	for name, test := range map[string]struct {
		talk  func(net.Conn)
		words string
	}{
		"closes at once":                 {func(net.Conn) {}, noWord},
		"closes after the request":       {readRequest, noWord},
		"resets at once":                 {reset, noWord},
		"resets after the request":       {func(c net.Conn) { readRequest(c); reset(c) }, noWord},
		"speaks something else":          {func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9\r\n"); hold(c) }, "its answer is not valid HTTP"},
		"has no status":                  {saying("HTTP/1.1 secret\r\n\r\n"), "its answer is not valid HTTP"},
		"has a bad head":                 {saying("HTTP/1.1 200 OK\r\npatient data\r\n\r\n"), "its answer is not valid HTTP"},
		"closes in the middle of a head": {saying("HTTP/1.1 200 OK\r\nX-A: b\r\n"), "its answer is not valid HTTP"},
		"has a status of no class":       {saying("HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n"), "its answer is not valid HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			address := converse(t, test.talk)
			for range 5 {
				g.Expect(patient().askURL(t, "http://"+address)).To(Equal(outcome{words: test.words}))
			}
		})
	}
}

func saying(text string) func(net.Conn) {
	return func(conn net.Conn) {
		readRequest(conn)
		_, _ = io.WriteString(conn, text)
	}
}

func reset(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }

func TestWhoNeverAnswersIsNotWaitedForForLong(t *testing.T) {
	for name, talk := range map[string]func(net.Conn){
		"never says anything": hold,
		"never ends its answer": func(conn net.Conn) {
			readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-A:")
			hold(conn)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			address := converse(t, talk)
			began := time.Now()
			for _, scheme := range []string{"http://", "https://"} {
				if scheme == "http://" || name == "never says anything" {
					g.Expect(hasty().askURL(t, scheme+address)).To(Equal(outcome{words: "it did not answer within 200ms"}), scheme)
				}
			}
			g.Expect(time.Since(began)).To(BeNumerically("<", 10*time.Second))
		})
	}
	NewWithT(t).Expect(timeLimit).To(Equal(5 * time.Second))
}

func TestWhereNobodyListensTheConnectionIsRefused(t *testing.T) {
	g := NewWithT(t)
	listener := listen(t)
	address := listener.Addr().String()
	listener.Close()
	for _, scheme := range []string{"http://", "https://"} {
		g.Expect(patient().askURL(t, scheme+address)).To(Equal(outcome{words: "it refused the connection"}))
	}
}

// TestEachErrorOfTheNetworkHasItsWords is about those that a test cannot bring about.
func TestEachErrorOfTheNetworkHasItsWords(t *testing.T) {
	g := NewWithT(t)
	dialing := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for words, errs := range map[string][]error{
		"it refused the connection":      {dialing(syscall.ECONNREFUSED)},
		"it did not answer within 200ms": {dialing(syscall.ETIMEDOUT), context.DeadlineExceeded, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}},
		"there is no route to it":        {dialing(syscall.EHOSTUNREACH), dialing(syscall.ENETUNREACH)},
		noWord:                           {dialing(syscall.ECONNRESET)},
		"its name cannot be resolved":    {&net.DNSError{Name: "a", IsTimeout: true}, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "a", IsNotFound: true}}},
		"the connection failed":          {dialing(syscall.EACCES), errors.New("something else")},
	} {
		for _, err := range errs {
			g.Expect(hasty().whyNotConnected(err, &tries{})).To(Equal(&trouble{words: words, cause: err}))
		}
	}
	for words, err := range map[string]error{
		"its certificate is not valid":   &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.TooManyIntermediates}},
		"the TLS handshake failed":       tls.AlertError(40),
		"it did not answer within 200ms": context.DeadlineExceeded,
	} {
		g.Expect(hasty().whyNotSecured(err)).To(Equal(&trouble{words: words, cause: err}))
	}
}

func TestAProbeEndsWhenItIsCancelled(t *testing.T) {
	g := NewWithT(t)
	connected := make(chan struct{}, 1)
	address := converse(t, func(conn net.Conn) { connected <- struct{}{}; hold(conn) })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan outcome, 1)
	go func() { ended <- patient().ask(ctx, "shop", Target{URL: "http://" + address}) }()
	g.Eventually(connected).WithTimeout(10 * time.Second).Should(Receive())
	cancel()
	g.Eventually(ended).WithTimeout(10 * time.Second).Should(Receive())
}
