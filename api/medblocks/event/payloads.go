// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/json"
	"time"
)

// FlowStatus is the state of a patient flow.
type FlowStatus string

// The states of a patient flow (vendor).
const (
	FlowOpen     FlowStatus = "open"
	FlowComplete FlowStatus = "complete"
	FlowExpired  FlowStatus = "expired"
)

// PatientFlow is the data of patient_flow.completed (vendor).
type PatientFlow struct {
	// ID is "pf_…".
	ID        string     `json:"id"`
	Status    FlowStatus `json:"status"`
	PatientID string     `json:"patient_id"`
	// ConnectionID is set in direct mode.
	ConnectionID Nullable[string] `json:"connection_id,omitzero"`
	// RecommendedConnectionIDs is set in picker mode with hints.
	RecommendedConnectionIDs Nullable[[]string]      `json:"recommended_connection_ids,omitzero"`
	Connections              []PatientFlowConnection `json:"connections"`
	// Metadata is what the flow was created with.
	Metadata map[string]any `json:"metadata"`
}

// ConnectionStatus is the state of a connection. The vendor lists no complete set
// of values, so expect others than the constants.
type ConnectionStatus string

// The states of a connection that the vendor names.
const (
	ConnectionActive        ConnectionStatus = "active"
	ConnectionFailed        ConnectionStatus = "failed"
	ConnectionRefreshFailed ConnectionStatus = "refresh_failed"
)

// PatientFlowConnection is the data of connection.token_refresh_failed, and part
// of a PatientFlow (vendor).
type PatientFlowConnection struct {
	// ID is "conn_…", null only on the original failed authorization.
	ID Nullable[string] `json:"id,omitzero"`
	// ConnectionID is "fhirsrc_…".
	ConnectionID string              `json:"connection_id"`
	Status       ConnectionStatus    `json:"status"`
	FailureCode  Nullable[string]    `json:"failure_code,omitzero"`
	FailureAt    Nullable[Timestamp] `json:"failure_at,omitzero"`
	CreatedAt    Timestamp           `json:"created_at"`
}

// RecordsSyncCompleted is the data of records.sync.completed (vendor).
type RecordsSyncCompleted struct {
	// ResourceType is "records_sync".
	ResourceType string `json:"resource_type"`
	PatientID    string `json:"patient_id"`
	// ConnectionID is "fhirsrc_…".
	ConnectionID string `json:"connection_id"`
	// Total is the number of records, Errors the number of errors among them.
	Total  int64 `json:"total"`
	Errors int64 `json:"errors"`
	// DurationMS is in milliseconds.
	DurationMS Nullable[float64] `json:"duration_ms,omitzero"`
}

// RecordsSyncFailed is the data of records.sync.failed (vendor).
type RecordsSyncFailed struct {
	// ResourceType is "records_sync".
	ResourceType string `json:"resource_type"`
	PatientID    string `json:"patient_id"`
	// ConnectionID is "fhirsrc_…".
	ConnectionID string           `json:"connection_id"`
	ErrorMessage Nullable[string] `json:"error_message,omitzero"`
}

// Unknown is the data of an event whose type this version of the package does not
// know. It is no error: subscribed to "*", a receiver gets new types on the day
// that the vendor adds them.
type Unknown struct {
	// Raw is data.object as it came, or all of data where that holds no object.
	Raw json.RawMessage
}

// MarshalJSON writes Raw.
func (u Unknown) MarshalJSON() ([]byte, error) {
	if len(u.Raw) == 0 {
		return []byte("null"), nil
	}
	return u.Raw, nil
}

func (*PatientFlow) isData()           {}
func (*PatientFlowConnection) isData() {}
func (*RecordsSyncCompleted) isData()  {}
func (*RecordsSyncFailed) isData()     {}
func (*Unknown) isData()               {}

// Nullable is a field that the catalogue declares as "or null". It keeps apart
// what a pointer cannot: absent (the zero value), null, and a value.
type Nullable[T any] struct {
	value T
	state nullableState
}

type nullableState uint8

const (
	stateAbsent nullableState = iota
	stateNull
	stateValue
)

// Value returns a Nullable that holds v.
func Value[T any](v T) Nullable[T] { return Nullable[T]{value: v, state: stateValue} }

// Null returns a Nullable that is null.
func Null[T any]() Nullable[T] { return Nullable[T]{state: stateNull} }

// Get returns the value, and whether there is one.
func (n Nullable[T]) Get() (T, bool) { return n.value, n.state == stateValue }

// Or returns the value, or fallback where there is none.
func (n Nullable[T]) Or(fallback T) T {
	if n.state == stateValue {
		return n.value
	}
	return fallback
}

// IsNull says that the field was there and null.
func (n Nullable[T]) IsNull() bool { return n.state == stateNull }

// IsZero says that the field was absent. encoding/json's omitzero asks it.
func (n Nullable[T]) IsZero() bool { return n.state == stateAbsent }

// UnmarshalJSON is called only for fields that are present.
func (n *Nullable[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Null[T]()
		return nil
	}
	var value T
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	*n = Value(value)
	return nil
}

// MarshalJSON writes the value or null.
func (n Nullable[T]) MarshalJSON() ([]byte, error) {
	if n.state != stateValue {
		return []byte("null"), nil
	}
	return json.Marshal(n.value)
}

// Timestamp is a time in ISO 8601. A text that cannot be read as one is the zero
// time and no error: nobody should lose an event over its time.
type Timestamp struct{ time.Time }

// isoLayouts are the forms of ISO 8601 that are met in practice; the first is the
// vendor's.
var isoLayouts = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", time.DateOnly}

// UnmarshalJSON never fails. A time without a zone is UTC.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	var text string
	t.Time = time.Time{}
	if json.Unmarshal(data, &text) != nil {
		return nil //nolint:nilerr // tolerance is the purpose of this type
	}
	for _, layout := range isoLayouts {
		parsed, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if parsed = parsed.UTC(); parsed.Year() >= 0 && parsed.Year() <= 9999 {
			t.Time = parsed
		}
		return nil
	}
	return nil
}

// MarshalJSON writes UTC with at least milliseconds, as the vendor does, and null
// for the zero time.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	layout := "2006-01-02T15:04:05.000Z07:00"
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		layout = time.RFC3339Nano
	}
	return json.Marshal(t.UTC().Format(layout))
}
