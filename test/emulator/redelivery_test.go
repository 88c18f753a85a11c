// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestAnEventIsRedeliveredOnceAMinute(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(r.URL)
	id := f.fire()
	r.setAnswer(says(http.StatusOK, "ok"))

	first := f.do(http.MethodPost, "/events/"+id+"/redeliver", "")
	g.Expect(first.status).To(Equal(http.StatusOK), first.raw)
	g.Expect(first.body["id"]).To(Equal(id))
	g.Expect(first.body["attempts"]).To(BeEquivalentTo(2))
	g.Expect(first.body["delivered_at"]).To(Equal("2026-04-25T14:30:00.000Z"))
	g.Expect(first.body["last_redelivered_at"]).To(Equal("2026-04-25T14:30:00.000Z"))
	g.Expect(first.body["next_attempt_at"]).To(BeNil())
	g.Expect(r.got()[1].body).To(Equal(r.got()[0].body))

	f.step(59*time.Second + time.Millisecond)
	early := f.do(http.MethodPost, "/events/"+id+"/redeliver", "")
	g.Expect(early.status).To(Equal(http.StatusTooManyRequests))
	g.Expect(early.header.Get("Retry-After")).To(Equal("1"))
	f.step(time.Second)
	second := f.do(http.MethodPost, "/events/"+id+"/redeliver", "")
	g.Expect(second.status).To(Equal(http.StatusOK))
	g.Expect(second.body["delivered_at"]).To(Equal(first.body["delivered_at"]), "the first delivery counts")
	g.Expect(r.got()).To(HaveLen(3))
	g.Expect(f.event(e.ID, id).Attempts).To(Equal(3))
}

func TestAFailedRedeliveryLeavesTheScheduleAsItWas(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(r.URL)
	id := f.fire()
	next := *f.event(e.ID, id).NextAttemptAt
	f.step(10 * time.Second)
	g.Expect(f.do(http.MethodPost, "/events/"+id+"/redeliver", "").body["delivered_at"]).To(BeNil())
	g.Expect(*f.event(e.ID, id).NextAttemptAt).To(BeTemporally("==", next))
	for _, delay := range documented[1:] {
		f.step(delay)
	}
	g.Expect(f.status(e.ID)).To(Equal(emulator.StatusDisabled))
	g.Expect(f.event(e.ID, id).Attempts).To(Equal(10), "nine of the schedule and one by hand")
}

func TestADisabledEndpointGetsNoRedelivery(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(r.URL)
	id := f.fire()
	g.Expect(f.DisableEndpoint(e.ID)).To(Succeed())
	g.Expect(f.do(http.MethodPost, "/events/"+id+"/redeliver", "").status).To(Equal(http.StatusConflict))
	f.SetQuirks(emulator.Quirks{RedeliverDisabled: true, RedeliveryNotCounted: true})
	resp := f.do(http.MethodPost, "/events/"+id+"/redeliver", "")
	g.Expect(resp.status).To(Equal(http.StatusOK))
	g.Expect(resp.body["attempts"]).To(BeEquivalentTo(1))
	g.Expect(r.got()).To(HaveLen(2))
}

func TestEventListsFilterByDeliveryAndPage(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusOK, ""))
	e := f.register(r.URL)
	var delivered, undelivered []string
	for range 3 {
		delivered = append(delivered, f.fire())
	}
	r.setAnswer(says(http.StatusInternalServerError, ""))
	for range 2 {
		undelivered = append(undelivered, f.fire())
	}
	list := func(query string) []string {
		var out []string
		cursor := ""
		for {
			resp := f.do(http.MethodGet, "/webhooks/"+e.ID+"/events?limit=2"+query+cursor, "")
			g.Expect(resp.status).To(Equal(http.StatusOK), resp.raw)
			for _, item := range resp.body["data"].([]any) {
				out = append(out, item.(map[string]any)["id"].(string))
			}
			if resp.body["has_more"] == false {
				return out
			}
			cursor = "&starting_after=" + resp.body["next_cursor"].(string)
		}
	}
	newestFirst := func(ids ...string) []string { slices.Reverse(ids); return ids }
	g.Expect(list("&delivered=true")).To(Equal(newestFirst(slices.Clone(delivered)...)))
	g.Expect(list("&delivered=false")).To(Equal(newestFirst(slices.Clone(undelivered)...)))
	g.Expect(list("")).To(Equal(newestFirst(append(slices.Clone(delivered), undelivered...)...)))
	f.SetQuirks(emulator.Quirks{EventsOldestFirst: true})
	g.Expect(list("")).To(Equal(append(slices.Clone(delivered), undelivered...)))
}
