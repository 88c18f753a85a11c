// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

func TestEveryCallSendsWhatTheContractSays(t *testing.T) {
	want := map[medblocks.Operation]received{
		medblocks.OperationCreateEndpoint: {
			Method: "POST", Path: "/webhooks", Body: `{"url":"https://r.example.com/hook","events":["*"]}`,
		},
		medblocks.OperationListEndpoints: {Method: "GET", Path: "/webhooks", Query: "limit=100"},
		medblocks.OperationGetEndpoint:   {Method: "GET", Path: "/webhooks/" + testEndpointID},
		medblocks.OperationUpdateEndpoint: {
			Method: "PATCH", Path: "/webhooks/" + testEndpointID, Body: `{"events":["*"]}`,
		},
		medblocks.OperationDeleteEndpoint: {Method: "DELETE", Path: "/webhooks/" + testEndpointID},
		medblocks.OperationRotateSecret:   {Method: "POST", Path: "/webhooks/" + testEndpointID + "/rotate-secret"},
		medblocks.OperationListEvents: {
			Method: "GET", Path: "/webhooks/" + testEndpointID + "/events", Query: "limit=100",
		},
		medblocks.OperationRedeliverEvent: {Method: "POST", Path: "/events/" + testEventID + "/redeliver"},
	}
	NewWithT(t).Expect(medblocks.Operations()).To(HaveLen(len(want)))
	for _, tc := range allCalls() {
		t.Run(string(tc.operation), func(t *testing.T) {
			g := NewWithT(t)
			server := newVendor(t, answering(http.StatusOK, tc.good))
			var observed []medblocks.Call
			client := server.client(t, func(c *medblocks.Config) {
				c.UserAgent = "tests/1"
				c.Observer = func(call medblocks.Call) { observed = append(observed, call) }
			})

			g.Expect(tc.call(context.Background(), client)).To(Succeed())

			calls := server.received()
			g.Expect(calls).To(HaveLen(1))
			got := calls[0]
			g.Expect(got.Header.Get("Authorization")).To(Equal("Bearer " + testKey))
			g.Expect(got.Header.Get("Version")).To(Equal("2026-04-25"))
			g.Expect(got.Header.Get("Accept")).To(Equal("application/json"))
			g.Expect(got.Header.Get("Accept-Encoding")).To(Equal("identity"))
			g.Expect(got.Header.Get("User-Agent")).To(Equal("tests/1"))
			if got.Body == "" {
				g.Expect(got.Header).NotTo(HaveKey("Content-Type"))
			} else {
				g.Expect(got.Header.Get("Content-Type")).To(Equal("application/json"))
			}
			got.Header = nil
			g.Expect(got).To(Equal(want[tc.operation]))

			g.Expect(observed).To(HaveLen(1))
			g.Expect(observed[0].Duration).To(BeNumerically(">", 0))
			observed[0].Duration = 0
			g.Expect(observed[0]).To(Equal(medblocks.Call{Operation: tc.operation, StatusCode: 200, RequestID: "req_header"}))
		})
	}
}

func TestACreatedEndpointComesWithItsSecretAndItsOwnVersionHeader(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, answering(http.StatusCreated, endpointWithSecretJSON))

	endpoint, secret, err := server.client(t).CreateEndpoint(context.Background(), medblocks.CreateEndpointRequest{
		URL: "https://r.example.com/hook", Events: []string{"records.sync.failed"}, Description: pointerTo("Intake"),
		Metadata: map[string]string{"webhook-operator/owner": "c/ns/name"}, APIVersion: "2027-01-31",
	})

	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(secret.Reveal()).To(Equal(testSecret))
	g.Expect(endpoint.ID).To(Equal(testEndpointID))
	g.Expect(endpoint.Description).To(BeEmpty())
	g.Expect(endpoint.RequestID).To(Equal("req_header"))
	got := server.received()[0]
	g.Expect(got.Header.Get("Version")).To(Equal("2027-01-31"))
	g.Expect(got.Body).To(MatchJSON(`{"url":"https://r.example.com/hook","events":["records.sync.failed"],
		"description":"Intake","metadata":{"webhook-operator/owner":"c/ns/name"}}`))
}

func TestAnEmptyDescriptionIsLeftOutOfARegistration(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, answering(http.StatusCreated, endpointWithSecretJSON))
	_, _, err := server.client(t).CreateEndpoint(context.Background(), medblocks.CreateEndpointRequest{
		URL: "https://r.example.com", Events: []string{"*"}, Description: pointerTo(""),
	})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(server.received()[0].Body).To(MatchJSON(`{"url":"https://r.example.com","events":["*"]}`))
}

func TestAnUpdateSendsOnlyTheFieldsThatAreSet(t *testing.T) {
	cases := map[string]struct {
		update medblocks.UpdateEndpointRequest
		body   string
	}{
		"a URL":                    {medblocks.UpdateEndpointRequest{URL: pointerTo("https://x.example.com")}, `{"url":"https://x.example.com"}`},
		"events":                   {medblocks.UpdateEndpointRequest{Events: []string{"a", "b"}}, `{"events":["a","b"]}`},
		"a description":            {medblocks.UpdateEndpointRequest{Description: pointerTo("d")}, `{"description":"d"}`},
		"a description to clear":   {medblocks.UpdateEndpointRequest{Description: pointerTo("")}, `{"description":null}`},
		"metadata":                 {medblocks.UpdateEndpointRequest{Metadata: map[string]string{"k": "v"}}, `{"metadata":{"k":"v"}}`},
		"a map to clear":           {medblocks.UpdateEndpointRequest{Metadata: map[string]string{}}, `{"metadata":{}}`},
		"the status":               {medblocks.UpdateEndpointRequest{Status: pointerTo(medblocks.EndpointStatusDisabled)}, `{"status":"disabled"}`},
		"an empty list as a list":  {medblocks.UpdateEndpointRequest{Events: []string{}}, `{"events":[]}`},
		"several at the same time": {medblocks.UpdateEndpointRequest{URL: pointerTo("u"), Events: []string{"*"}}, `{"url":"u","events":["*"]}`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			server := newVendor(t, answering(http.StatusOK, endpointJSON))
			g.Expect(tc.update.IsEmpty()).To(BeFalse())
			_, err := server.client(t).UpdateEndpoint(context.Background(), testEndpointID, tc.update)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(server.received()[0].Body).To(MatchJSON(tc.body))
		})
	}
}

func TestAnEndpointIsReadInFullAndUnknownFieldsAreIgnored(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, answering(http.StatusOK, endpointJSON))
	endpoint, err := server.client(t).GetEndpoint(context.Background(), testEndpointID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(endpoint).To(Equal(medblocks.Endpoint{
		ID: testEndpointID, ResourceType: "webhook_endpoint", URL: "https://api.example.com/medblocks/webhook",
		Events: []string{"patient_flow.completed", "connection.token_refresh_failed"},
		Status: medblocks.EndpointStatusActive, Description: "Production webhook",
		Metadata: medblocks.Metadata{"team": "intake"}, APIVersion: "2026-04-25",
		CreatedAt: medblocks.Timestamp{Time: time.Date(2026, 4, 25, 14, 30, 0, 0, time.UTC)},
		UpdatedAt: medblocks.Timestamp{Time: time.Date(2026, 4, 25, 14, 31, 0, 0, time.UTC)},
		RequestID: "req_header",
	}))
}

func TestOddFieldsOfSomebodyElsesEndpointDoNotMakeItUnreadable(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, answering(http.StatusOK, listJSON(
		`{"id":"wh_A","url":null,"events":null,"status":"paused","description":null,"created_at":"yesterday","updated_at":12,
		  "metadata":{"s":"text","n":1.50,"b":true,"z":null,"o":{ "a" : [1, 2] }}},
		 {"id":"wh_B","metadata":[]},{"id":"wh_C","metadata":null},{"id":"wh_D","created_at":"0000-01-01T00:00:00+23:00"}`)))
	endpoints, err := collect(server.client(t).ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{}))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(endpoints).To(HaveLen(4))
	g.Expect(endpoints[0].Metadata).To(Equal(medblocks.Metadata{
		"s": "text", "n": "1.50", "b": "true", "z": "null", "o": `{"a":[1,2]}`,
	}))
	g.Expect(endpoints[0].Status).To(Equal(medblocks.EndpointStatus("paused")))
	for _, endpoint := range endpoints {
		g.Expect(endpoint.CreatedAt.IsZero()).To(BeTrue())
		g.Expect(endpoint.UpdatedAt.IsZero()).To(BeTrue())
	}
}

func TestAnEventRecordKeepsNullApartFromValues(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, answering(http.StatusOK, eventRecordJSON))
	record, err := server.client(t).RedeliverEvent(context.Background(), testEventID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(record.Attempts).To(Equal(9))
	g.Expect(record.WebhookEndpointID).To(Equal(testEndpointID))
	g.Expect(record.DeliveredAt).To(BeNil())
	g.Expect(record.NextAttemptAt).To(BeNil())
	g.Expect(record.LastRedeliveredAt.Time).To(Equal(time.Date(2026, 4, 25, 14, 40, 0, 0, time.UTC)))
	g.Expect(record.LastStatusCode).To(HaveValue(Equal(503)))
	g.Expect(record.LastResponseBody).To(HaveValue(Equal("busy")))
	g.Expect(record.Data).To(MatchJSON(`{"object":{"id":"pf_1"}}`))
	g.Expect(record.RequestID).To(Equal("req_header"))
}

func TestADeletionReturnsTheRequestIDAndIgnoresTheBody(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no content": answering(http.StatusNoContent, ""),
		"JSON":       answering(http.StatusOK, endpointJSON),
		"HTML":       answering(http.StatusAccepted, "<html>"),
		"a body that ends early": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Header().Set("X-Request-Id", "req_header")
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte("{"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			requestID, err := newVendor(t, answer).client(t).DeleteEndpoint(context.Background(), testEndpointID)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(requestID).To(Equal("req_header"))
		})
	}
}

func TestArgumentsThatCannotBeSentAreRefusedWithoutACall(t *testing.T) {
	ids := []string{
		"", "wh_", "evt_", "wh_../../keys", "wh_a/b", "wh_a?b", "wh_a b", "wh_a\n", "wh_é", "01J9YR", "WH_A", testKey,
		"wh_" + string(make([]byte, 200)),
	}
	calls := map[string]func(*medblocks.Client, string) error{
		"GetEndpoint": func(c *medblocks.Client, id string) error {
			_, err := c.GetEndpoint(context.Background(), id)
			return err
		},
		"UpdateEndpoint": func(c *medblocks.Client, id string) error {
			_, err := c.UpdateEndpoint(context.Background(), id, medblocks.UpdateEndpointRequest{Events: []string{"*"}})
			return err
		},
		"DeleteEndpoint": func(c *medblocks.Client, id string) error {
			_, err := c.DeleteEndpoint(context.Background(), id)
			return err
		},
		"RotateSecret": func(c *medblocks.Client, id string) error {
			_, _, err := c.RotateSecret(context.Background(), id)
			return err
		},
		"ListEvents": func(c *medblocks.Client, id string) error {
			_, err := collect(c.ListEvents(context.Background(), id, medblocks.ListEventsOptions{}))
			return err
		},
		"RedeliverEvent": func(c *medblocks.Client, id string) error {
			_, err := c.RedeliverEvent(context.Background(), id)
			return err
		},
		"an update that changes nothing": func(c *medblocks.Client, _ string) error {
			_, err := c.UpdateEndpoint(context.Background(), testEndpointID, medblocks.UpdateEndpointRequest{})
			return err
		},
		"a page size above the vendor's": func(c *medblocks.Client, _ string) error {
			_, err := collect(c.ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{Limit: 101}))
			return err
		},
		"a negative page size": func(c *medblocks.Client, _ string) error {
			_, err := collect(c.ListEvents(context.Background(), testEndpointID, medblocks.ListEventsOptions{Limit: -1}))
			return err
		},
		"a version that is no date": func(c *medblocks.Client, _ string) error {
			_, _, err := c.CreateEndpoint(context.Background(), medblocks.CreateEndpointRequest{APIVersion: "v1\r\nX: y"})
			return err
		},
	}
	server := newVendor(t, answering(http.StatusOK, endpointJSON))
	client := server.client(t)
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			for _, id := range ids {
				err := call(client, id)
				g.Expect(err).To(MatchError(medblocks.ErrInvalidArgument), "%q", id)
				g.Expect(medblocks.IsInvalid(err)).To(BeTrue())
				g.Expect(medblocks.IsRejected(err)).To(BeTrue())
				g.Expect(medblocks.IsTransient(err)).To(BeFalse())
				g.Expect(err.Error()).NotTo(ContainSubstring(testKey))
			}
		})
	}
	NewWithT(t).Expect(server.received()).To(BeEmpty())
}
