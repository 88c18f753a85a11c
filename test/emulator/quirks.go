// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

// Quirks make the emulator do the other thing where the vendor's documentation
// is silent and medblocks-api.md marks a choice as assumed. The zero value is
// the assumed behaviour. The operator must work under each of them.
type Quirks struct {
	// MetadataMerge: PATCH merges metadata key by key (null removes a key) instead of replacing the map.
	MetadataMerge bool `json:"metadata_merge"`
	// NormalizeURL: URLs are stored with lower-case scheme and host, without the default port, with at least "/".
	NormalizeURL bool `json:"normalize_url"`
	// ReorderEvents: events come back in alphabetical order rather than as sent.
	ReorderEvents bool `json:"reorder_events"`
	// CreateStatus answers a registration with another 2xx; 0 means 201.
	CreateStatus int `json:"create_status"`
	// DeleteBody: DELETE answers 200 with a JSON body instead of 204 without one.
	DeleteBody bool `json:"delete_body"`
	// UniqueURL: a second registration of a URL in a workspace is refused with 409.
	UniqueURL bool `json:"unique_url"`
	// NullMetadata: empty metadata is echoed as null.
	NullMetadata bool `json:"null_metadata"`
	// EmptyDescription: a description that is not set is echoed as "".
	EmptyDescription bool `json:"empty_description"`
	// SecondTimestamps: times carry no fraction of a second.
	SecondTimestamps bool `json:"second_timestamps"`
	// ExtraFields: objects carry fields that this API version does not document.
	ExtraFields bool `json:"extra_fields"`
	// RejectUnknownFields: request bodies with undocumented fields are refused with 400.
	RejectUnknownFields bool `json:"reject_unknown_fields"`
	// EndpointsOldestFirst: endpoints are listed oldest first.
	EndpointsOldestFirst bool `json:"endpoints_oldest_first"`
	// EventsOldestFirst: event records are listed oldest first.
	EventsOldestFirst bool `json:"events_oldest_first"`
	// OpaqueCursors: next_cursor is a token and not the last item's id.
	OpaqueCursors bool `json:"opaque_cursors"`
	// StrictCursors: a cursor whose item was deleted meanwhile is refused with 400.
	StrictCursors bool `json:"strict_cursors"`
	// LimitStatus is the status of the endpoint limit's error; 0 means 429.
	LimitStatus int `json:"limit_status"`
	// RotateOverlap: after a rotation deliveries carry one v1 signature per secret, old and new.
	RotateOverlap bool `json:"rotate_overlap"`
	// QueueWhileDisabled: events that fire while an endpoint is disabled are kept and delivered after a re-enable.
	QueueWhileDisabled bool `json:"queue_while_disabled"`
	// ResumeRetries: retries pending when an endpoint is disabled go on after a re-enable.
	ResumeRetries bool `json:"resume_retries"`
	// RedeliverDisabled: redelivery to a disabled endpoint is attempted instead of being refused with 409.
	RedeliverDisabled bool `json:"redeliver_disabled"`
	// RedeliveryNotCounted: a redelivery leaves attempts as it was.
	RedeliveryNotCounted bool `json:"redelivery_not_counted"`
}

// SetQuirks replaces all quirks. Objects already stored stay as they are.
func (s *Server) SetQuirks(q Quirks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quirks = q
}

// Quirks returns the quirks in force.
func (s *Server) Quirks() Quirks {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.quirks
}
