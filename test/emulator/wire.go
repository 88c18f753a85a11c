// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"net/http"
	"time"
)

// What follows is the vendor's JSON, written down independently of the client:
// a mistake made in one of the two is then seen by the other.

const (
	timeMillis  = "2006-01-02T15:04:05.000Z"
	timeSeconds = "2006-01-02T15:04:05Z"
)

type wireEndpoint struct {
	ID           string         `json:"id"`
	ResourceType string         `json:"resource_type"`
	URL          string         `json:"url"`
	Events       []string       `json:"events"`
	Status       string         `json:"status"`
	Description  *string        `json:"description"`
	Metadata     map[string]any `json:"metadata"`
	APIVersion   string         `json:"api_version"`
	CreatedAt    string         `json:"created_at"`
	UpdatedAt    string         `json:"updated_at"`
	Secret       string         `json:"secret,omitempty"`
	Workspace    string         `json:"workspace,omitempty"`
	// Added is present only with the quirk extra_fields.
	Added map[string]any `json:"added_by_a_later_version,omitempty"`
}

type wireEvent struct {
	ID                string         `json:"id"`
	ResourceType      string         `json:"resource_type"`
	WebhookEndpointID string         `json:"webhook_endpoint_id"`
	Type              string         `json:"type"`
	Data              map[string]any `json:"data"`
	APIVersion        string         `json:"api_version"`
	Attempts          int            `json:"attempts"`
	NextAttemptAt     *string        `json:"next_attempt_at"`
	DeliveredAt       *string        `json:"delivered_at"`
	LastStatusCode    *int           `json:"last_status_code"`
	LastResponseBody  *string        `json:"last_response_body"`
	LastRedeliveredAt *string        `json:"last_redelivered_at"`
	CreatedAt         string         `json:"created_at"`
	Added             map[string]any `json:"added_by_a_later_version,omitempty"`
}

type wireList struct {
	ResourceType string  `json:"resource_type"`
	Data         []any   `json:"data"`
	HasMore      bool    `json:"has_more"`
	NextCursor   *string `json:"next_cursor"`
}

type wireError struct {
	Error wireErrorBody `json:"error"`
}

type wireErrorBody struct {
	Type      string  `json:"type"`
	Code      string  `json:"code"`
	Message   string  `json:"message"`
	Param     *string `json:"param"`
	DocURL    string  `json:"doc_url"`
	RequestID string  `json:"request_id"`
}

// envelope is what a receiver gets.
type envelope struct {
	ID         string         `json:"id"`
	Object     string         `json:"object"`
	Type       string         `json:"type"`
	APIVersion string         `json:"api_version"`
	CreatedAt  string         `json:"created_at"`
	Data       map[string]any `json:"data"`
}

func (q Quirks) time(t time.Time) string {
	if q.SecondTimestamps {
		return t.UTC().Format(timeSeconds)
	}
	return t.UTC().Format(timeMillis)
}

func (q Quirks) timePointer(t *time.Time) *string {
	if t == nil {
		return nil
	}
	text := q.time(*t)
	return &text
}

func (q Quirks) added() map[string]any {
	if !q.ExtraFields {
		return nil
	}
	return map[string]any{"nested": []any{1, "two", nil}}
}

func (q Quirks) endpoint(e Endpoint) wireEndpoint {
	out := wireEndpoint{
		ID: e.ID, ResourceType: "webhook_endpoint", URL: e.URL, Events: e.Events, Status: e.Status,
		Description: e.Description, Metadata: e.Metadata, APIVersion: e.APIVersion,
		CreatedAt: q.time(e.CreatedAt), UpdatedAt: q.time(e.UpdatedAt), Added: q.added(),
	}
	if out.Metadata == nil {
		out.Metadata = map[string]any{}
	}
	if q.NullMetadata && len(out.Metadata) == 0 {
		out.Metadata = nil
	}
	if q.EmptyDescription && out.Description == nil {
		out.Description = new(string)
	}
	return out
}

func (q Quirks) event(e EventRecord) wireEvent {
	return wireEvent{
		ID: e.ID, ResourceType: "event", WebhookEndpointID: e.WebhookEndpointID, Type: e.Type, Data: e.Data,
		APIVersion: e.APIVersion, Attempts: e.Attempts, NextAttemptAt: q.timePointer(e.NextAttemptAt),
		DeliveredAt: q.timePointer(e.DeliveredAt), LastStatusCode: e.LastStatusCode, LastResponseBody: e.LastResponseBody,
		LastRedeliveredAt: q.timePointer(e.LastRedeliveredAt), CreatedAt: q.time(e.CreatedAt), Added: q.added(),
	}
}

// answer is what a call gets, before faults and quirks of the transport.
type answer struct {
	status int
	header http.Header
	// body is encoded as JSON; nil sends none.
	body any
}

func ok(status int, body any) answer { return answer{status: status, body: body} }

// failure renders the vendor's error envelope [doc].
func failure(e *apiError, requestID string) answer {
	body := wireErrorBody{
		Type: e.kind, Code: e.code, Message: e.message, DocURL: docURL + e.code, RequestID: requestID,
	}
	if e.param != "" {
		body.Param = &e.param
	}
	a := answer{status: e.status, header: http.Header{}, body: wireError{Error: body}}
	if e.retryAfter != "" {
		a.header.Set("Retry-After", e.retryAfter)
	}
	if e.allow != "" {
		a.header.Set("Allow", e.allow)
	}
	return a
}

func encode(body any) []byte {
	if body == nil {
		return nil
	}
	raw, err := json.Marshal(body)
	if err != nil {
		// Everything here came out of JSON or out of a test's own map.
		panic("emulator: cannot encode an answer: " + err.Error())
	}
	return raw
}
