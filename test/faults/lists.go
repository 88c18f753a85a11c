// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// lists are pages that are not what they seem.
func lists() []Fault {
	isList := Call.IsList
	ofEndpoints := func(c Call) bool { return c == List || c == ListDisabled }
	page := func(edit func(map[string]any)) func(*lab.World) lab.Middleware {
		return rewriting(func(_ int, body []byte) []byte { return onPage(body, edit) })
	}
	endless := func(cursor any) func(map[string]any) {
		return func(p map[string]any) { p["has_more"], p["next_cursor"] = true, cursor }
	}
	return []Fault{
		{Name: "empty list", Kind: "short list", Befalls: ofEndpoints, New: page(func(p map[string]any) { p["data"] = []any{} })},
		{Name: "half of the list as if it were all", Kind: "short list", Befalls: ofEndpoints, New: page(half)},
		ListWithout(0),
		{Name: "list without data", Kind: "odd list", Befalls: isList, New: page(func(p map[string]any) { delete(p, "data") })},
		{Name: "list with null data", Kind: "odd list", Befalls: isList, New: page(func(p map[string]any) { p["data"] = nil })},
		{Name: "list of strings", Kind: "odd list", Befalls: isList, New: page(func(p map[string]any) { p["data"] = []string{otherID} })},
		{Name: "list that does not say whether it ends", Kind: "odd list", Befalls: isList, New: page(func(p map[string]any) { delete(p, "has_more") })},
		{Name: "more without a cursor", Kind: "page cut off", Befalls: isList, New: page(endless(nil))},
		{Name: "page cut off", Kind: "page cut off", Befalls: isList, New: cutOff, Calls: 2},
		{Name: "repeated cursor", Kind: "repeated cursor", Befalls: isList, New: page(endless(otherID)), Calls: 3},
		{Name: "the same items on two pages", Kind: "the same items twice", Befalls: isList, New: twice, Calls: 2, Harmless: true},
		{Name: "list that lags behind", Kind: "list that lags", Befalls: ofEndpoints, New: lagging},
	}
}

func onPage(body []byte, edit func(map[string]any)) []byte {
	var page map[string]any
	if json.Unmarshal(body, &page) != nil || page["resource_type"] != "list" {
		return body
	}
	edit(page)
	return encode(page)
}

// ListWithout leaves one item out, counted from 0, as if it did not exist. The newest comes first.
func ListWithout(position int) Fault {
	edit := func(page map[string]any) {
		if items, _ := page["data"].([]any); position < len(items) {
			page["data"] = slices.Delete(items, position, position+1)
		}
	}
	return Fault{
		Name: fmt.Sprintf("list without item %d", position), Kind: "list that misses one",
		Befalls: func(c Call) bool { return c == List || c == ListDisabled },
		New:     rewriting(func(_ int, body []byte) []byte { return onPage(body, edit) }),
	}
}

func half(page map[string]any) {
	items, _ := page["data"].([]any)
	page["data"], page["has_more"], page["next_cursor"] = items[:len(items)/2], false, nil
}

// cutOff sends half of the list, and fails the other half.
func cutOff(*lab.World) lab.Middleware {
	first := rewriting(func(_ int, body []byte) []byte {
		return onPage(body, func(page map[string]any) {
			half(page)
			page["has_more"], page["next_cursor"] = true, otherID
		})
	})(nil)
	return func(w *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Query.Get("starting_after") != "" {
			return envelope(500, "Injected fault"), nil
		}
		return first(w, r, send)
	}
}

// twice sends one page, and then the same again.
func twice(*lab.World) lab.Middleware {
	var seen []byte
	first := rewriting(func(_ int, body []byte) []byte {
		seen = body
		return onPage(body, func(page map[string]any) { page["has_more"], page["next_cursor"] = true, otherID })
	})(nil)
	return func(w *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Query.Get("starting_after") == "" || seen == nil {
			return first(w, r, send)
		}
		resp := text(http.StatusOK, "application/json", "")
		resp.Body = io.NopCloser(bytes.NewReader(seen))
		return resp, nil
	}
}

// lagging answers as before the last writes.
func lagging(world *lab.World) lab.Middleware {
	return func(_ *lab.Wire, _ *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		world.Vendor.InjectFault(emulator.Fault{Operation: emulator.OperationListEndpoints, Kind: emulator.FaultStaleList, Lag: 2})
		return send()
	}
}

// OfMedblocks are all faults of calls to Medblocks.
func OfMedblocks(elsewhere string) []Fault {
	var all []Fault
	for _, group := range [][]Fault{statuses(), retryAfters(), echoes(), Redirects(elsewhere), connections(), bodies(), lists()} {
		all = append(all, group...)
	}
	return all
}
