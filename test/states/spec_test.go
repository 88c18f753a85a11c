// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package states

import (
	"encoding/json"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// spec is a spec as a user writes it. Its URL begins with receiverURL, in place of the one of the world.
type spec map[string]any

// receiverURL stands for the URL of a world's receiver.
const receiverURL = "http://127.0.0.1:1"

// clone is a copy that shares nothing.
func (s spec) clone() spec {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // JSON types
	}
	var out spec
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err) // it was just encoded
	}
	return out
}

// text names the spec: equal for equal ones.
func (s spec) text() string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err) // JSON types
	}
	return string(raw)
}

// in is the spec in a world.
func (s spec) in(receiver string) map[string]any {
	out := s.clone()
	if url, ok := out["url"].(string); ok {
		out["url"] = strings.Replace(url, receiverURL, receiver, 1)
	}
	return out
}

// set changes the value at a path, such as signingSecret.name; a nil value removes it.
func set(path string, value any) func(spec) {
	fields := strings.Split(path, ".")
	return func(s spec) {
		if value == nil {
			unstructured.RemoveNestedField(s, fields...)
			return
		}
		if err := unstructured.SetNestedField(s, value, fields...); err != nil {
			panic(err) // the catalogue does not put a field into a text
		}
	}
}

// minimal is the smallest valid spec.
func minimal() spec {
	return spec{
		"url":             receiverURL + "/" + hooks,
		"events":          []any{"patient_flow.completed", "records.sync.failed"},
		"apiKeySecretRef": map[string]any{"name": "medblocks"},
	}
}

// full is a valid spec with most fields.
func full() spec {
	s := minimal()
	maps.Copy(s, spec{
		"description": "full", "metadata": map[string]any{"team": "intake", "tier": "1"}, "medblocksAPIVersion": "2026-04-25", "state": "Active",
		"signingSecret": map[string]any{
			"labels": map[string]any{"team": "intake"}, "annotations": map[string]any{"note": "kept"}, "rotation": map[string]any{"interval": "720h"},
		},
		"reenablePolicy": map[string]any{"mode": "Always", "maxAttempts": int64(3), "backoff": map[string]any{"initial": "2m"}},
		"deletionPolicy": "Delete", "suspend": false,
	})
	return s
}
