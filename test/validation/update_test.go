// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import "testing"

// updateCase is a change of a stored resource.
type updateCase struct {
	name   string
	from   tweak
	change tweak
	// wants is empty for a change that must be accepted.
	wants []refusal
}

func testUpdates(t *testing.T, cases []updateCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			stored := mustCreate(t, newManifest(t, c.from))
			_, err := replaceSpec(t, stored, c.change)
			expectOutcome(t, err, c.wants)
		})
		t.Run(c.name+", applied server-side", func(t *testing.T) {
			m := newManifest(t, c.from)
			if _, err := applyServerSide(t, m); err != nil {
				t.Fatalf("must be accepted: %v", err)
			}
			c.change(m)
			_, err := applyServerSide(t, m)
			expectOutcome(t, err, c.wants)
		})
	}
}

func expectOutcome(t *testing.T, err error, wants []refusal) {
	t.Helper()
	if len(wants) > 0 {
		expectRefusal(t, err, wants...)
	} else if err != nil {
		t.Errorf("must be accepted: %v", err)
	}
}

func nothing(manifest) {}

func TestTheAPIVersionOfAnEndpointIsPinned(t *testing.T) {
	const path = "spec.medblocksAPIVersion"
	pinned := because(path, "medblocksAPIVersion cannot be changed, added or removed: Medblocks pins it at registration; delete this resource and create another one")
	testUpdates(t, []updateCase{
		{"changed", set(path, "2026-04-25"), set(path, "2026-05-25"), pinned},
		{"added", nothing, set(path, "2026-04-25"), pinned},
		{"removed", set(path, "2026-04-25"), remove(path), pinned},
		{"unchanged beside another change", set(path, "2026-04-25"), set("spec.description", "new"), nil},
		{"absent beside another change", nothing, set("spec.description", "new"), nil},
	})
}

func adopts(id string) tweak {
	return set("spec.adopt", map[string]any{"endpointID": id, "rotateSecret": true})
}

func TestTheAdoptedEndpointCannotBeExchanged(t *testing.T) {
	const path = "spec.adopt.endpointID"
	fixed := because(path, "endpointID cannot be changed: delete this resource with deletionPolicy Orphan and create another one")
	testUpdates(t, []updateCase{
		{"another id", adopts("wh_A"), adopts("wh_B"), fixed},
		{"another spelling of the id", adopts("wh_A"), adopts("wh_a"), fixed},
		{"another secret choice for the same id", adopts("wh_A"),
			all(remove("spec.adopt.rotateSecret"), set("spec.adopt.existingSecretRef", map[string]any{"name": "a", "key": "b"})), nil},
		{"removed", adopts("wh_A"), remove("spec.adopt"), nil},
		{"added before an endpoint is registered", nothing, adopts("wh_A"), nil},
	})
}

func TestAdoptCannotBeTakenAwayAndPutBackForAnotherEndpoint(t *testing.T) {
	managed := because("spec.adopt.endpointID", "adopt.endpointID must be status.endpointID, because this resource already manages that endpoint")
	for _, c := range []updateCase{
		{"another id than the managed one", nothing, adopts("wh_B"), managed},
		{"the managed id", nothing, adopts("wh_A"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			stored := mustCreate(t, newManifest(t, adopts("wh_A")))
			stored = mustStore(t)(replaceStatus(t, stored, set("status.endpointID", "wh_A")))
			stored = mustStore(t)(replaceSpec(t, stored, remove("spec.adopt")))
			_, err := replaceSpec(t, stored, c.change)
			expectOutcome(t, err, c.wants)
		})
	}
}

func TestAStatusIsStoredWhateverItsEndpointAndTheAdoptedOneAre(t *testing.T) {
	// The adopted endpoint was deleted at Medblocks and registered again: the operator must be able to write its new id.
	stored := mustCreate(t, newManifest(t, adopts("wh_A")))
	stored = mustStore(t)(replaceStatus(t, stored, set("status.endpointID", "wh_A")))
	stored = mustStore(t)(replaceStatus(t, stored, set("status.endpointID", "wh_B")))
	if _, err := replaceSpec(t, stored, set("spec.description", "new")); err != nil {
		t.Errorf("the spec can still be changed: %v", err)
	}
}

func mustStore(t *testing.T) func(manifest, error) manifest {
	return func(m manifest, err error) manifest {
		t.Helper()
		if err != nil {
			t.Fatalf("must be accepted: %v", err)
		}
		return m
	}
}

func TestEveryOtherFieldCanBeChanged(t *testing.T) {
	testUpdates(t, []updateCase{
		{"url", nothing, urlIs("https://other.example.com/hook"), nil},
		{"events", nothing, set("spec.events", []any{"*"}), nil},
		{"metadata", set("spec.metadata", entries(3)), set("spec.metadata", entries(2)), nil},
		{"the API key Secret", nothing, set("spec.apiKeySecretRef", map[string]any{"name": "new", "key": "KEY"}), nil},
		{"to an account", nothing, all(remove("spec.apiKeySecretRef"), set("spec.accountRef.name", "shared")), nil},
		{"from an account", all(remove("spec.apiKeySecretRef"), set("spec.accountRef.name", "shared")), all(remove("spec.accountRef"), set("spec.apiKeySecretRef.name", "own")), nil},
		{"the account", all(remove("spec.apiKeySecretRef"), set("spec.accountRef.name", "shared")), set("spec.accountRef.name", "other"), nil},
		{"state", nothing, set("spec.state", "Disabled"), nil},
		{"the signing Secret", nothing, set("spec.signingSecret", map[string]any{"name": "new", "rotation": map[string]any{"interval": "720h"}}), nil},
		{"the re-enable policy", set("spec.reenablePolicy.mode", "Always"), remove("spec.reenablePolicy"), nil},
		{"the policies", nothing, all(set("spec.managementPolicy", "Observe"), set("spec.deletionPolicy", "Orphan")), nil},
		{"suspend", set("spec.suspend", true), remove("spec.suspend"), nil},
	})
}

func TestAnUpdateIsCheckedLikeACreation(t *testing.T) {
	testUpdates(t, []updateCase{
		{"http to a public host", nothing, urlIs("http://api.example.com"), because("spec.url", saysHTTPS)},
		{"an asterisk beside another", nothing, set("spec.events", []any{"*", "records.sync.failed"}), because("spec.events", "events must be '*' alone")},
		{"the API key Secret for the signing Secret", nothing, set("spec.signingSecret.name", "medblocks-api-key"),
			because("spec.signingSecret.name", "signingSecret.name must differ from apiKeySecretRef.name")},
		{"a rotation under an hour", set("spec.signingSecret.rotation.interval", "2h"), set("spec.signingSecret.rotation.interval", "30m"),
			because("spec.signingSecret.rotation.interval", "between 1h and 87600h")},
	})
}
