// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// loopback is what --probe-allow-cidr has to admit for servers of a test.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

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

func (a *asker) askURL(t *testing.T, url string, expected ...int32) outcome {
	t.Helper()
	ended := a.ask(t.Context(), "shop", Target{URL: url, ExpectedStatuses: expected})
	ended.cause = nil // it differs from time to time; only the words and the verdict are for others
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

func portOf(server *httptest.Server) string {
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return port
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
