// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

func TestAConfigWithAKeyAloneIsComplete(t *testing.T) {
	g := NewWithT(t)
	client, err := medblocks.New(medblocks.Config{APIKey: testKey})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(client.String()).To(Equal(`medblocks.Client{BaseURL:"https://app.medblocks.com" APIVersion:"2026-04-25"}`))
}

func TestAConfigThatCannotWorkIsRefusedWithItsReason(t *testing.T) {
	cases := map[string]struct {
		tweak func(*medblocks.Config)
		says  string
	}{
		"no key":                     {func(c *medblocks.Config) { c.APIKey = "" }, "API key is empty"},
		"a key of white space":       {func(c *medblocks.Config) { c.APIKey = " \n" }, "API key is empty"},
		"a key of two lines":         {func(c *medblocks.Config) { c.APIKey = testKey + "\n" + testKey }, "API key holds"},
		"a key of two words":         {func(c *medblocks.Config) { c.APIKey = testKey + " x" }, "API key holds"},
		"a key that is not ASCII":    {func(c *medblocks.Config) { c.APIKey = testKey + "é" }, "API key holds"},
		"http to a public host":      {func(c *medblocks.Config) { c.BaseURL = "http://app.medblocks.com" }, "use https"},
		"http to a look-alike":       {func(c *medblocks.Config) { c.BaseURL = "http://localhost.example.com" }, "use https"},
		"http to a private address":  {func(c *medblocks.Config) { c.BaseURL = "http://10.0.0.1" }, "use https"},
		"another scheme":             {func(c *medblocks.Config) { c.BaseURL = "ftp://127.0.0.1" }, "must be https"},
		"a host alone":               {func(c *medblocks.Config) { c.BaseURL = "app.medblocks.com" }, "no host"},
		"a password in the base URL": {func(c *medblocks.Config) { c.BaseURL = "https://u:" + testKey + "@x.example.com" }, "user information"},
		"a query in the base URL":    {func(c *medblocks.Config) { c.BaseURL = "https://x.example.com?k=" + testKey }, "query"},
		"a fragment in the base URL": {func(c *medblocks.Config) { c.BaseURL = "https://x.example.com#f" }, "fragment"},
		"a base URL that is none":    {func(c *medblocks.Config) { c.BaseURL = "https://[" + testKey }, "cannot be parsed"},
		"a version that is no date":  {func(c *medblocks.Config) { c.APIVersion = "latest" }, "YYYY-MM-DD"},
		"a negative timeout":         {func(c *medblocks.Config) { c.Timeout = -time.Second }, "negative"},
		"a user agent of two lines":  {func(c *medblocks.Config) { c.UserAgent = "a\r\nX: y" }, "user agent"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			config := medblocks.Config{APIKey: testKey}
			tc.tweak(&config)
			client, err := medblocks.New(config)
			g.Expect(client).To(BeNil())
			g.Expect(err).To(MatchError(ContainSubstring(tc.says)))
			expectNoCredential(g, err.Error()+printed(config))
		})
	}
}

func TestBaseURLsThatWork(t *testing.T) {
	for _, baseURL := range []string{
		"https://app.medblocks.com", "https://app.medblocks.com/", "http://localhost:8089", "http://LOCALHOST:1",
		"http://127.0.0.1:8089", "http://127.8.9.1", "http://[::1]:8089", "https://10.0.0.1:8443/prefix",
	} {
		_, err := medblocks.New(medblocks.Config{APIKey: testKey, BaseURL: baseURL})
		NewWithT(t).Expect(err).NotTo(HaveOccurred(), baseURL)
	}
}

func TestAPathInTheBaseURLIsKeptAndWhiteSpaceAroundTheKeyIsNot(t *testing.T) {
	for _, suffix := range []string{"/api/v1", "/api/v1/"} {
		g := NewWithT(t)
		server := newVendor(t, answering(http.StatusOK, endpointJSON))
		client := server.client(t, func(c *medblocks.Config) {
			c.BaseURL += suffix
			c.APIKey = "  " + testKey + "\n"
		})
		_, err := client.GetEndpoint(context.Background(), testEndpointID)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(server.received()[0].Path).To(Equal("/api/v1/webhooks/" + testEndpointID))
		g.Expect(server.received()[0].Header.Get("Authorization")).To(Equal("Bearer " + testKey))
	}
}

func TestATrustedCertificateIsAccepted(t *testing.T) {
	g := NewWithT(t)
	server := httptest.NewTLSServer(answering(http.StatusOK, endpointJSON))
	t.Cleanup(server.Close)
	client, err := medblocks.New(medblocks.Config{
		APIKey: testKey, BaseURL: server.URL, Transport: server.Client().Transport,
	})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = client.GetEndpoint(context.Background(), testEndpointID)
	g.Expect(err).NotTo(HaveOccurred())
}

// TestAProxyFromTheEnvironmentIsUsed runs itself in a process of its own, because
// net/http reads the proxy variables once per process.
func TestAProxyFromTheEnvironmentIsUsed(t *testing.T) {
	g := NewWithT(t)
	if os.Getenv("MEDBLOCKS_TEST_THROUGH_PROXY") != "" {
		client, err := medblocks.New(medblocks.Config{APIKey: testKey, BaseURL: "https://api.example.invalid"})
		g.Expect(err).NotTo(HaveOccurred())
		_, err = client.GetEndpoint(context.Background(), testEndpointID)
		g.Expect(medblocks.IsTransient(err)).To(BeTrue(), "%v", err)
		return
	}
	proxy := newVendor(t, answering(http.StatusBadGateway, ""))
	binary, err := os.Executable()
	g.Expect(err).NotTo(HaveOccurred())
	command := exec.Command(binary, "-test.run=^"+t.Name()+"$", "-test.v")
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			command.Env = append(command.Env, variable)
		}
	}
	command.Env = append(command.Env, "MEDBLOCKS_TEST_THROUGH_PROXY=1", "HTTPS_PROXY="+proxy.URL)
	output, err := command.CombinedOutput()
	g.Expect(err).NotTo(HaveOccurred(), string(output))
	g.Expect(string(output)).To(ContainSubstring("--- PASS"))

	g.Expect(proxy.received()).To(HaveLen(1))
	got := proxy.received()[0]
	g.Expect(got.Method).To(Equal(http.MethodConnect))
	g.Expect(got.Header).NotTo(HaveKey("Authorization"), "the proxy does not get the key")
}
