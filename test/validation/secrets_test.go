// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"fmt"
	"strings"
	"testing"
)

func named(name string) tweak { return set("metadata.name", name) }

// uniqueName is a valid name of n characters that no other case uses.
func uniqueName(prefix string, n int) string {
	prefix += fmt.Sprintf("%d-", nameCounter.Add(1))
	return prefix + strings.Repeat("x", n-len(prefix))
}

func TestTheDerivedNameOfTheSigningSecretMustFit(t *testing.T) {
	testAccepted(t, []acceptedCase{
		{"238 characters", named(uniqueName("fits-", 238))},
		{"239 characters with a name for the Secret", all(named(uniqueName("named-", 239)), set("spec.signingSecret.name", "short"))},
		{"253 characters with a name for the Secret", all(named(uniqueName("named-", 253)), set("spec.signingSecret.name", "short"))},
	})
	const says = "metadata.name is longer than 238 characters, so the default name of the signing Secret (<name>-signing-secret) would " +
		"exceed 253: set spec.signingSecret.name or choose a shorter name"
	testRefused(t, []refusedCase{
		{"239 characters", named(uniqueName("long-", 239)), because("<nil>", says)},
		{"239 characters with a signingSecret that has no name", all(named(uniqueName("long-", 239)), set("spec.signingSecret", map[string]any{})),
			because("<nil>", says)},
		{"253 characters", named(uniqueName("long-", 253)), because("<nil>", says)},
	})
}

func TestTheSigningSecretMustNotBeTheAPIKeySecret(t *testing.T) {
	spare := uniqueName("spare-", 20)
	testAccepted(t, []acceptedCase{
		{"two names", all(set("spec.signingSecret.name", "signing"), set("spec.apiKeySecretRef.name", "api-key"))},
		{"the derived name of another resource", set("spec.apiKeySecretRef.name", "another-signing-secret")},
		{"the derived name, which is not used", all(named(spare), set("spec.apiKeySecretRef.name", spare+"-signing-secret"), set("spec.signingSecret.name", "signing"))},
	})
	testRefused(t, []refusedCase{
		{"the same name", all(set("spec.signingSecret.name", "shared"), set("spec.apiKeySecretRef.name", "shared")),
			because("spec.signingSecret.name", "signingSecret.name must differ from apiKeySecretRef.name")},
		{"the derived name", all(named("clash"), set("spec.apiKeySecretRef.name", "clash-signing-secret")),
			because("spec.apiKeySecretRef.name", "set spec.signingSecret.name or keep the API key in another Secret")},
		{"the derived name beside other settings", all(named("clash"), set("spec.apiKeySecretRef.name", "clash-signing-secret"), set("spec.signingSecret.labels", map[string]any{"a": "b"})),
			because("spec.apiKeySecretRef.name", "set spec.signingSecret.name or keep the API key in another Secret")},
	})
}

func TestTheNameOfTheSigningSecret(t *testing.T) {
	const name, says = "spec.signingSecret.name", "name must be a valid name of a Secret: lower-case letters, digits, '-' and '.'"
	testAccepted(t, []acceptedCase{
		{"a name with dots", set(name, "team-a.webhook")},
		{"253 characters", set(name, strings.Repeat("a", 253))},
	})
	testRefused(t, []refusedCase{
		{"an empty name", set(name, ""), because(name, says)},
		{"uppercase", set(name, "Webhook"), because(name, says)},
		{"an underscore", set(name, "web_hook"), because(name, says)},
		{"a leading hyphen", set(name, "-hook"), because(name, says)},
		{"254 characters", set(name, strings.Repeat("a", 254)), because(name, "may not be more than 253")},
	})
}

func TestTheLabelsOfTheSigningSecret(t *testing.T) {
	const path, saysKey = "spec.signingSecret.labels", "labels must have valid label keys"
	labels := func(key string, value any) tweak { return set(path, map[string]any{key: value}) }
	longestPrefix := strings.Repeat("a.", 126) + "a"
	testAccepted(t, []acceptedCase{
		{"a plain key", labels("team", "a")},
		{"a key with a prefix", labels("example.com/Team_1", "A_b.c-1")},
		{"an empty value", labels("team", "")},
		{"a value of 63 characters", labels("team", strings.Repeat("a", 63))},
		{"a key of 63 characters", labels(strings.Repeat("a", 63), "b")},
		{"a key of 317 characters", labels(longestPrefix+"/"+strings.Repeat("b", 63), "c")},
		{"32 labels", set(path, entries(32))},
	})
	testRefused(t, []refusedCase{
		{"managed-by", labels("app.kubernetes.io/managed-by", "me"), because(path, "labels must not set app.kubernetes.io/managed-by")},
		{"an empty key", labels("", "a"), because(path, saysKey)},
		{"a key with a space", labels("a b", "a"), because(path, saysKey)},
		{"a key of 64 characters", labels(strings.Repeat("a", 64), "a"), because(path, saysKey)},
		{"a key with an uppercase prefix", labels("Example.com/a", "a"), because(path, saysKey)},
		{"a key with two slashes", labels("a/b/c", "a"), because(path, saysKey)},
		{"a key of 400 characters", labels(strings.Repeat("a.", 168)+"/"+strings.Repeat("b", 63), "c"), because(path, saysKey)},
		{"a value with a space", labels("team", "a b"), because(path+".team", "should match")},
		{"a value that ends in a hyphen", labels("team", "a-"), because(path+".team", "should match")},
		{"a value with a line feed", labels("team", "a\n"), because(path+".team", "should match")},
		{"a value of 64 characters", labels("team", strings.Repeat("a", 64)), because(path+".team", "may not be more than 63")},
		{"a number", labels("team", 1), because(path+".team", "must be of type string")},
		{"33 labels", set(path, entries(33)), because(path, "must have at most 32 items")},
	})
}

func TestTheAnnotationsOfTheSigningSecret(t *testing.T) {
	const path, saysKey = "spec.signingSecret.annotations", "annotations must have valid annotation keys"
	annotations := func(key string, value any) tweak { return set(path, map[string]any{key: value}) }
	testAccepted(t, []acceptedCase{
		{"a plain key", annotations("note", "Anything, even:\nlines")},
		{"an uppercase prefix, which annotations may have", annotations("Example.com/a", "b")},
		{"a key of another group that starts alike", annotations("connect.medblocks.com.example.com/a", "b")},
		{"a value of 4,096 characters", annotations("note", strings.Repeat("ä", 4096))},
		{"32 annotations", set(path, entries(32))},
	})
	testRefused(t, []refusedCase{
		{"a reserved key", annotations("connect.medblocks.com/owner", "x"), because(path, "annotations must not use keys under connect.medblocks.com/")},
		{"an empty key", annotations("", "a"), because(path, saysKey)},
		{"a key with a space", annotations("a b", "a"), because(path, saysKey)},
		{"a key of 64 characters", annotations(strings.Repeat("a", 64), "a"), because(path, saysKey)},
		{"a value of 4,097 characters", annotations("note", strings.Repeat("a", 4097)), because(path+".note", "may not be more than 4096")},
		{"33 annotations", set(path, entries(33)), because(path, "must have at most 32 items")},
	})
}

func TestRotation(t *testing.T) {
	const path = "spec.signingSecret.rotation"
	testRefused(t, []refusedCase{
		{"a rotation without an interval", set(path, map[string]any{}), because(path+".interval", "Required value")},
		{"59 minutes", set(path+".interval", "59m"), because(path+".interval", "interval must be a Go duration (units h, m, s and ms) between 1h and 87600h, such as 720h")},
		{"an empty window", set(path, map[string]any{"interval": "720h", "window": map[string]any{}}), because(path+".window", "window needs days, hours or both")},
		{"no days", set(path, map[string]any{"interval": "720h", "window": map[string]any{"days": []any{}}}), because(path+".window.days", "at least 1 items")},
		{"an unknown day", set(path, map[string]any{"interval": "720h", "window": map[string]any{"days": []any{"Mon"}}}), because(path+".window.days[0]", "supported values")},
		{"a day twice", set(path, map[string]any{"interval": "720h", "window": map[string]any{"days": []any{"Monday", "Monday"}}}), because(path+".window.days[1]", "Duplicate value")},
		{"hours that there are not", set(path, map[string]any{"interval": "720h", "window": map[string]any{"hours": "22:00-24:00"}}), because(path+".window.hours", "hours must be HH:MM-HH:MM in UTC, such as 02:00-05:00")},
		{"one hour only", set(path, map[string]any{"interval": "720h", "window": map[string]any{"hours": "22:00"}}), because(path+".window.hours", "hours must be HH:MM-HH:MM in UTC")},
	})
}
