// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"strings"
	"testing"
)

func TestWholeNumbers(t *testing.T) {
	for _, field := range []struct {
		path     string
		min, max int
		saysMin  string
		saysMax  string
		beside   tweak
	}{
		{"spec.reenablePolicy.maxAttempts", 1, 20, "should be greater than or equal to 1", "should be less than or equal to 20", func(manifest) {}},
		{"spec.reenablePolicy.redelivery.maxEvents", 1, 10000, "should be greater than or equal to 1", "should be less than or equal to 10000", func(manifest) {}},
		{"spec.reenablePolicy.probe.serviceRef.port", 1, 65535, "should be greater than or equal to 1", "should be less than or equal to 65535",
			set("spec.reenablePolicy.probe.serviceRef.name", "receiver")},
	} {
		t.Run(field.path, func(t *testing.T) {
			is := func(value any) tweak { return all(field.beside, set(field.path, value)) }
			// The API server checks format int32 on its own and says so without a field, beside the cause that has one.
			notInt32 := refusal{"<nil>", "must be of type integer with format int32 in " + field.path}
			testAccepted(t, []acceptedCase{{"the lowest", is(field.min)}, {"the highest", is(field.max)}})
			testRefused(t, []refusedCase{
				{"one less", is(field.min - 1), because(field.path, field.saysMin)},
				{"a negative number", is(-1), because(field.path, field.saysMin)},
				{"one more", is(field.max + 1), because(field.path, field.saysMax)},
				{"far more than 32 bits", is(int64(1) << 40), append(because(field.path, field.saysMax), notInt32)},
				{"half", is(1.5), append(because(field.path, `must be of type int32: "float64"`), notInt32)},
				{"a string", is("5"), because(field.path, "must be of type integer")},
			})
		})
	}
}

func TestProbe(t *testing.T) {
	const probe, url, service = "spec.reenablePolicy.probe", "spec.reenablePolicy.probe.url", "spec.reenablePolicy.probe.serviceRef"
	aService := func(tweaks ...tweak) tweak {
		return all(append([]tweak{set(service, map[string]any{"name": "receiver", "port": 8080})}, tweaks...)...)
	}
	testAccepted(t, []acceptedCase{
		{"an empty probe", set(probe, map[string]any{})},
		{"an https url", set(url, "https://api.example.com/healthz?deep=1")},
		{"an http url", set(url, "http://receiver.team-a.svc:8080/healthz")},
		{"an url of 2,048 characters", set(url, urlOfLength(2048, "a"))},
		{"a service", aService()},
		{"a service with a path and a scheme", aService(set(service+".path", "/healthz?deep=1"), set(service+".scheme", "HTTPS"))},
		{"a path of 1,024 characters", aService(set(service+".path", "/"+strings.Repeat("a", 1023)))},
		{"a service name of 63 characters", aService(set(service+".name", strings.Repeat("a", 63)))},
	})
	const saysURL = "probe.url must be an absolute http or https URL, such as https://"
	testRefused(t, []refusedCase{
		{"no url", set(url, "not a url"), because(url, "probe.url must not contain white space")},
		{"a bare host", set(url, "api.example.com"), because(url, saysURL)},
		{"an empty url", set(url, ""), because(url, saysURL)},
		{"a relative url", set(url, "/healthz"), because(url, saysURL)},
		{"another scheme", set(url, "file:///etc/passwd"), because(url, saysURL)},
		{"another scheme with a host", set(url, "gopher://api.example.com/"), because(url, saysURL)},
		{"userinfo", set(url, "https://user:password@api.example.com/"), because(url, "probe.url must not contain userinfo")},
		{"a fragment", set(url, "https://api.example.com/#top"), because(url, "probe.url must not contain a fragment")},
		{"a backslash", set(url, `https://api.example.com\@evil.com`), []refusal{{url, "probe.url must not contain white space"}, {url, "probe.url must not contain userinfo"}}},
		{"port 70000", set(url, "https://api.example.com:70000/"), because(url, "probe.url must have a port between 1 and 65535, or none")},
		{"2,049 characters", set(url, urlOfLength(2049, "a")), because(url, "may not be more than 2048")},

		{"a url and a service", aService(set(url, "https://api.example.com/healthz")), because(probe, "probe must name at most one of url and serviceRef: remove one of them")},
		{"a service without a name", set(service, map[string]any{"port": 80}), because(service+".name", "Required value")},
		{"a service without a port", set(service, map[string]any{"name": "receiver"}), because(service+".port", "Required value")},
		{"a service of another namespace", aService(set(service+".name", "receiver.other")), because(service+".name", "name must be the name of a Service")},
		{"a service name of 64 characters", aService(set(service+".name", strings.Repeat("a", 64))), because(service+".name", "may not be more than 63")},
		{"a service name in uppercase", aService(set(service+".name", "Receiver")), because(service+".name", "name must be the name of a Service")},
		{"a relative path", aService(set(service+".path", "healthz")), because(service+".path", "path must start with /")},
		{"an empty path", aService(set(service+".path", "")), because(service+".path", "path must start with /")},
		{"a path with a fragment", aService(set(service+".path", "/#a")), because(service+".path", "must not contain a fragment")},
		{"a path with a line feed", aService(set(service+".path", "/a\r\nHost: b")), because(service+".path", "must not contain a fragment (#…), white space, control characters")},
		{"a path with a backslash", aService(set(service+".path", `/\evil.com`)), because(service+".path", "or backslashes")},
		{"a path of 1,025 characters", aService(set(service+".path", "/"+strings.Repeat("a", 1024))), because(service+".path", "may not be more than 1024")},
		{"a scheme in lowercase", aService(set(service+".scheme", "https")), because(service+".scheme", `supported values: "HTTP", "HTTPS"`)},
	})
}

func TestExpectedStatuses(t *testing.T) {
	const path = "spec.reenablePolicy.probe.expectedStatuses"
	statuses := func(n int) []any {
		var list []any
		for i := range n {
			list = append(list, 200+i)
		}
		return list
	}
	testAccepted(t, []acceptedCase{
		{"one", set(path, []any{204})},
		{"the lowest and the highest", set(path, []any{100, 599})},
		{"20", set(path, statuses(20))},
	})
	testRefused(t, []refusedCase{
		{"none", set(path, []any{}), because(path, "should have at least 1 items")},
		{"21", set(path, statuses(21)), because(path, "must have at most 20 items")},
		{"a duplicate", set(path, []any{200, 200}), because(path+"[1]", "Duplicate value")},
		{"99", set(path, []any{99}), because(path+"[0]", "should be greater than or equal to 100")},
		{"600", set(path, []any{600}), because(path+"[0]", "should be less than or equal to 599")},
		{"a class", set(path, []any{"2xx"}), because(path+"[0]", "must be of type integer")},
	})
}

func TestAdopt(t *testing.T) {
	const adopt, id = "spec.adopt", "spec.adopt.endpointID"
	const anID = "wh_01J9YR9N3X4VZ6P2K5RH7M3LMP"
	adoption := func(fields map[string]any) tweak { return set(adopt, fields) }
	secret := map[string]any{"name": "existing", "key": "secret"}
	testAccepted(t, []acceptedCase{
		{"a Secret of the user's", adoption(map[string]any{"endpointID": anID, "existingSecretRef": secret})},
		{"consent to a new secret", adoption(map[string]any{"endpointID": anID, "rotateSecret": true})},
		{"a Secret of the user's and no consent", adoption(map[string]any{"endpointID": anID, "existingSecretRef": secret, "rotateSecret": false})},
		{"an id of 64 characters", adoption(map[string]any{"endpointID": "wh_" + strings.Repeat("a", 61), "rotateSecret": true})},
	})
	const one = "adopt needs exactly one of existingSecretRef and rotateSecret: true"
	const saysID = "endpointID must be the id of a webhook endpoint, wh_…"
	consent := func(endpointID string) tweak {
		return adoption(map[string]any{"endpointID": endpointID, "rotateSecret": true})
	}
	reference := func(ref map[string]any) tweak {
		return adoption(map[string]any{"endpointID": anID, "existingSecretRef": ref})
	}
	testRefused(t, []refusedCase{
		{"no endpointID", adoption(map[string]any{"rotateSecret": true}), because(id, "Required value")},
		{"an empty object", adoption(map[string]any{}), because(id, "Required value")},
		{"neither secret choice", adoption(map[string]any{"endpointID": anID}), because(adopt, one)},
		{"no consent and no Secret", adoption(map[string]any{"endpointID": anID, "rotateSecret": false}), because(adopt, one)},
		{"both secret choices", adoption(map[string]any{"endpointID": anID, "rotateSecret": true, "existingSecretRef": secret}), because(adopt, one)},
		{"an empty endpointID", consent(""), because(id, saysID)},
		{"the id of an event", consent("evt_01J9YR9N3X4VZ6P2K5RH7M3LMP"), because(id, saysID)},
		{"an id that climbs out of its path", consent("wh_../keys"), because(id, saysID)},
		{"an id with a line feed", consent(anID + "\n"), because(id, saysID)},
		{"an id of 65 characters", consent("wh_" + strings.Repeat("a", 62)), because(id, "may not be more than 64")},
		{"a reference without a key", reference(map[string]any{"name": "existing"}), because(adopt+".existingSecretRef.key", "Required value")},
		{"a reference without a name", reference(map[string]any{"key": "secret"}), because(adopt+".existingSecretRef.name", "Required value")},
		{"a reference with a wrong name", reference(map[string]any{"name": "a/b", "key": "secret"}), because(adopt+".existingSecretRef.name", "name must be the name of a Secret")},
		{"a reference with a wrong key", reference(map[string]any{"name": "a", "key": "a b"}), because(adopt+".existingSecretRef.key", "key must be a key of a Secret")},
		{"a reference with a key of 254 characters", reference(map[string]any{"name": "a", "key": strings.Repeat("a", 254)}), because(adopt+".existingSecretRef.key", "may not be more than 253")},
	})
}

func TestDeliveryMonitoringNeedsAnInterval(t *testing.T) {
	testRefused(t, []refusedCase{
		{"no interval", set("spec.deliveryMonitoring", map[string]any{}), because("spec.deliveryMonitoring.interval", "Required value")},
	})
}
