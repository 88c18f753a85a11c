// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"net/url"
	"testing"

	. "github.com/onsi/gomega"
)

func TestPagesLeadThroughAllEndpointsOnce(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	var made []string
	for range 5 {
		made = append(made, tg.create(t, nil)["id"].(string))
	}
	var seen []string
	query := "?limit=2"
	for range 1000 {
		resp := tg.do(t, http.MethodGet, "/webhooks"+query, nil)
		g.Expect(resp.status).To(Equal(http.StatusOK), resp.raw)
		g.Expect(resp.body["resource_type"]).To(Equal("list"))
		data := resp.body["data"].([]any)
		g.Expect(len(data)).To(BeNumerically("<=", 2))
		for _, item := range data {
			seen = append(seen, item.(map[string]any)["id"].(string))
		}
		if resp.body["has_more"] == false {
			g.Expect(resp.body["next_cursor"]).To(BeNil())
			break
		}
		g.Expect(data).To(HaveLen(2))
		query = "?limit=2&starting_after=" + url.QueryEscape(resp.body["next_cursor"].(string))
	}
	unique := map[string]bool{}
	for _, id := range seen {
		g.Expect(unique).NotTo(HaveKey(id))
		unique[id] = true
	}
	g.Expect(seen).To(ContainElements(made))
}

func TestAListHoldsTenUnlessALimitIsGiven(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	for range 11 {
		tg.create(t, nil)
	}
	resp := tg.do(t, http.MethodGet, "/webhooks", nil)
	g.Expect(resp.body["data"]).To(HaveLen(10))
	g.Expect(resp.body["has_more"]).To(BeTrue())
	g.Expect(resp.body["next_cursor"]).NotTo(BeEmpty())
}

func TestInvalidQueriesAreRefusedByField(t *testing.T) {
	tg := newTarget(t)
	e := tg.create(t, nil)
	events := "/webhooks/" + e["id"].(string) + "/events"
	for path, field := range map[string]string{
		"/webhooks?limit=0": "limit", "/webhooks?limit=101": "limit", "/webhooks?limit=ten": "limit",
		"/webhooks?status=paused": "status", events + "?limit=0": "limit", events + "?delivered=maybe": "delivered",
	} {
		t.Run(path, func(t *testing.T) {
			failed := expectError(t, tg.do(t, http.MethodGet, path, nil), http.StatusBadRequest)
			NewWithT(t).Expect(failed["param"]).To(Equal(field))
		})
	}
}

func TestACursorSurvivesTheDeletionOfItsItem(t *testing.T) {
	tg := newTarget(t)
	for range 3 {
		tg.create(t, nil)
	}
	first := tg.do(t, http.MethodGet, "/webhooks?limit=1", nil)
	item := first.body["data"].([]any)[0].(map[string]any)
	if metadata, isMap := item["metadata"].(map[string]any); !isMap || metadata[runMark] != tg.run {
		t.Skip("the first endpoint of the list is not ours to delete")
	}
	tg.do(t, http.MethodDelete, "/webhooks/"+item["id"].(string), nil)
	second := tg.do(t, http.MethodGet, "/webhooks?limit=1&starting_after="+url.QueryEscape(first.body["next_cursor"].(string)), nil)
	tg.assumed(t, second.status == http.StatusOK, "a cursor is a place in the list, whether or not its item is there")
}

func TestANewEndpointHasNoEvents(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	e := tg.create(t, nil)
	for _, query := range []string{"", "?limit=100", "?delivered=true", "?delivered=false"} {
		resp := tg.do(t, http.MethodGet, "/webhooks/"+e["id"].(string)+"/events"+query, nil)
		g.Expect(resp.status).To(Equal(http.StatusOK), resp.raw)
		g.Expect(resp.body).To(Equal(map[string]any{
			"resource_type": "list", "data": []any{}, "has_more": false, "next_cursor": nil,
		}))
	}
}
