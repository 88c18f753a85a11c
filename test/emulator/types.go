// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"maps"
	"slices"
	"time"
)

// Operation names one call of the vendor's API. The names equal those of the
// client in api/medblocks, so that counters and faults can be written with either.
type Operation string

// The eight calls of the vendor's API, in the order of its documentation.
const (
	OperationCreateEndpoint Operation = "CreateEndpoint"
	OperationListEndpoints  Operation = "ListEndpoints"
	OperationGetEndpoint    Operation = "GetEndpoint"
	OperationUpdateEndpoint Operation = "UpdateEndpoint"
	OperationDeleteEndpoint Operation = "DeleteEndpoint"
	OperationRotateSecret   Operation = "RotateSecret"
	OperationListEvents     Operation = "ListEvents"
	OperationRedeliverEvent Operation = "RedeliverEvent"

	// OperationUnknown is what a request to a path or with a method that the
	// vendor does not have is counted as.
	OperationUnknown Operation = "Unknown"
	// OperationAny matches every operation in a Fault.
	OperationAny Operation = "*"
)

// Operations lists the eight calls.
func Operations() []Operation {
	return []Operation{
		OperationCreateEndpoint, OperationListEndpoints, OperationGetEndpoint, OperationUpdateEndpoint,
		OperationDeleteEndpoint, OperationRotateSecret, OperationListEvents, OperationRedeliverEvent,
	}
}

// The two states of an endpoint [doc].
const (
	StatusActive   = "active"
	StatusDisabled = "disabled"
)

// EventWildcard subscribes to every type and stands alone [doc].
const EventWildcard = "*"

// EventTypes lists the four types of the vendor's catalogue [doc].
func EventTypes() []string {
	return []string{
		"patient_flow.completed",
		"connection.token_refresh_failed",
		"records.sync.completed",
		"records.sync.failed",
	}
}

// DefaultAPIVersion is the API version that this emulator speaks, and the one
// pinned on a key unless SetKey says otherwise.
const DefaultAPIVersion = "2026-04-25"

// Endpoint is a webhook endpoint as the vendor stores it. Its JSON form is
// written by the emulator itself (see wire.go), because quirks change it.
type Endpoint struct {
	ID          string
	URL         string
	Events      []string
	Status      string
	Description *string
	Metadata    map[string]any
	APIVersion  string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

func (e Endpoint) clone() Endpoint {
	e.Events = slices.Clone(e.Events)
	e.Metadata = maps.Clone(e.Metadata)
	if e.Description != nil {
		d := *e.Description
		e.Description = &d
	}
	return e
}

// EndpointWithSecret is what only the admin surface shows.
type EndpointWithSecret struct {
	Endpoint
	// Secret is the one that deliveries are signed with now.
	Secret string
	// Workspace is the name of the workspace that the endpoint belongs to.
	Workspace string
}

// EventRecord is the delivery state of one event for one endpoint.
type EventRecord struct {
	ID                string
	WebhookEndpointID string
	Type              string
	// Data is the content of the envelope's "data": normally {"object": {…}}.
	Data       map[string]any
	APIVersion string
	// Attempts counts finished attempts.
	Attempts int
	// NextAttemptAt is nil when no attempt is planned.
	NextAttemptAt *time.Time
	DeliveredAt   *time.Time
	// LastStatusCode is nil before the first attempt and when the last one got no answer.
	LastStatusCode *int
	// LastResponseBody holds at most 1,024 bytes.
	LastResponseBody  *string
	LastRedeliveredAt *time.Time
	CreatedAt         time.Time
}

// FiredEvent names one event that Fire made.
type FiredEvent struct {
	ID                string `json:"id"`
	WebhookEndpointID string `json:"webhook_endpoint_id"`
}

// Delivery is one captured attempt.
type Delivery struct {
	EventID           string    `json:"event_id"`
	WebhookEndpointID string    `json:"webhook_endpoint_id"`
	Type              string    `json:"type"`
	Attempt           int       `json:"attempt"`
	Redelivery        bool      `json:"redelivery"`
	At                time.Time `json:"at"`
	URL               string    `json:"url"`
	// StatusCode is 0 when there was no answer; Error then says why.
	StatusCode   int    `json:"status_code"`
	Error        string `json:"error"`
	Signature    string `json:"signature"`
	Body         string `json:"body"`
	ResponseBody string `json:"response_body"`
}

// Counters counts vendor calls since the start or the last reset. Status "0"
// stands for a call that got no answer (hang, reset, lost answer).
type Counters struct {
	Calls    map[Operation]int            `json:"calls"`
	Statuses map[Operation]map[string]int `json:"statuses"`
}

// Total is the number of calls of all operations.
func (c Counters) Total() int {
	n := 0
	for _, v := range c.Calls {
		n += v
	}
	return n
}

// Call is one entry of the call log.
type Call struct {
	At        time.Time `json:"at"`
	Operation Operation `json:"operation"`
	Method    string    `json:"method"`
	// Path carries the query as well.
	Path      string `json:"path"`
	APIKey    string `json:"api_key"`
	Version   string `json:"version"`
	Body      string `json:"body"`
	Status    int    `json:"status"`
	RequestID string `json:"request_id"`
	// Fault names the injected fault that changed this call, if any.
	Fault FaultKind `json:"fault,omitempty"`
}
