// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"maps"
	"slices"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/controllers/account"
)

func TestEveryEndpointIsLookedIntoInItsTurnAndNewOnesFirst(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	marked := func(ids ...string) (all []account.Marked) {
		for _, id := range ids {
			all = append(all, account.Marked{ID: id})
		}
		return all
	}
	var f findings
	due := func(candidates ...string) []string {
		return slices.Sorted(maps.Keys(f.due("key", marked(candidates...), 2)))
	}
	g.Expect(due("a", "b", "c", "d", "e")).To(Equal([]string{"a", "b"}))
	g.Expect(due("a", "b", "c", "d", "e")).To(Equal([]string{"c", "d"}), "the first ones do not keep the others from their turn")
	g.Expect(due("a", "b", "c", "d", "e")).To(Equal([]string{"a", "e"}))
	g.Expect(due("a", "b", "c", "d", "e", "f")).To(Equal([]string{"b", "f"}), "a new one comes first")
	f.drop("key", "f")
	g.Expect(due("a", "b", "c", "d", "e", "f")).To(ContainElement("f"), "one that was found to be wrong too")
	g.Expect(due("a")).To(Equal([]string{"a"}))
	g.Expect(due()).To(BeEmpty())
	g.Expect(f.asked).To(BeEmpty(), "nothing is kept for ever")
}
