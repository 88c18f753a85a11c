// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// acceptedCase is a manifest that must be stored as it was sent.
type acceptedCase struct {
	name  string
	tweak tweak
}

// refusedCase is a manifest that must be refused, for exactly the reasons named.
type refusedCase struct {
	name  string
	tweak tweak
	wants []refusal
}

func because(field, says string) []refusal { return []refusal{{field: field, says: says}} }

// testAccepted checks each case as kubectl create and as kubectl apply --server-side, and that the stored spec is the
// sent one: a default written by the API server would be drift to a GitOps tool.
func testAccepted(t *testing.T, cases []acceptedCase) {
	t.Helper()
	for _, c := range cases {
		t.Run("accepted: "+c.name, func(t *testing.T) {
			m := newManifest(t, c.tweak)
			stored := mustCreate(t, m)
			if diff := cmp.Diff(m.clone(t)["spec"], stored.clone(t)["spec"]); diff != "" {
				t.Errorf("the stored spec is not the one sent (-sent +stored):\n%s", diff)
			}
			if _, err := applyServerSide(t, m); err != nil {
				t.Errorf("the same manifest applied server-side: %v", err)
			}
		})
	}
}

func testRefused(t *testing.T, cases []refusedCase) {
	t.Helper()
	for _, c := range cases {
		t.Run("refused: "+c.name, func(t *testing.T) {
			_, err := create(t, newManifest(t, c.tweak))
			expectRefusal(t, err, c.wants...)
		})
	}
}
