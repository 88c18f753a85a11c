// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"
)

// EndpointStatus says whether an endpoint accepts deliveries. A value that is not
// among the constants is kept as it came.
type EndpointStatus string

// The states of an endpoint (vendor).
const (
	EndpointStatusActive   EndpointStatus = "active"
	EndpointStatusDisabled EndpointStatus = "disabled"
)

// Endpoint is a webhook endpoint as Medblocks returns it. The signing secret is
// never part of it.
type Endpoint struct {
	// ID is "wh_" and a ULID (vendor).
	ID           string         `json:"id"`
	ResourceType string         `json:"resource_type"`
	URL          string         `json:"url"`
	Events       []string       `json:"events"`
	Status       EndpointStatus `json:"status"`
	// Description is "" where the vendor says null.
	Description string   `json:"description"`
	Metadata    Metadata `json:"metadata"`
	// APIVersion is pinned when the endpoint is registered and never changes (vendor).
	APIVersion string    `json:"api_version"`
	CreatedAt  Timestamp `json:"created_at"`
	UpdatedAt  Timestamp `json:"updated_at"`
	// RequestID is the vendor's id of the answer that this endpoint came in.
	RequestID string `json:"-"`
}

// Metadata is an endpoint's map of strings. Other people's endpoints appear in
// the same lists, so a value that is no string is kept as its compact JSON text
// instead of making the whole list unreadable.
type Metadata map[string]string

// UnmarshalJSON reads an object of any values; null and an empty array, which
// some encoders write for an empty map, are an empty map.
func (m *Metadata) UnmarshalJSON(data []byte) error {
	if trimmed := bytes.TrimSpace(data); bytes.Equal(trimmed, []byte("null")) || isEmptyArray(trimmed) {
		*m = Metadata{}
		return nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil {
		return errors.New("metadata is not an object")
	}
	result := make(Metadata, len(values))
	for key, value := range values {
		text, err := stringOrCompact(value)
		if err != nil {
			return err
		}
		result[key] = text
	}
	*m = result
	return nil
}

func isEmptyArray(data []byte) bool {
	return len(data) >= 2 && data[0] == '[' && len(bytes.TrimSpace(data[1:len(data)-1])) == 0
}

func stringOrCompact(value json.RawMessage) (string, error) {
	if len(value) > 0 && value[0] == '"' {
		var text string
		err := json.Unmarshal(value, &text)
		return text, err
	}
	var compact bytes.Buffer
	err := json.Compact(&compact, value)
	return compact.String(), err
}

// Timestamp is a time that never makes an answer unreadable: what cannot be
// parsed is the zero time. Nothing is decided by these times alone.
type Timestamp struct{ time.Time }

// timestampLayout is how the vendor writes times: UTC with milliseconds.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// UnmarshalJSON reads an RFC 3339 string; anything else is the zero time.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	var text string
	t.Time = time.Time{}
	if json.Unmarshal(data, &text) != nil {
		return nil //nolint:nilerr // tolerance is the purpose of this type
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if parsed = parsed.UTC(); err == nil && parsed.Year() >= 1 && parsed.Year() <= 9999 {
		t.Time = parsed
	}
	return nil
}

// MarshalJSON writes the vendor's form, and null for the zero time.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.UTC().Format(timestampLayout))
}

// CreateEndpointRequest registers an endpoint.
type CreateEndpointRequest struct {
	URL    string   `json:"url"`
	Events []string `json:"events"`
	// Description is left out when nil or empty.
	Description *string           `json:"description,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	// APIVersion is sent as the Version header of this call alone, and so is the
	// version that the endpoint is pinned to. Empty means the client's.
	APIVersion string `json:"-"`
}

// UpdateEndpointRequest changes the fields that are not nil and leaves the others.
type UpdateEndpointRequest struct {
	URL    *string
	Events []string
	// Description is cleared by a pointer to "", which is sent as null.
	Description *string
	// Metadata replaces the whole map (assumed: always send the complete one); an
	// empty map that is not nil clears it.
	Metadata map[string]string
	// Status re-enables (active) or disables an endpoint.
	Status *EndpointStatus
}

// IsEmpty says whether the request would change nothing.
func (r UpdateEndpointRequest) IsEmpty() bool {
	return r.URL == nil && r.Events == nil && r.Description == nil && r.Metadata == nil && r.Status == nil
}

// MarshalJSON writes the fields that are set.
func (r UpdateEndpointRequest) MarshalJSON() ([]byte, error) {
	body := make(map[string]any, 5)
	if r.URL != nil {
		body["url"] = *r.URL
	}
	if r.Events != nil {
		body["events"] = r.Events
	}
	if r.Description != nil {
		body["description"] = nil
		if *r.Description != "" {
			body["description"] = *r.Description
		}
	}
	if r.Metadata != nil {
		body["metadata"] = r.Metadata
	}
	if r.Status != nil {
		body["status"] = *r.Status
	}
	return json.Marshal(body)
}

// DefaultPageSize is the page size of both lists, the largest that the vendor
// accepts (the vendor's own default is 10).
const DefaultPageSize = 100

// ListEndpointsOptions narrows a list of endpoints. The zero value lists all.
type ListEndpointsOptions struct {
	// Limit is the size of a page, 1 to 100; 0 means DefaultPageSize.
	Limit int
	// Status lists only the endpoints in this state; empty lists all.
	Status EndpointStatus
}

// ListEventsOptions narrows a list of event records. The zero value lists all.
type ListEventsOptions struct {
	// Limit is the size of a page, 1 to 100; 0 means DefaultPageSize.
	Limit int
	// Delivered lists only the events that were (true) or were not (false)
	// delivered; nil lists both.
	Delivered *bool
	// BeforeCall, when set, is asked before each call that the list makes: one for
	// a page, and more for a page that is too large to be read. Its error ends the
	// list.
	BeforeCall func(ctx context.Context) error
}

// EventRecord is the delivery state of one event, not the payload that a receiver
// gets. It has no signature and is not proof of anything to a receiver.
type EventRecord struct {
	ID                string `json:"id"`
	WebhookEndpointID string `json:"webhook_endpoint_id"`
	Type              string `json:"type"`
	APIVersion        string `json:"api_version"`
	// Attempts made so far; the vendor gives up after 9 and disables the endpoint.
	Attempts          int             `json:"attempts"`
	NextAttemptAt     *Timestamp      `json:"next_attempt_at"`
	DeliveredAt       *Timestamp      `json:"delivered_at"`
	LastRedeliveredAt *Timestamp      `json:"last_redelivered_at"`
	LastStatusCode    *int            `json:"last_status_code"`
	LastResponseBody  *string         `json:"last_response_body"`
	CreatedAt         Timestamp       `json:"created_at"`
	Data              json.RawMessage `json:"data"`
	// RequestID is the vendor's id of the answer that this record came in.
	RequestID string `json:"-"`
}
