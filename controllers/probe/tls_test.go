// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// authority issues certificates.
type authority struct {
	t           *testing.T
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate = a.sign(template, template, &a.key.PublicKey)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) sign(template, parent *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate
}

// issue makes a server's certificate for a name.
func (a *authority) issue(name string, notBefore, notAfter time.Time) tls.Certificate {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Receiver"}, NotBefore: notBefore, NotAfter: notAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	key := newKey(a.t)
	return tls.Certificate{Certificate: [][]byte{a.sign(template, a.certificate, &key.PublicKey).Raw}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// serveTLS starts an HTTPS server. What it thinks of its clients goes nowhere.
func serveTLS(t *testing.T, config *tls.Config, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestACertificateIsVerified(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	before, now, after := time.Now().Add(-30*time.Minute), time.Now(), time.Now().Add(30*time.Minute)
	for name, test := range map[string]struct {
		certificate tls.Certificate
		ended       outcome
	}{
		"a good one":       {ours.issue("receiver.example", before, after), ok},
		"another's":        {other.issue("receiver.example", before, after), outcome{words: "its certificate is not valid: unknown authority"}},
		"an expired one":   {ours.issue("receiver.example", before, now), outcome{words: "its certificate is not valid: it has expired, or is not valid yet"}},
		"one of tomorrow":  {ours.issue("receiver.example", after, after), outcome{words: "its certificate is not valid: it has expired, or is not valid yet"}},
		"for another name": {ours.issue("other.example", before, after), outcome{words: "its certificate is not valid: it is for another name"}},
		"for the address":  {ours.issue("127.0.0.1", before, after), outcome{words: "its certificate is not valid: it is for another name"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			asked := 0
			server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{test.certificate}}, func(http.ResponseWriter, *http.Request) { asked++ })
			a := patient()
			a.roots, a.resolver = ours.pool(), newNameServer(t).with("receiver.example", "127.0.0.1").resolver()
			g.Expect(a.askURL(t, "https://receiver.example:"+portOf(server))).To(Equal(test.ended))
			server.Close() // and waits for its handlers
			g.Expect(asked == 1).To(Equal(test.ended.expected), "nothing is sent before it is verified")
		})
	}
	t.Run("one for the address, asked by address", func(t *testing.T) {
		g := NewWithT(t)
		server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ours.issue("127.0.0.1", before, after)}}, answering(200))
		a := patient()
		a.roots = ours.pool()
		g.Expect(a.askURL(t, server.URL)).To(Equal(ok))
	})
	t.Run("by the system's authorities unless a test says otherwise", func(t *testing.T) {
		g := NewWithT(t)
		server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ours.issue("127.0.0.1", before, after)}}, answering(200))
		g.Expect(patient().askURL(t, server.URL)).To(Equal(outcome{words: "its certificate is not valid: unknown authority"}))
	})
}

func TestWhatIsNoTLSOrAnOldOneIsSaid(t *testing.T) {
	ours := newAuthority(t)
	certificate := ours.issue("127.0.0.1", time.Now().Add(-time.Minute), time.Now().Add(time.Minute))
	a := patient()
	a.roots = ours.pool()
	t.Run("an HTTP server", func(t *testing.T) {
		server := serve(t, answering(200))
		NewWithT(t).Expect(a.askURL(t, "https://"+server.Listener.Addr().String())).To(Equal(outcome{words: "it does not speak TLS"}))
	})
	t.Run("an old version", func(t *testing.T) {
		server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, answering(200))
		NewWithT(t).Expect(a.askURL(t, server.URL)).To(Equal(outcome{words: "the TLS handshake failed"}))
	})
	t.Run("TLS 1.2", func(t *testing.T) {
		server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: tls.VersionTLS12}, answering(200))
		NewWithT(t).Expect(a.askURL(t, server.URL)).To(Equal(ok))
	})
	t.Run("a server that closes", func(t *testing.T) {
		for _, talk := range []func(net.Conn){func(net.Conn) {}, reset} {
			NewWithT(t).Expect(a.askURL(t, "https://"+converse(t, talk))).To(Equal(outcome{words: noWord}))
		}
	})
	t.Run("a server that wants to know its clients", func(t *testing.T) {
		server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAnyClientCert}, answering(200))
		for range 10 {
			NewWithT(t).Expect(a.askURL(t, server.URL)).To(Equal(outcome{words: noWord}))
		}
	})
	t.Run("a server of HTTP/2", func(t *testing.T) {
		server := httptest.NewUnstartedServer(answering(200))
		server.EnableHTTP2 = true
		server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		server.StartTLS()
		t.Cleanup(server.Close)
		NewWithT(t).Expect(a.askURL(t, server.URL)).To(Equal(ok))
	})
}
