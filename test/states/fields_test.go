// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package states

import (
	"fmt"
	"os"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// edit changes one field of a spec.
type edit struct {
	field, name string
	apply       func(spec)
	// refused: the API server does not take it, and names the field.
	refused bool
}

func (e edit) String() string { return e.field + " " + e.name }

// field is what is known of one field: values that are valid, and values that are not. A nil value removes it.
type field struct {
	path  string
	valid map[string]any
	// invalid values, which the API server refuses.
	invalid map[string]any
}

func entries(n int) map[string]any {
	all := map[string]any{}
	for i := range n {
		all[fmt.Sprintf("key-%d", i)] = "value"
	}
	return all
}

func list(items ...any) []any { return items }

// fields are the catalogue. It is checked against the schema, so that no field is forgotten.
func fields() []field {
	return append(endpointFields(), operatorFields()...)
}

// endpointFields describe the endpoint at Medblocks.
func endpointFields() []field {
	return []field{
		{
			"url",
			map[string]any{"with a query": receiverURL + "/hooks?version=2", "with another query": receiverURL + "/hooks?version=3&a=b", "with a slash": receiverURL + "/hooks/"},
			map[string]any{
				"removed": nil, "empty": "", "http": "http://api.example.com/hooks", "of another scheme": "ftp://api.example.com", "relative": "/hooks",
				"with userinfo": "https://user:password@api.example.com", "with a fragment": "https://api.example.com/#top", "with a space": "https://api.example.com/a b",
				"with a port that is none": "https://api.example.com:70000", "too long": "https://api.example.com/" + strings.Repeat("a", 2048), "a number": int64(1),
			},
		},
		{
			"events",
			map[string]any{"one": list("records.sync.completed"), "all by name": list("patient_flow.completed", "connection.token_refresh_failed", "records.sync.completed", "records.sync.failed"), "reordered": list("records.sync.failed", "patient_flow.completed"), "an asterisk": list("*")},
			map[string]any{"removed": nil, "empty": list(), "duplicated": list("records.sync.failed", "records.sync.failed"), "an asterisk beside another": list("*", "records.sync.failed"), "unknown": list("records.sync.started"), "a text": "*"},
		},
		{
			"description",
			map[string]any{"set": "set", "of 500 characters": strings.Repeat("ä", 500), "cleared": nil},
			map[string]any{"too long": strings.Repeat("a", 501), "a number": int64(1)},
		},
		{
			"metadata",
			map[string]any{"added to": map[string]any{"team": "intake", "tier": "1", "more": "x"}, "reduced": map[string]any{"team": "other"}, "of 40 keys": entries(40), "removed": nil},
			map[string]any{"of 41 keys": entries(41), "with a reserved key": map[string]any{"webhook-operator/owner": "me"}, "with a number": map[string]any{"a": int64(1)}, "with a long value": map[string]any{"a": strings.Repeat("a", 4097)}},
		},
		{"medblocksAPIVersion", nil, map[string]any{"changed": "2025-01-01", "no date": "latest"}},
		{"state", map[string]any{"Disabled": "Disabled", "Active": "Active", "removed": nil}, map[string]any{"unknown": "Paused", "empty": ""}},
	}
}

// operatorFields tell the operator what to do.
func operatorFields() []field {
	return []field{
		{
			"apiKeySecretRef",
			map[string]any{
				"of a Secret that is missing": map[string]any{"name": "missing"}, "of a key that is missing": map[string]any{"name": "medblocks", "key": "missing"},
				"of another key for the workspace": map[string]any{"name": otherKey}, "with the default key": map[string]any{"name": "medblocks", "key": "MEDBLOCKS_API_KEY"},
			},
			map[string]any{"removed": nil, "without a name": map[string]any{"key": "a"}, "of another namespace": map[string]any{"name": "other/medblocks"}, "with an invalid key": map[string]any{"name": "medblocks", "key": "a b"}, "of the signing Secret": map[string]any{"name": "hooks-signing-secret"}},
		},
		{
			"accountRef", nil, // it takes the place of apiKeySecretRef, which every spec here has
			map[string]any{"beside apiKeySecretRef": map[string]any{"name": "shared"}, "without a name": map[string]any{}, "of an invalid name": map[string]any{"name": "Shared"}},
		},
		{
			"signingSecret.name",
			map[string]any{"changed": "renamed", "changed again": "renamed-again", "taken by somebody else": takenSecret, "removed": nil},
			map[string]any{"uppercase": "Renamed", "empty": "", "that of the API key": "medblocks"},
		},
		{
			"signingSecret.labels",
			map[string]any{"changed": map[string]any{"team": "other"}, "added": map[string]any{"team": "intake", "tier": "1"}, "removed": nil},
			map[string]any{"with the operator's": map[string]any{"app.kubernetes.io/managed-by": "me"}, "with an invalid value": map[string]any{"team": "a b"}, "of 33 keys": entries(33)},
		},
		{
			"signingSecret.annotations",
			map[string]any{"changed": map[string]any{"note": "other"}, "added": map[string]any{"note": "kept", "more": "x"}, "removed": nil},
			map[string]any{"with a reserved key": map[string]any{"connect.medblocks.com/owner": "me"}, "with an invalid key": map[string]any{"a b": "c"}},
		},
		{
			"signingSecret.rotation",
			map[string]any{"every month": map[string]any{"interval": "720h"}, "every year": map[string]any{"interval": "8760h0m0s"}, "at night": map[string]any{"interval": "8760h", "window": map[string]any{"hours": "22:00-04:00"}}, "removed": nil},
			map[string]any{"without an interval": map[string]any{}, "too often": map[string]any{"interval": "30m"}, "no duration": map[string]any{"interval": "monthly"}, "in no window": map[string]any{"interval": "720h", "window": map[string]any{}}},
		},
		{
			"reenablePolicy",
			map[string]any{"Never": map[string]any{"mode": "Never"}, "Always": map[string]any{"mode": "Always", "maxAttempts": int64(20), "window": "24h"}, "WhenHealthy": map[string]any{"mode": "WhenHealthy"}, "with a probe": map[string]any{"mode": "WhenHealthy", "probe": map[string]any{"url": "https://api.example.com/healthz"}}, "with a redelivery": map[string]any{"mode": "Always", "redelivery": map[string]any{"mode": "Undelivered"}}, "removed": nil},
			map[string]any{"of an unknown mode": map[string]any{"mode": "Sometimes"}, "with 21 attempts": map[string]any{"maxAttempts": int64(21)}, "crossed": map[string]any{"backoff": map[string]any{"initial": "2h", "max": "1h"}}, "with two probes": map[string]any{"probe": map[string]any{"url": "https://a.example.com", "serviceRef": map[string]any{"name": "a", "port": int64(1)}}}},
		},
		{"deletionPolicy", map[string]any{"Orphan": "Orphan", "Delete": "Delete", "removed": nil}, map[string]any{"unknown": "Keep"}},
		{"managementPolicy", map[string]any{"Observe": "Observe", "Manage": "Manage", "removed": nil}, map[string]any{"unknown": "Watch"}},
		{
			"deliveryMonitoring",
			map[string]any{"on": map[string]any{"interval": "15m"}, "removed": nil},
			map[string]any{"too often": map[string]any{"interval": "1s"}, "without an interval": map[string]any{}},
		},
		{"suspend", map[string]any{"true": true, "false": false, "removed": nil}, map[string]any{"a text": "true"}},
		{
			"adopt", nil,
			map[string]any{
				"another endpoint":         map[string]any{"endpointID": "wh_00000000000000000000000000", "rotateSecret": true},
				"without a secret":         map[string]any{"endpointID": "wh_00000000000000000000000000"},
				"no endpoint":              map[string]any{"endpointID": "hooks", "rotateSecret": true},
				"with two secrets":         map[string]any{"endpointID": "wh_A", "rotateSecret": true, "existingSecretRef": map[string]any{"name": "a", "key": "b"}},
				"without an endpoint's id": map[string]any{"rotateSecret": true},
			},
		},
	}
}

// TestTheCatalogueKnowsEveryFieldOfTheSpec compares it with the schema.
func TestTheCatalogueKnowsEveryFieldOfTheSpec(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	raw, err := os.ReadFile("../../config/crd/bases/connect.medblocks.com_medblockswebhookendpoints.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	var crd apiextensionsv1.CustomResourceDefinition
	g.Expect(yaml.UnmarshalStrict(raw, &crd)).To(Succeed())
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties
	var paths []string
	for name, property := range schema {
		if name != "signingSecret" {
			paths = append(paths, name)
			continue
		}
		for inner := range property.Properties {
			paths = append(paths, name+"."+inner)
		}
	}
	var known []string
	for _, f := range fields() {
		known = append(known, f.path)
	}
	g.Expect(known).To(ConsistOf(paths))
}
