// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

const (
	testKey        = "mb_sk_sbx_4Zr8kQ2vLw9TnXy1"
	testSecret     = "whsec_Yk3Jd8Qp0sVbN5mT"
	testEndpointID = "wh_01J9YR9N3X4VZ6P2K5RH7M3LMP"
	testEventID    = "evt_01J9YRB7QK3D5W8F0G2H4J6N8P"
)

// endpointJSON is the vendor's own example, with metadata.
const endpointJSON = `{"id":"wh_01J9YR9N3X4VZ6P2K5RH7M3LMP","resource_type":"webhook_endpoint",
 "url":"https://api.example.com/medblocks/webhook","events":["patient_flow.completed","connection.token_refresh_failed"],
 "status":"active","description":"Production webhook","metadata":{"team":"intake"},"api_version":"2026-04-25",
 "created_at":"2026-04-25T14:30:00.000Z","updated_at":"2026-04-25T14:31:00.000Z","new_field":{"x":1}}`

const endpointWithSecretJSON = `{"secret":"` + testSecret + `",` + `"id":"wh_01J9YR9N3X4VZ6P2K5RH7M3LMP",
 "url":"https://api.example.com/medblocks/webhook","events":["*"],"status":"active","description":null,"metadata":{},
 "api_version":"2026-04-25","created_at":"2026-04-25T14:30:00.000Z","updated_at":"2026-04-25T14:30:00.000Z"}`

const eventRecordJSON = `{"id":"evt_01J9YRB7QK3D5W8F0G2H4J6N8P","resource_type":"event",
 "webhook_endpoint_id":"wh_01J9YR9N3X4VZ6P2K5RH7M3LMP","type":"patient_flow.completed","data":{"object":{"id":"pf_1"}},
 "api_version":"2026-04-25","attempts":9,"next_attempt_at":null,"delivered_at":null,"last_status_code":503,
 "last_response_body":"busy","last_redelivered_at":"2026-04-25T14:40:00.000Z","created_at":"2026-04-25T14:35:00.000Z"}`

func listJSON(items string) string {
	return `{"resource_type":"list","data":[` + items + `],"has_more":false,"next_cursor":null}`
}

// received is what the server saw of one call.
type received struct {
	Method, Path, Query, Body string
	Header                    http.Header
}

// vendor is an HTTP server on loopback that records what it is asked.
type vendor struct {
	*httptest.Server
	mu    sync.Mutex
	calls []received
}

func newVendor(t *testing.T, answer http.HandlerFunc) *vendor {
	t.Helper()
	v := &vendor{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		v.mu.Lock()
		v.calls = append(v.calls, received{
			Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Body: string(body), Header: r.Header.Clone(),
		})
		v.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) received() []received {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]received(nil), v.calls...)
}

func (v *vendor) client(t *testing.T, tweaks ...func(*medblocks.Config)) *medblocks.Client {
	t.Helper()
	config := medblocks.Config{BaseURL: v.URL, APIKey: testKey, Timeout: 10 * time.Second}
	for _, tweak := range tweaks {
		tweak(&config)
	}
	client, err := medblocks.New(config)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return client
}

// answering returns a handler that gives one answer to everything.
func answering(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Request-Id", "req_header")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func envelope(kind, code, message string) string {
	encoded, err := json.Marshal(map[string]any{"error": map[string]any{
		"type": kind, "code": code, "message": message, "param": nil,
		"doc_url": "https://docs.example.com/errors", "request_id": "req_body",
	}})
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// operationCall is one of the eight calls, with arguments that are valid.
type operationCall struct {
	operation medblocks.Operation
	// good is a body that the call accepts.
	good string
	call func(context.Context, *medblocks.Client) error
}

func allCalls() []operationCall {
	type ctx = context.Context
	type client = *medblocks.Client
	return []operationCall{
		{medblocks.OperationCreateEndpoint, endpointWithSecretJSON, func(ctx ctx, c client) error {
			_, _, err := c.CreateEndpoint(ctx, medblocks.CreateEndpointRequest{
				URL: "https://r.example.com/hook", Events: []string{"*"},
			})
			return err
		}},
		{medblocks.OperationListEndpoints, listJSON(endpointJSON), func(ctx ctx, c client) error {
			_, err := collect(c.ListEndpoints(ctx, medblocks.ListEndpointsOptions{}))
			return err
		}},
		{medblocks.OperationGetEndpoint, endpointJSON, func(ctx ctx, c client) error {
			_, err := c.GetEndpoint(ctx, testEndpointID)
			return err
		}},
		{medblocks.OperationUpdateEndpoint, endpointJSON, func(ctx ctx, c client) error {
			_, err := c.UpdateEndpoint(ctx, testEndpointID, medblocks.UpdateEndpointRequest{Events: []string{"*"}})
			return err
		}},
		{medblocks.OperationDeleteEndpoint, ``, func(ctx ctx, c client) error {
			_, err := c.DeleteEndpoint(ctx, testEndpointID)
			return err
		}},
		{medblocks.OperationRotateSecret, endpointWithSecretJSON, func(ctx ctx, c client) error {
			_, _, err := c.RotateSecret(ctx, testEndpointID)
			return err
		}},
		{medblocks.OperationListEvents, listJSON(eventRecordJSON), func(ctx ctx, c client) error {
			_, err := collect(c.ListEvents(ctx, testEndpointID, medblocks.ListEventsOptions{}))
			return err
		}},
		{medblocks.OperationRedeliverEvent, eventRecordJSON, func(ctx ctx, c client) error {
			_, err := c.RedeliverEvent(ctx, testEventID)
			return err
		}},
	}
}

// collect drains a list; the error is the one that it ended with.
func collect[T any](list func(func(T, error) bool)) (items []T, err error) {
	for item, itemErr := range list {
		if itemErr != nil {
			err = itemErr
			continue // a list that goes on after an error is caught by the caller's count
		}
		items = append(items, item)
	}
	return items, err
}

func pointerTo[T any](v T) *T { return &v }
