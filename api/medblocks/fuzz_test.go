// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// fuzzClient is a client whose server gives one answer to everything.
func fuzzClient(t *testing.T, status int, body []byte, header http.Header) *medblocks.Client {
	t.Helper()
	client, err := medblocks.New(medblocks.Config{APIKey: testKey, Transport: roundTripper(
		func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: status, Header: header.Clone(), Body: io.NopCloser(bytes.NewReader(body)),
			}, nil
		})})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// mustBeTyped asserts what holds for every error of every call.
func mustBeTyped(t *testing.T, err error) {
	t.Helper()
	var (
		api       *medblocks.APIError
		malformed *medblocks.MalformedError
		transport *medblocks.TransportError
	)
	if !errors.As(err, &api) && !errors.As(err, &malformed) && !errors.As(err, &transport) {
		t.Fatalf("untyped error %T", err)
	}
	for _, text := range []string{err.Error(), medblocks.Summary(err)} {
		if strings.Contains(text, testKey) || strings.Contains(strings.ToLower(text), "whsec_") {
			t.Fatalf("a credential is in %q", text)
		}
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00") || len(text) > 8000 {
			t.Fatalf("not a bounded line of text: %q", text)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		endpointJSON, endpointWithSecretJSON, eventRecordJSON, `{}`, `null`, `[]`, `{"id":"wh_1","status":"active","url":"u"}`,
		endpointJSON[:60], `{"id":"wh_01J9YR9N3X4VZ6P2K5RH7M3LMP","secret":7}`, `{"id":"` + testKey + `"}`, "\xff", "<html>",
		`{"id":"wh_01J9YR9N3X4VZ6P2K5RH7M3LMP","metadata":{"a":{"b":[null]}},"secret":"whsec_a"}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ctx, client := context.Background(), fuzzClient(t, 200, body, nil)
		if endpoint, secret, err := client.CreateEndpoint(ctx, medblocks.CreateEndpointRequest{}); err != nil {
			mustBeTyped(t, err)
			if secret != "" || endpoint.ID != "" {
				t.Fatal("an error comes with a result")
			}
		} else if !medblocks.IsEndpointID(endpoint.ID) || secret.Reveal() == "" {
			t.Fatalf("created %q without an id or a secret", endpoint.ID)
		}
		if endpoint, secret, err := client.RotateSecret(ctx, testEndpointID); err != nil {
			mustBeTyped(t, err)
		} else if endpoint.ID != testEndpointID || secret.Reveal() == "" {
			t.Fatalf("rotated %q without a secret or of another endpoint", endpoint.ID)
		}
		if endpoint, err := client.GetEndpoint(ctx, testEndpointID); err != nil {
			mustBeTyped(t, err)
		} else if endpoint.ID != testEndpointID || endpoint.Status == "" || endpoint.URL == "" {
			t.Fatalf("got a part of an endpoint: %+v", endpoint)
		} else {
			mustSurviveEncoding(t, endpoint)
		}
		if record, err := client.RedeliverEvent(ctx, testEventID); err != nil {
			mustBeTyped(t, err)
		} else if record.ID != testEventID {
			t.Fatalf("got another event %q", record.ID)
		}
		if _, err := client.DeleteEndpoint(ctx, testEndpointID); err != nil {
			t.Fatalf("the body of a deletion matters: %v", err)
		}
	})
}

// mustSurviveEncoding asserts that an endpoint that is written as it was understood is understood as the same one, and that no
// secret came with it.
func mustSurviveEncoding(t *testing.T, endpoint medblocks.Endpoint) {
	t.Helper()
	once, err := json.Marshal(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	again, err := fuzzClient(t, 200, once, nil).GetEndpoint(context.Background(), endpoint.ID)
	if err != nil {
		t.Fatalf("cannot read what was written: %v: %s", err, once)
	}
	twice, err := json.Marshal(again)
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("encoding is not stable (%v):\n%s\n%s", err, once, twice)
	}
}

func FuzzErrors(f *testing.F) {
	for _, body := range []string{
		envelope("authentication_error", "invalid_api_key", "API key invalid"), envelope("t", "c", testKey+testSecret),
		`{"error":{"type":1,"code":"c"}}`, `{"error":[]}`, ``, `<html>`, `{"error":{"type":"a","message":"\u0000\n"}}`,
	} {
		f.Add(404, []byte(body), "3", "req_1", "application/json")
		f.Add(429, []byte(body), "Mon, 27 Apr 2026 10:00:42 GMT", testKey, "text/html; charset=utf-8")
		f.Add(302, []byte(body), "-1", "", "\x00")
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, retryAfter, requestID, contentType string) {
		if status < 300 {
			status = 300 + (status%300+300)%300
		}
		header := http.Header{"Retry-After": {retryAfter}, "X-Request-Id": {requestID}, "Content-Type": {contentType}}
		_, err := fuzzClient(t, status, body, header).GetEndpoint(context.Background(), testEndpointID)
		var apiErr *medblocks.APIError
		if !errors.As(err, &apiErr) || apiErr.StatusCode != status {
			t.Fatalf("status %d became %v", status, err)
		}
		mustBeTyped(t, err)
		if apiErr.RetryAfter < 0 || apiErr.RetryAfter > medblocks.MaxRetryAfter || (!apiErr.HasRetryAfter && apiErr.RetryAfter != 0) {
			t.Fatalf("retry after %s (%t)", apiErr.RetryAfter, apiErr.HasRetryAfter)
		}
		if medblocks.IsNotFound(err) && (status != 404 || !apiErr.Envelope || apiErr.Type == "") {
			t.Fatal("not found without proof")
		}
		if medblocks.IsTransient(err) && medblocks.IsQuotaExceeded(err) {
			t.Fatal("a quota is not transient")
		}
		if utf8.RuneCountInString(apiErr.Message) > 500 || utf8.RuneCountInString(apiErr.RequestID) > 128 {
			t.Fatal("a text is not bounded")
		}
	})
}

func FuzzLists(f *testing.F) {
	for _, body := range []string{
		listJSON(endpointJSON), listJSON(eventRecordJSON), listJSON(""), listJSON(`null`),
		`{"data":[{"id":"wh_A"}],"has_more":true,"next_cursor":"wh_A"}`, `{"data":[],"has_more":true}`, `{"data":[]}`,
		`{"data":[{"id":"wh_A","metadata":[]},{"id":"wh_A"}],"has_more":false}`, listJSON(endpointJSON)[:80],
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		client := fuzzClient(t, 200, body, nil)
		failures := 0
		for endpoint, err := range client.ListEndpoints(ctx, medblocks.ListEndpointsOptions{}) {
			switch {
			case failures > 0:
				t.Fatal("the list goes on after an error")
			case err != nil:
				failures++
				mustBeTyped(t, err)
			case !medblocks.IsEndpointID(endpoint.ID):
				t.Fatalf("an endpoint with the id %q", endpoint.ID)
			}
		}
		// The same page for ever either ends the list or is an error; that the
		// loop ended at all is the assertion.
		for record, err := range client.ListEvents(ctx, testEndpointID, medblocks.ListEventsOptions{}) {
			if err != nil {
				mustBeTyped(t, err)
			} else if !medblocks.IsEventID(record.ID) {
				t.Fatalf("an event with the id %q", record.ID)
			}
		}
	})
}
