// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"net/http"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

func page(f *fixture, query string) response {
	f.t.Helper()
	return f.do(http.MethodGet, "/webhooks?limit=4"+query, "")
}

func pageIDs(resp response) []string {
	out := []string{}
	for _, item := range resp.body["data"].([]any) {
		out = append(out, item.(map[string]any)["id"].(string))
	}
	return out
}

func TestAPartialPageIsFollowedByAFailure(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	for range 4 {
		f.register("https://receiver.example.com")
	}
	whole := pageIDs(page(f, ""))
	f.InjectFault(emulator.Fault{Kind: emulator.FaultPartialPage, Operation: emulator.OperationListEndpoints})
	partial := page(f, "")
	g.Expect(pageIDs(partial)).To(Equal(whole[:2]))
	g.Expect(partial.body["has_more"]).To(BeTrue())
	g.Expect(partial.body["next_cursor"]).To(Equal(whole[1]))
	g.Expect(page(f, "").status).To(Equal(200), "only a continuation fails")
	next := "&starting_after=" + url.QueryEscape(partial.body["next_cursor"].(string))
	g.Expect(page(f, next).status).To(Equal(500))
	g.Expect(pageIDs(page(f, next))).To(Equal(whole[2:]))
}

func TestListsCanLieInFourWays(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	for range 4 {
		f.register("https://receiver.example.com")
	}
	whole := pageIDs(page(f, ""))
	arm := func(kind emulator.FaultKind) {
		f.InjectFault(emulator.Fault{Kind: kind, Operation: emulator.OperationListEndpoints})
	}

	arm(emulator.FaultShortPage)
	short := page(f, "")
	g.Expect(pageIDs(short)).To(Equal(whole[:2]))
	g.Expect(short.body["has_more"]).To(BeFalse())

	arm(emulator.FaultNoCursor)
	lost := page(f, "")
	g.Expect(lost.body["has_more"]).To(BeTrue())
	g.Expect(lost.body["next_cursor"]).To(BeNil())

	arm(emulator.FaultRepeatedCursor)
	again := page(f, "&starting_after="+whole[1])
	g.Expect(again.body["has_more"]).To(BeTrue())
	g.Expect(again.body["next_cursor"]).To(Equal(whole[1]))

	arm(emulator.FaultNoID)
	first := page(f, "").body["data"].([]any)[0]
	g.Expect(first).NotTo(HaveKey("id"))
}

func TestAStaleListLagsBehindTheLastWrites(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	stale := func(lag int, query string) []string {
		f.InjectFault(emulator.Fault{Kind: emulator.FaultStaleList, Operation: emulator.OperationListEndpoints, Lag: lag})
		return pageIDs(page(f, query))
	}
	a := f.register("https://a.example.com").ID
	b := f.register("https://b.example.com").ID
	g.Expect(stale(0, "")).To(Equal([]string{a}), "the registration of b is not seen yet")
	g.Expect(f.DisableEndpoint(a)).To(Succeed())
	g.Expect(stale(1, "&status=disabled")).To(BeEmpty())
	g.Expect(stale(1, "&status=active")).To(Equal([]string{b, a}))
	g.Expect(f.RemoveEndpoint(a)).To(Succeed())
	g.Expect(stale(1, "&status=disabled")).To(Equal([]string{a}), "the deletion is not seen yet")
	g.Expect(stale(3, "")).To(Equal([]string{a}))
	g.Expect(pageIDs(page(f, ""))).To(Equal([]string{b}))
}
