// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

var verbs = []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %[1]v"}

// printed is everything that fmt, encoding/json and slog make of a value.
func printed(values ...any) string {
	var out strings.Builder
	for _, value := range values {
		for _, verb := range verbs {
			fmt.Fprintf(&out, verb+"\n", value)
		}
		encoded, _ := json.Marshal(value)
		out.Write(encoded)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		out.Write(log.Bytes())
	}
	return out.String()
}

func expectNoCredential(g Gomega, text string) {
	for _, credential := range []string{testKey, testSecret} {
		g.ExpectWithOffset(1, text).NotTo(ContainSubstring(credential))
		g.ExpectWithOffset(1, text).NotTo(ContainSubstring(fmt.Sprintf("%x", credential)))
		g.ExpectWithOffset(1, text).NotTo(ContainSubstring(fmt.Sprintf("%X", credential)))
		g.ExpectWithOffset(1, text).NotTo(ContainSubstring(url.QueryEscape(credential)))
	}
}

func TestTheConfigAndTheClientPrintWithoutTheKey(t *testing.T) {
	g := NewWithT(t)
	config := medblocks.Config{APIKey: testKey, BaseURL: "https://app.medblocks.com"}
	client, err := medblocks.New(config)
	g.Expect(err).NotTo(HaveOccurred())
	type holder struct {
		Config medblocks.Config
		Client *medblocks.Client
		client *medblocks.Client
		byVal  medblocks.Client
	}
	text := printed(config, &config, client, *client, holder{Config: config, Client: client, client: client, byVal: *client})
	expectNoCredential(g, text)
	g.Expect(text).To(ContainSubstring("app.medblocks.com"))
	g.Expect(text).To(ContainSubstring("[redacted]"))
}

func TestASecretPrintsRedactedAndIsRevealedOnPurposeOnly(t *testing.T) {
	g := NewWithT(t)
	secret := medblocks.Secret(testSecret)
	text := printed(secret, &secret, struct{ S medblocks.Secret }{secret}, map[string]medblocks.Secret{"k": secret},
		[]medblocks.Secret{secret})
	expectNoCredential(g, text)
	g.Expect(text).To(ContainSubstring("[redacted]"))
	g.Expect(secret.String() + secret.GoString()).To(Equal("[redacted][redacted]"))
	g.Expect(secret.Reveal()).To(Equal(testSecret))
}

func TestAnErrorThatEchoesCredentialsDoesNotPassThemOn(t *testing.T) {
	everywhere := fmt.Sprintf(`{"error":{"type":"t %[1]s","code":"c %[1]s","message":"key Bearer %[1]s and %[2]s, also mb_sk_live_other",
	  "param":"p %[1]s","doc_url":"https://docs.example.com/?k=%[1]s&s=%[2]s","request_id":"r %[1]s"}}`, testKey, testSecret)
	afterPadding := envelope("t", "c", strings.Repeat("x", 490)+" "+testKey)
	html := "<html>" + testKey + testSecret + "</html>"
	good := strings.Replace(endpointWithSecretJSON, testEndpointID, testKey, 1)
	cases := map[string]http.HandlerFunc{
		"in the envelope":        answering(400, everywhere),
		"at the message's bound": answering(401, afterPadding),
		"in HTML":                answering(502, html, "Content-Type", "text/html; k="+testKey),
		"in the headers": answering(429, everywhere, "X-Request-Id", "req "+testKey, "Retry-After", testKey,
			"Content-Type", testKey+"/"+testSecret, "Location", "https://x.example.com/"+testKey),
		"in a redirect":              answering(302, "", "Location", "https://x.example.com/"+testKey),
		"in an answer of wrong form": answering(200, good, "X-Request-Id", testKey),
		"in JSON of wrong types":     answering(200, `{"id":{"`+testKey+`":1},"data":"`+testSecret+`"}`),
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			for _, tc := range allCalls() {
				g := NewWithT(t)
				var observed []medblocks.Call
				client := newVendor(t, answer).client(t, func(c *medblocks.Config) {
					c.Observer = func(call medblocks.Call) { observed = append(observed, call) }
				})
				err := tc.call(context.Background(), client)
				if err == nil {
					g.Expect(tc.operation).To(Equal(medblocks.OperationDeleteEndpoint))
				} else {
					g.Expect(err).To(HaveOccurred())
				}
				text := printed(err, fmt.Errorf("wrapped: %w", err), medblocks.Summary(err), observed)
				expectNoCredential(g, text)
				g.Expect(text).NotTo(ContainSubstring("mb_sk_live_other"))
				g.Expect(text).NotTo(ContainSubstring("mb_sk_sbx"), "not even a part of it")
			}
		})
	}
}

func TestAKeyOfAnotherFormIsKeptSecretToo(t *testing.T) {
	g := NewWithT(t)
	const key = "plain-key-0123456789"
	server := newVendor(t, answering(401, envelope("authentication_error", "invalid_api_key", "key "+key+" is unknown")))
	_, err := server.client(t, func(c *medblocks.Config) { c.APIKey = key }).GetEndpoint(context.Background(), testEndpointID)
	g.Expect(err).To(MatchError(ContainSubstring("key [redacted] is unknown")))
	g.Expect(printed(err)).NotTo(ContainSubstring(key))
}

func TestATransportErrorThatQuotesTheRequestDoesNotPassTheKeyOn(t *testing.T) {
	g := NewWithT(t)
	client, err := medblocks.New(medblocks.Config{APIKey: testKey, Transport: roundTripper(
		func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("cannot send %v", r.Header)
		})})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = client.GetEndpoint(context.Background(), testEndpointID)
	var transport *medblocks.TransportError
	g.Expect(errors.As(err, &transport)).To(BeTrue())
	expectNoCredential(g, printed(err, transport.Err))
	g.Expect(err.Error()).To(ContainSubstring("[redacted]"))
}

func TestTextsOfTheVendorAreBoundedAndOnOneLine(t *testing.T) {
	g := NewWithT(t)
	body, err := json.Marshal(map[string]any{"error": map[string]any{
		"type": strings.Repeat("t", 5000), "code": strings.Repeat("ü", 5000), "param": "a\nb",
		"message": "first\r\n\x1b[31msecond\u2028third\x00" + strings.Repeat(" long", 500), "request_id": strings.Repeat("r", 5000),
	}})
	g.Expect(err).NotTo(HaveOccurred())
	server := newVendor(t, answering(400, string(body), "X-Request-Id", ""))
	_, err = server.client(t).GetEndpoint(context.Background(), testEndpointID)
	var apiErr *medblocks.APIError
	g.Expect(errors.As(err, &apiErr)).To(BeTrue())
	g.Expect([]rune(apiErr.Message)).To(HaveLen(500))
	g.Expect(apiErr.Message).To(HavePrefix("first [31msecond third long"))
	g.Expect([]rune(apiErr.Type)).To(HaveLen(128))
	g.Expect([]rune(apiErr.Code)).To(HaveLen(128))
	g.Expect(apiErr.RequestID).To(HaveLen(127 + len("…")))
	g.Expect(apiErr.Param).To(Equal("a b"))
	g.Expect(err.Error()).NotTo(MatchRegexp(`[\x00-\x1f\x7f]`))
}
