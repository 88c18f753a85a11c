// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Type is the discriminator of an event.
type Type string

// The types of API version 2026-04-25 (vendor).
const (
	// TypePatientFlowCompleted fires when a patient finishes the hosted flow,
	// whatever the outcome. Its data is a *PatientFlow.
	TypePatientFlowCompleted Type = "patient_flow.completed"
	// TypeConnectionTokenRefreshFailed fires when an active connection's refresh
	// token stops working. Its data is a *PatientFlowConnection.
	TypeConnectionTokenRefreshFailed Type = "connection.token_refresh_failed"
	// TypeRecordsSyncCompleted fires when a background pull for one patient and
	// connection ended well. Its data is a *RecordsSyncCompleted.
	TypeRecordsSyncCompleted Type = "records.sync.completed"
	// TypeRecordsSyncFailed fires when such a pull failed for good. Its data is a
	// *RecordsSyncFailed.
	TypeRecordsSyncFailed Type = "records.sync.failed"
)

// Types lists the types that this version of the package knows, in a fixed order.
func Types() []Type {
	return []Type{
		TypePatientFlowCompleted, TypeConnectionTokenRefreshFailed, TypeRecordsSyncCompleted, TypeRecordsSyncFailed,
	}
}

// IsKnown says whether events of this type have a payload type of their own.
func (t Type) IsKnown() bool { return newData(t) != nil }

// Event is one event as a receiver gets it. An Event from ConstructEvent or a
// Handler is authentic; one from ParseUnverified or json.Unmarshal is not.
type Event struct {
	// ID is "evt_…". The same id may be delivered more than once (vendor).
	ID   string
	Type Type
	// APIVersion is the one that the endpoint was registered with (vendor).
	APIVersion string
	CreatedAt  Timestamp
	// Data is never nil after decoding.
	Data Data

	// Raw is the body exactly as it was signed, with every field that this
	// package ignores: pass this on, not a re-encoding.
	Raw json.RawMessage
	// SignedAt is the time in the signature, the zero time if none was verified.
	SignedAt time.Time
	// SecretIndex tells which of the secrets verified the event, from 0: with the
	// current and the previous one, 1 says that the sender still uses the old.
	SecretIndex int
}

// Data is the payload of an event: one of *PatientFlow, *PatientFlowConnection,
// *RecordsSyncCompleted, *RecordsSyncFailed and *Unknown.
type Data interface{ isData() }

func newData(t Type) Data {
	switch t {
	case TypePatientFlowCompleted:
		return &PatientFlow{}
	case TypeConnectionTokenRefreshFailed:
		return &PatientFlowConnection{}
	case TypeRecordsSyncCompleted:
		return &RecordsSyncCompleted{}
	case TypeRecordsSyncFailed:
		return &RecordsSyncFailed{}
	}
	return nil
}

// envelope is the wire form of an event (vendor).
type envelope struct {
	ID         string          `json:"id"`
	Object     string          `json:"object"`
	Type       Type            `json:"type"`
	APIVersion string          `json:"api_version"`
	CreatedAt  Timestamp       `json:"created_at"`
	Data       json.RawMessage `json:"data"`
}

// payloadEnvelope wraps the object in an event's data (vendor).
type payloadEnvelope struct {
	Object json.RawMessage `json:"object,omitempty"`
}

const envelopeObject = "event"

// ParseUnverified decodes a body without looking at any signature, for bodies that
// are known to be authentic, such as stored ones. Its error is an ErrNotAnEvent.
func ParseUnverified(rawBody []byte) (Event, error) {
	var e Event
	if !json.Valid(rawBody) {
		return Event{}, fmt.Errorf("%w: not JSON, or cut short", ErrNotAnEvent)
	}
	if err := e.UnmarshalJSON(rawBody); err != nil {
		return Event{}, err
	}
	return e, nil
}

// UnmarshalJSON decodes an event without verifying it.
func (e *Event) UnmarshalJSON(data []byte) error {
	var wire envelope
	if err := json.Unmarshal(data, &wire); err != nil {
		return fmt.Errorf("%w: %s", ErrNotAnEvent, shapeOf(err))
	}
	switch {
	case wire.ID == "":
		return fmt.Errorf("%w: it has no id", ErrNotAnEvent)
	case wire.Type == "":
		return fmt.Errorf("%w: it has no type", ErrNotAnEvent)
	case wire.Object != "" && wire.Object != envelopeObject:
		// Absent is let pass: the type and the id already say what it is.
		return fmt.Errorf("%w: its object is another", ErrNotAnEvent)
	}
	payload, err := decodeData(wire.Type, wire.Data)
	if err != nil {
		return err
	}
	*e = Event{
		ID: wire.ID, Type: wire.Type, APIVersion: wire.APIVersion, CreatedAt: wire.CreatedAt,
		Data: payload, Raw: bytes.Clone(data),
	}
	return nil
}

func decodeData(t Type, data json.RawMessage) (Data, error) {
	var wrapped payloadEnvelope
	wrapErr := json.Unmarshal(data, &wrapped)
	payload := newData(t)
	if payload == nil {
		if wrapErr != nil || wrapped.Object == nil {
			return &Unknown{Raw: data}, nil //nolint:nilerr // of an unknown type, so that any data is kept as it is
		}
		return &Unknown{Raw: wrapped.Object}, nil
	}
	if wrapErr != nil || len(wrapped.Object) == 0 || wrapped.Object[0] != '{' {
		return nil, fmt.Errorf("%w: data.object is not an object", ErrNotAnEvent)
	}
	if err := json.Unmarshal(wrapped.Object, payload); err != nil {
		return nil, fmt.Errorf("%w: data.object: %s", ErrNotAnEvent, shapeOf(err))
	}
	return payload, nil
}

// shapeOf explains a decoding error without quoting the body, which is about a
// patient.
func shapeOf(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		return fmt.Sprintf("a field is not of the expected type %s", kind.Type)
	}
	return "not of the expected shape"
}

// MarshalJSON encodes the fields of the event, for senders and tests. It drops
// what this package does not know of; to pass an event on, use Raw.
func (e Event) MarshalJSON() ([]byte, error) {
	wire := envelope{
		ID: e.ID, Object: envelopeObject, Type: e.Type, APIVersion: e.APIVersion, CreatedAt: e.CreatedAt,
	}
	var wrapped payloadEnvelope
	var err error
	if e.Data != nil {
		if wrapped.Object, err = json.Marshal(e.Data); err != nil {
			return nil, err
		}
	}
	if wire.Data, err = json.Marshal(wrapped); err != nil {
		return nil, err
	}
	return json.Marshal(wire)
}
