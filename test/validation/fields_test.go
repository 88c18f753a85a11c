// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"strings"
	"testing"
)

// entries is a map of n keys.
func entries(n int) map[string]any {
	m := map[string]any{}
	for i := range n {
		m[fmt.Sprintf("key-%d", i)] = "value"
	}
	return m
}

func TestEvents(t *testing.T) {
	events := func(types ...any) tweak { return set("spec.events", types) }
	testAccepted(t, []acceptedCase{
		{"one event", events("records.sync.failed")},
		{"all four", events("patient_flow.completed", "connection.token_refresh_failed", "records.sync.completed", "records.sync.failed")},
		{"an asterisk alone", events("*")},
	})
	testRefused(t, []refusedCase{
		{"no events", remove("spec.events"), because("spec.events", "Required value")},
		{"null", set("spec.events", nil), because("spec.events", "Required value")},
		{"an empty list", set("spec.events", []any{}), because("spec.events", "should have at least 1 items")},
		{"a string", set("spec.events", "*"), because("spec.events", "must be of type array")},
		{"a null event", events(nil), append(because("spec.events[0]", "must be of type string"), refusal{"spec.events[0]", "supported values"})},
		{"a duplicate", events("records.sync.failed", "records.sync.failed"), because("spec.events[1]", "Duplicate value")},
		{"an unknown event", events("records.sync.failed", "records.sync.started"),
			because("spec.events[1]", `Unsupported value: "records.sync.started": supported values: "patient_flow.completed"`)},
		{"an event in uppercase", events("RECORDS.SYNC.FAILED"), because("spec.events[0]", "supported values")},
		{"an event with a space", events("records.sync.failed "), because("spec.events[0]", "supported values")},
		{"an empty event", events(""), because("spec.events[0]", "supported values")},
		{"a pattern", events("records.*"), because("spec.events[0]", "supported values")},
		{"an asterisk beside another", events("*", "records.sync.failed"),
			because("spec.events", "events must be '*' alone or a list of event types")},
		{"an asterisk behind others", events("records.sync.failed", "records.sync.completed", "*"),
			because("spec.events", "events must be '*' alone or a list of event types")},
		{"two asterisks", events("*", "*"),
			append(because("spec.events[1]", "Duplicate value"), refusal{"spec.events", "events must be '*' alone"})},
		{"five events", events("patient_flow.completed", "connection.token_refresh_failed", "records.sync.completed", "records.sync.failed", "*"),
			because("spec.events", "must have at most 4 items")},
	})
}

func TestDuplicateEventsAreRefusedByServerSideApplyToo(t *testing.T) {
	_, err := applyServerSide(t, newManifest(t, set("spec.events", []any{"records.sync.failed", "records.sync.failed"})))
	if err == nil || !strings.Contains(err.Error(), ".spec.events: duplicate entries") {
		t.Errorf("want a refusal that names .spec.events and the duplicate, got: %v", err)
	}
}

func TestDescription(t *testing.T) {
	testAccepted(t, []acceptedCase{
		{"500 characters", set("spec.description", strings.Repeat("a", 500))},
		{"500 characters of several bytes", set("spec.description", strings.Repeat("é", 499)+"🩺")},
		{"an empty description", set("spec.description", "")},
		{"several lines", set("spec.description", "first\nsecond")},
	})
	testRefused(t, []refusedCase{
		{"501 characters", set("spec.description", strings.Repeat("a", 501)), because("spec.description", "may not be more than 500")},
		{"501 characters of several bytes", set("spec.description", strings.Repeat("é", 501)), because("spec.description", "may not be more than 500")},
		{"a number", set("spec.description", 7), because("spec.description", "must be of type string")},
	})
}

func TestMetadata(t *testing.T) {
	metadata := func(m map[string]any) tweak { return set("spec.metadata", m) }
	testAccepted(t, []acceptedCase{
		{"40 keys", metadata(entries(40))},
		{"no keys", metadata(entries(0))},
		{"a key that only contains the reserved prefix", metadata(map[string]any{"my/webhook-operator/owner": "x", "webhook-operator": "y"})},
		{"a value of 4,096 characters", metadata(map[string]any{"a": strings.Repeat("ä", 4096)})},
		{"an empty value", metadata(map[string]any{"a": ""})},
	})
	const reserved = "metadata keys must not start with webhook-operator/: they are reserved for the operator"
	testRefused(t, []refusedCase{
		{"41 keys", metadata(entries(41)), because("spec.metadata", "must have at most 40 items")},
		{"the owner mark", metadata(map[string]any{"webhook-operator/owner": "x"}), because("spec.metadata", reserved)},
		{"any key under the reserved prefix", metadata(map[string]any{"webhook-operator/": "x"}), because("spec.metadata", reserved)},
		{"a number", metadata(map[string]any{"a": 1}), because("spec.metadata.a", "must be of type string")},
		{"a boolean", metadata(map[string]any{"a": true}), because("spec.metadata.a", "must be of type string")},
		{"a value of 4,097 characters", metadata(map[string]any{"a": strings.Repeat("a", 4097)}), because("spec.metadata.a", "may not be more than 4096")},
		{"a list", set("spec.metadata", []any{"a"}), because("spec.metadata", "must be of type object")},
	})
}

func TestMedblocksAPIVersion(t *testing.T) {
	version := func(v any) tweak { return set("spec.medblocksAPIVersion", v) }
	const says = "medblocksAPIVersion must be a date, YYYY-MM-DD, such as 2026-04-25"
	testAccepted(t, []acceptedCase{
		{"a date", version("2026-04-25")},
		{"the last day of a year", version("2025-12-31")},
	})
	testRefused(t, []refusedCase{
		{"an empty version", version(""), because("spec.medblocksAPIVersion", says)},
		{"a word", version("latest"), because("spec.medblocksAPIVersion", says)},
		{"month 13", version("2026-13-01"), because("spec.medblocksAPIVersion", says)},
		{"month 0", version("2026-00-01"), because("spec.medblocksAPIVersion", says)},
		{"day 32", version("2026-01-32"), because("spec.medblocksAPIVersion", says)},
		{"one digit for the month", version("2026-4-25"), because("spec.medblocksAPIVersion", says)},
		{"slashes", version("2026/04/25"), because("spec.medblocksAPIVersion", says)},
		{"a trailing line feed", version("2026-4-25\n"), because("spec.medblocksAPIVersion", says)},
		{"a time", version("2026-04-25T00:00:00Z"), because("spec.medblocksAPIVersion", "may not be more than 10")},
		{"a number", version(20260425), because("spec.medblocksAPIVersion", "must be of type string")},
	})
}

func TestAPIKeySecretRef(t *testing.T) {
	testAccepted(t, []acceptedCase{
		{"a name and a key", set("spec.apiKeySecretRef", map[string]any{"name": "a.b-c", "key": "api_KEY.1-x"})},
		{"a name of 253 characters", set("spec.apiKeySecretRef.name", strings.Repeat("a", 253))},
		{"a key of 253 characters", set("spec.apiKeySecretRef.key", strings.Repeat("a", 253))},
	})
	const saysName, saysKey = "name must be the name of a Secret", "key must be a key of a Secret: letters, digits, '-', '_' and '.'"
	const name, key = "spec.apiKeySecretRef.name", "spec.apiKeySecretRef.key"
	testRefused(t, []refusedCase{
		{"no name", remove(name), because(name, "Required value")},
		{"an empty name", set(name, ""), []refusal{{name, "should be at least 1 chars long"}, {name, saysName}}},
		{"uppercase", set(name, "Medblocks"), because(name, saysName)},
		{"another namespace", set(name, "other/medblocks"), because(name, saysName)},
		{"a name of 254 characters", set(name, strings.Repeat("a", 254)), because(name, "may not be more than 253")},
		{"an empty key", set(key, ""), because(key, saysKey)},
		{"a key with a slash", set(key, "../a"), because(key, saysKey)},
		{"a key with a space", set(key, "a b"), because(key, saysKey)},
		{"a key of 254 characters", set(key, strings.Repeat("a", 254)), because(key, "may not be more than 253")},
		{"the API key itself in an unknown field", set("spec.apiKeySecretRef", "mb_sk_sbx_x"), because("spec.apiKeySecretRef", "must be of type object")},
	})
}

func TestExactlyOneOfAPIKeySecretRefAndAccountRefIsNeeded(t *testing.T) {
	const ref, name = "spec.accountRef", "spec.accountRef.name"
	account := func(value string) tweak { return all(remove("spec.apiKeySecretRef"), set(name, value)) }
	const says, saysName = "exactly one of apiKeySecretRef and accountRef is needed: name a Secret", "name must be the name of a MedblocksAccount"
	clash := uniqueName("clash-", 20)
	testAccepted(t, []acceptedCase{
		{"an account", account("shared.sandbox-1")},
		{"an account with a name of 253 characters", account(strings.Repeat("a", 253))},
		{"an account and a name for the signing Secret", all(account("shared"), set("spec.signingSecret.name", "shared"))},
		{"an account of the name of the signing Secret", all(named(clash), account(clash+"-signing-secret"))},
	})
	testRefused(t, []refusedCase{
		{"neither", remove("spec.apiKeySecretRef"), because("spec.apiKeySecretRef", says)},
		{"both", set(name, "shared"), because("spec.apiKeySecretRef", says)},
		{"an account without a name", all(remove("spec.apiKeySecretRef"), set(ref, map[string]any{})), because(name, "Required value")},
		{"an empty name", account(""), []refusal{{name, "should be at least 1 chars long"}, {name, saysName}}},
		{"uppercase", account("Shared"), because(name, saysName)},
		{"a name of 254 characters", account(strings.Repeat("a", 254)), because(name, "may not be more than 253")},
		{"a text", all(remove("spec.apiKeySecretRef"), set(ref, "shared")), because(ref, "must be of type object")},
	})
}

func TestChoices(t *testing.T) {
	for path, values := range map[string][]string{
		"spec.state":                          {"Active", "Disabled"},
		"spec.managementPolicy":               {"Manage", "Observe"},
		"spec.deletionPolicy":                 {"Delete", "Orphan"},
		"spec.reenablePolicy.mode":            {"Never", "WhenHealthy", "Always"},
		"spec.reenablePolicy.redelivery.mode": {"None", "Undelivered"},
	} {
		t.Run(path, func(t *testing.T) {
			for _, value := range values {
				testAccepted(t, []acceptedCase{{value, set(path, value)}})
			}
			supported := `supported values: "` + strings.Join(values, `", "`) + `"`
			testRefused(t, []refusedCase{
				{"an unknown value", set(path, "Sometimes"), because(path, supported)},
				{"lowercase", set(path, strings.ToLower(values[0])), because(path, supported)},
				{"an empty value", set(path, ""), because(path, supported)},
				{"a boolean", set(path, true), append(because(path, "must be of type string"), refusal{path, supported})},
			})
		})
	}
}

func TestSuspend(t *testing.T) {
	testAccepted(t, []acceptedCase{{"true", set("spec.suspend", true)}, {"false", set("spec.suspend", false)}})
	testRefused(t, []refusedCase{
		{"a string", set("spec.suspend", "true"), because("spec.suspend", "must be of type boolean")},
		{"a number", set("spec.suspend", 1), because("spec.suspend", "must be of type boolean")},
	})
}

func TestAFieldThatDoesNotExistIsNamed(t *testing.T) {
	for path, value := range map[string]any{
		"spec.urls": "x", "spec.apiKeySecretRef.namespace": "other", "spec.reenablePolicy.backof": map[string]any{}, "spec.signingSecret.rotation.every": "1h",
	} {
		_, err := create(t, newManifest(t, set(path, value)))
		if err == nil || !strings.Contains(err.Error(), `unknown field "`+path+`"`) {
			t.Errorf("want a refusal that names %s, got: %v", path, err)
		}
	}
}
