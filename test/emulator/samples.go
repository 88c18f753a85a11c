// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"maps"
	"time"
)

// eventData is the content of an envelope's data.
func eventData(eventType string, data any, now time.Time) map[string]any {
	if data == nil {
		return map[string]any{"object": sample(eventType, now)}
	}
	// Through JSON, so that what a caller still holds cannot change the event.
	var plain any
	if json.Unmarshal(encode(data), &plain) != nil {
		return map[string]any{"object": data}
	}
	if m, isMap := plain.(map[string]any); isMap && len(m) == 1 {
		if _, whole := m["object"].(map[string]any); whole {
			return m
		}
	}
	return map[string]any{"object": plain}
}

// sample is a made-up data.object with every field that the catalogue lists.
func sample(eventType string, now time.Time) map[string]any {
	at := now.UTC().Format(timeMillis)
	connection := map[string]any{
		"id": "conn_01J9YRC5W8D2M7KQ4T0V6X3NZB", "connection_id": "fhirsrc_01J9YRAH2E6S9P4G7B1C3D5F8K",
		"status": "active", "failure_code": nil, "failure_at": nil, "created_at": at,
	}
	pull := map[string]any{
		"resource_type": "records_sync", "patient_id": "pat_01J9YR8Z6Q3N5M1K7H9F2D4B0V",
		"connection_id": "fhirsrc_01J9YRAH2E6S9P4G7B1C3D5F8K",
	}
	switch eventType {
	case "patient_flow.completed":
		return map[string]any{
			"id": "pf_01J9YRDK4B7V0X2Z5N8Q1S3T6W", "status": "complete", "patient_id": "pat_01J9YR8Z6Q3N5M1K7H9F2D4B0V",
			"connection_id": "fhirsrc_01J9YRAH2E6S9P4G7B1C3D5F8K", "recommended_connection_ids": nil,
			"connections": []any{connection}, "metadata": map[string]any{},
		}
	case "connection.token_refresh_failed":
		maps.Copy(connection, map[string]any{"status": "refresh_failed", "failure_code": "invalid_grant", "failure_at": at})
		return connection
	case "records.sync.completed":
		maps.Copy(pull, map[string]any{"total": 128, "errors": 0, "duration_ms": 5230})
		return pull
	case "records.sync.failed":
		pull["error_message"] = "The source answered 503 Service Unavailable"
		return pull
	}
	return map[string]any{}
}
