// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package listen

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"github.com/spf13/pflag"

	"github.com/medblocks/webhook-operator/test/authority"
)

// start serves 200 with the flags, and returns the address that is printed.
func start(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var flags Flags
	set := pflag.NewFlagSet("program", pflag.ContinueOnError)
	flags.Add(set, "127.0.0.1:0")
	NewWithT(t).Expect(set.Parse(args)).To(Succeed())
	var out bytes.Buffer
	listener, err := flags.Listen(t.Context(), &out)
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: time.Second,
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return strings.TrimSpace(strings.TrimPrefix(out.String(), "listening on ")), nil
}

// trusting is a client that trusts an authority, and connects anew for each request.
func trusting(a *authority.Authority) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.PEM())
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
}

// certificate writes a certificate for this machine, and returns the flags that name it.
func certificate(t *testing.T, a *authority.Authority, dir string) []string {
	t.Helper()
	g := NewWithT(t)
	certificate, key, err := a.Issue("127.0.0.1", "receiver.default.svc")
	g.Expect(err).NotTo(HaveOccurred())
	cert, private := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	g.Expect(os.WriteFile(cert, certificate, 0o600)).To(Succeed())
	g.Expect(os.WriteFile(private, key, 0o600)).To(Succeed())
	return []string{"--tls-cert-file", cert, "--tls-private-key-file", private}
}

func get(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

func TestWithoutACertificateItIsHTTP(t *testing.T) {
	g := NewWithT(t)
	address, err := start(t, "--listen", "0.0.0.0:0")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(address).To(MatchRegexp(`^http://127\.0\.0\.1:\d+$`), "where a client can reach it")
	g.Expect(get(http.DefaultClient, address)).To(Succeed())
}

func TestWithACertificateItIsHTTPSAndANewOneIsTakenUp(t *testing.T) {
	g := NewWithT(t)
	first, err := authority.New()
	g.Expect(err).NotTo(HaveOccurred())
	second, err := authority.New()
	g.Expect(err).NotTo(HaveOccurred())
	dir := t.TempDir()
	address, err := start(t, certificate(t, first, dir)...)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(address).To(MatchRegexp(`^https://127\.0\.0\.1:\d+$`))
	g.Expect(get(trusting(first), address)).To(Succeed())
	g.Expect(get(trusting(second), address)).To(MatchError(ContainSubstring("unknown authority")))

	certificate(t, second, dir)
	g.Expect(get(trusting(second), address)).To(Succeed())
	g.Expect(get(trusting(first), address)).To(MatchError(ContainSubstring("unknown authority")))
}

func TestACertificateThatCannotBeUsedIsSaidAtTheStart(t *testing.T) {
	ours, err := authority.New()
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	good := certificate(t, ours, t.TempDir())
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"without its key":        {good[:2], "go together"},
		"a key alone":            {good[2:], "go together"},
		"a file that is missing": {[]string{"--tls-cert-file", "none", "--tls-private-key-file", good[3]}, "none"},
		"the key of another":     {append(good[:2:2], certificate(t, ours, t.TempDir())[2:]...), "private key does not match"},
		"a port that is taken":   {[]string{"--listen", "127.0.0.1:99999"}, "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(t, c.args...)
			NewWithT(t).Expect(err).To(MatchError(ContainSubstring(c.says)))
		})
	}
}
