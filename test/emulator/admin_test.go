// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestTheAdminSurfaceIsAlive(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	resp := f.do(http.MethodGet, "/_emulator/healthz", "")
	g.Expect(resp.status).To(Equal(200))
	g.Expect(resp.raw).To(Equal("ok\n"))
	g.Expect(f.Counters().Total()).To(BeZero(), "admin calls are not the vendor's")
	g.Expect(f.do(http.MethodGet, "/_emulator/nothing", "").status).To(Equal(404))
}

func TestEventsAreFiredAndTheirDeliveriesCapturedOverHTTP(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusOK, "ok"))
	e := f.register(r.URL)
	resp := f.do(http.MethodPost, "/_emulator/events", `{"api_key":"`+key+`","type":"records.sync.completed","data":{"total":1}}`)
	g.Expect(resp.status).To(Equal(200), resp.raw)
	fired := resp.body["events"].([]any)
	g.Expect(fired).To(HaveLen(1))
	id := fired[0].(map[string]any)["id"].(string)
	g.Expect(fired[0]).To(HaveKeyWithValue("webhook_endpoint_id", e.ID))
	f.settle()
	f.fire()

	all := f.do(http.MethodGet, "/_emulator/deliveries", "").body["deliveries"]
	g.Expect(all).To(HaveLen(2))
	one := f.do(http.MethodGet, "/_emulator/deliveries?event="+id+"&endpoint="+e.ID, "").body["deliveries"].([]any)
	g.Expect(one).To(HaveLen(1))
	g.Expect(one[0]).To(And(
		HaveKeyWithValue("event_id", id), HaveKeyWithValue("webhook_endpoint_id", e.ID), HaveKeyWithValue("type", "records.sync.completed"),
		HaveKeyWithValue("attempt", 1.0), HaveKeyWithValue("at", "2026-04-25T14:30:00Z"), HaveKeyWithValue("url", r.URL),
		HaveKeyWithValue("status_code", 200.0), HaveKeyWithValue("error", ""), HaveKeyWithValue("response_body", "ok"),
		HaveKeyWithValue("body", r.got()[0].body), HaveKeyWithValue("signature", r.got()[0].header.Get("Medblocks-Signature")),
	))
	g.Expect(f.do(http.MethodGet, "/_emulator/deliveries?endpoint=wh_none", "").body["deliveries"]).To(BeEmpty())
	g.Expect(f.do(http.MethodGet, "/_emulator/events?endpoint="+e.ID, "").body["events"]).To(HaveLen(2))

	g.Expect(f.do(http.MethodPost, "/_emulator/events", `{"type":"records.sync.complete"}`).status).To(Equal(400))
	unknown := f.do(http.MethodPost, "/_emulator/events", `{"type":"next.year","allow_unknown":true}`)
	g.Expect(unknown.body["events"]).To(HaveLen(1))
	g.Expect(f.do(http.MethodPost, "/_emulator/events", `{}`).body["events"]).To(HaveLen(1))
}

func TestFaultsAreArmedListedAndClearedOverHTTP(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	armed := f.do(http.MethodPost, "/_emulator/faults",
		`{"operation":"ListEndpoints","times":2,"kind":"status","status":429,"retry_after":"7","delay":"1ms"}`)
	g.Expect(armed.status).To(Equal(200), armed.raw)
	limited := page(f, "")
	g.Expect(limited.status).To(Equal(429))
	g.Expect(limited.header.Get("Retry-After")).To(Equal("7"))
	left := f.do(http.MethodGet, "/_emulator/faults", "").body["faults"].([]any)
	g.Expect(left).To(HaveLen(1))
	g.Expect(left[0]).To(And(HaveKeyWithValue("times", 1.0), HaveKeyWithValue("delay", "1ms"), HaveKeyWithValue("kind", "status")))
	g.Expect(f.do(http.MethodDelete, "/_emulator/faults", "").status).To(Equal(204))
	g.Expect(page(f, "").status).To(Equal(200))

	for _, wrong := range []string{
		`{"kind":"explode"}`, `{"kind":"status","operation":"Create"}`, `{"kind":"delay","delay":"soon"}`, `{"kind":"hang","tims":2}`, `{`,
	} {
		resp := f.do(http.MethodPost, "/_emulator/faults", wrong)
		g.Expect(resp.status).To(Equal(400), wrong)
		g.Expect(resp.body["error"]).NotTo(BeEmpty())
	}
	g.Expect(f.Faults()).To(BeEmpty())
}

func TestCountersAreReadAndResetOverHTTP(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.register("https://receiver.example.com")
	f.do(http.MethodGet, "/webhooks/wh_none", "")
	f.do(http.MethodGet, "/elsewhere", "")
	g.Expect(f.do(http.MethodGet, "/_emulator/counters", "").raw).To(MatchJSON(`{
		"calls": {"CreateEndpoint": 1, "GetEndpoint": 1, "Unknown": 1},
		"statuses": {"CreateEndpoint": {"201": 1}, "GetEndpoint": {"404": 1}, "Unknown": {"404": 1}}}`))
	g.Expect(f.do(http.MethodGet, "/_emulator/calls", "").body["calls"]).To(HaveLen(3))
	g.Expect(f.do(http.MethodDelete, "/_emulator/counters", "").status).To(Equal(204))
	g.Expect(f.do(http.MethodGet, "/_emulator/counters", "").raw).To(MatchJSON(`{"calls":{},"statuses":{}}`))
}

func TestAPersonsActsInTheDashboardHaveAdminCalls(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	e := f.register("https://receiver.example.com")
	admin := "/_emulator/endpoints/" + e.ID
	g.Expect(f.do(http.MethodPost, admin+"/disable", "").body["status"]).To(Equal("disabled"))
	g.Expect(f.status(e.ID)).To(Equal("disabled"))
	g.Expect(f.do(http.MethodPost, admin+"/enable", "").body["status"]).To(Equal("active"))
	g.Expect(f.do(http.MethodPost, admin+"/rotate", "").body["secret"]).NotTo(Equal(e.Secret))
	listed := f.do(http.MethodGet, "/_emulator/endpoints?api_key="+key, "").body["endpoints"].([]any)
	g.Expect(listed).To(HaveLen(1))
	now, err := f.Endpoint(e.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(listed[0]).To(And(HaveKeyWithValue("secret", now.Secret), HaveKeyWithValue("workspace", now.Workspace)))
	g.Expect(f.do(http.MethodDelete, admin, "").status).To(Equal(204))
	for _, act := range []string{"/disable", "/enable", "/rotate"} {
		g.Expect(f.do(http.MethodPost, admin+act, "").status).To(Equal(404))
	}
	g.Expect(f.do(http.MethodDelete, admin, "").status).To(Equal(404))
}

func TestKeysLimitsAndQuirksAreSetOverHTTP(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	g.Expect(f.do(http.MethodPost, "/_emulator/keys", `{"api_key":"`+key+`","state":"expired"}`).status).To(Equal(204))
	g.Expect(page(f, "").body["error"]).To(HaveKeyWithValue("code", "expired_api_key"))
	g.Expect(f.do(http.MethodPost, "/_emulator/keys", `{"api_key":"`+key+`"}`).status).To(Equal(204))
	g.Expect(f.do(http.MethodPost, "/_emulator/keys", `{"api_key":"x"}`).status).To(Equal(400))

	f.register("https://receiver.example.com")
	g.Expect(f.do(http.MethodPost, "/_emulator/limits", `{"api_key":"`+key+`","max_endpoints":1}`).status).To(Equal(204))
	g.Expect(f.do(http.MethodPost, "/webhooks", registration).body["error"]).To(HaveKeyWithValue("code", "endpoint_quota_exceeded"))
	g.Expect(f.do(http.MethodPost, "/_emulator/limits", `{"max_endpoints":0}`).status).To(Equal(204))

	g.Expect(f.do(http.MethodPost, "/_emulator/quirks", `{"create_status":200}`).status).To(Equal(200))
	g.Expect(f.do(http.MethodPost, "/_emulator/quirks", `{"null_metadata":true}`).body).To(HaveKeyWithValue("create_status", 200.0))
	g.Expect(f.Quirks()).To(Equal(emulator.Quirks{CreateStatus: 200, NullMetadata: true}))
	g.Expect(f.do(http.MethodPost, "/webhooks", registration).status).To(Equal(200))
	g.Expect(f.do(http.MethodPost, "/_emulator/quirks", `{"no_such_quirk":true}`).status).To(Equal(400))
	g.Expect(f.do(http.MethodDelete, "/_emulator/quirks", "").status).To(Equal(204))
	g.Expect(f.do(http.MethodGet, "/_emulator/quirks", "").body).To(HaveKeyWithValue("create_status", 0.0))
}
