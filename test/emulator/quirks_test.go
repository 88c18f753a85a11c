// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestEveryQuirkDoesTheOtherThing(t *testing.T) {
	create := func(f *fixture, body string) response { return f.do(http.MethodPost, "/webhooks", body) }
	for name, c := range map[string]struct {
		quirks emulator.Quirks
		// other is true when the vendor does the other thing.
		other func(Gomega, *fixture) bool
	}{
		"metadata is merged": {emulator.Quirks{MetadataMerge: true}, func(g Gomega, f *fixture) bool {
			e := create(f, `{"url":"https://x.example.com","events":["*"],"metadata":{"a":"1","b":"2"}}`)
			patched := f.do(http.MethodPatch, "/webhooks/"+e.body["id"].(string), `{"metadata":{"b":null,"c":"3"}}`)
			merged := map[string]any{"a": "1", "c": "3"}
			replaced := map[string]any{"b": nil, "c": "3"}
			g.Expect(patched.body["metadata"]).To(Or(Equal(merged), Equal(replaced)))
			return len(patched.body["metadata"].(map[string]any)) == 2 && patched.body["metadata"].(map[string]any)["a"] == "1"
		}},
		"URLs are normalised": {emulator.Quirks{NormalizeURL: true}, func(g Gomega, f *fixture) bool {
			e := create(f, `{"url":"HTTPS://X.example.com:443","events":["*"]}`)
			g.Expect(e.body["url"]).To(Or(Equal("https://x.example.com/"), Equal("HTTPS://X.example.com:443")))
			return e.body["url"] == "https://x.example.com/"
		}},
		"events are reordered": {emulator.Quirks{ReorderEvents: true}, func(_ Gomega, f *fixture) bool {
			e := create(f, `{"url":"https://x.example.com","events":["records.sync.failed","patient_flow.completed"]}`)
			return e.body["events"].([]any)[0] == "patient_flow.completed"
		}},
		"a registration answers 200": {emulator.Quirks{CreateStatus: 200}, func(_ Gomega, f *fixture) bool {
			return create(f, registration).status == 200
		}},
		"a deletion answers with a body": {emulator.Quirks{DeleteBody: true}, func(_ Gomega, f *fixture) bool {
			return f.do(http.MethodDelete, "/webhooks/"+f.register("https://x.example.com").ID, "").raw != ""
		}},
		"a URL is unique": {emulator.Quirks{UniqueURL: true}, func(_ Gomega, f *fixture) bool {
			create(f, registration)
			return create(f, registration).status == http.StatusConflict
		}},
		"empty metadata is null": {emulator.Quirks{NullMetadata: true}, func(_ Gomega, f *fixture) bool {
			return create(f, registration).body["metadata"] == nil
		}},
		"no description is an empty one": {emulator.Quirks{EmptyDescription: true}, func(_ Gomega, f *fixture) bool {
			return create(f, registration).body["description"] == ""
		}},
		"times have whole seconds": {emulator.Quirks{SecondTimestamps: true}, func(_ Gomega, f *fixture) bool {
			return create(f, registration).body["created_at"] == "2026-04-25T14:30:00Z"
		}},
		"objects carry unknown fields": {emulator.Quirks{ExtraFields: true}, func(_ Gomega, f *fixture) bool {
			return create(f, registration).body["added_by_a_later_version"] != nil
		}},
		"unknown fields are refused": {emulator.Quirks{RejectUnknownFields: true}, func(_ Gomega, f *fixture) bool {
			return create(f, `{"url":"https://x.example.com","events":["*"],"colour":"blue"}`).status == 400
		}},
		"endpoints come oldest first": {emulator.Quirks{EndpointsOldestFirst: true}, func(_ Gomega, f *fixture) bool {
			first := f.register("https://x.example.com").ID
			f.register("https://x.example.com")
			return pageIDs(page(f, ""))[0] == first
		}},
		"cursors are opaque": {emulator.Quirks{OpaqueCursors: true}, func(g Gomega, f *fixture) bool {
			f.register("https://x.example.com")
			last := f.register("https://x.example.com").ID
			first := f.do(http.MethodGet, "/webhooks?limit=1", "")
			second := f.do(http.MethodGet, "/webhooks?limit=1&starting_after="+first.body["next_cursor"].(string), "")
			g.Expect(pageIDs(second)).NotTo(Equal(pageIDs(first)))
			return f.do(http.MethodGet, "/webhooks?starting_after="+last, "").status == 400
		}},
		"a cursor dies with its item": {emulator.Quirks{StrictCursors: true}, func(g Gomega, f *fixture) bool {
			id := f.register("https://x.example.com").ID
			g.Expect(page(f, "&starting_after="+id).status).To(Equal(200))
			g.Expect(f.RemoveEndpoint(id)).To(Succeed())
			return page(f, "&starting_after="+id).status == 400
		}},
		"the limit has another status": {emulator.Quirks{LimitStatus: 403}, func(_ Gomega, f *fixture) bool {
			f.register("https://x.example.com")
			f.SetMaxEndpoints(key, 1)
			return create(f, registration).status == 403
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(c.other(g, newFixture(t))).To(BeFalse(), "without the quirk")
			with := newFixture(t, func(o *emulator.Options) { o.Quirks = c.quirks })
			g.Expect(c.other(g, with)).To(BeTrue(), "with the quirk")
		})
	}
}
