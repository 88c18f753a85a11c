// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/test/lab"
)

// Other ids than the one that was asked for.
const (
	otherID   = "wh_00000000000000000000000000"
	otherType = "evt_01J9YR9N3X4VZ6P2K5RH7M3LMP"
	traversal = "../wh_01J9YR9N3X4VZ6P2K5RH7M3LMP"
)

// bodies are answers with a good status whose body cannot be used, or only just.
func bodies() []Fault {
	fixed := func(status int, body string) answerFunc {
		return func(*lab.World, *lab.Request) (*http.Response, error) {
			return text(status, "application/json", body), nil
		}
	}
	var all []Fault
	for _, f := range []struct {
		name   string
		answer answerFunc
	}{
		{"200 without a body", fixed(200, "")},
		{"204", fixed(204, "")},
		{"200 with null", fixed(200, "null")},
		{"200 with a list", fixed(200, "[]")},
		{"200 with an error", fixed(200, `{"error":{"type":"api_error","code":"internal","message":"Internal error"}}`)},
		{"200 with HTML", func(*lab.World, *lab.Request) (*http.Response, error) { return text(200, "text/html", page), nil }},
		{"100 MB", func(*lab.World, *lab.Request) (*http.Response, error) {
			return response(200, nil, &endless{left: 100 << 20}), nil
		}},
		{"gzip bomb", func(*lab.World, *lab.Request) (*http.Response, error) {
			return response(200, http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"application/json"}}, bytes.NewReader(bomb())), nil
		}},
	} {
		all = append(all,
			Fault{Name: f.name, Kind: f.name, Befalls: notDelete, New: instead(f.answer)}, // 2xx is all that a deletion has to say
			Fault{Name: f.name + " after the effect", Kind: f.name, Befalls: writes, New: after(f.answer)})
	}
	return append(all, rewritten()...)
}

// rewritten are answers of the vendor that something was done to.
func rewritten() []Fault {
	raw := func(edit func([]byte) []byte) func(*lab.World) lab.Middleware {
		return rewriting(func(status int, body []byte) []byte {
			if status >= 300 || len(body) == 0 {
				return body
			}
			return edit(body)
		})
	}
	object := func(edit func(map[string]any)) func(*lab.World) lab.Middleware {
		return raw(func(body []byte) []byte { return onObject(body, edit) })
	}
	set := func(key string, value any) func(*lab.World) lab.Middleware {
		return object(func(o map[string]any) { o[key] = value })
	}
	remove := func(key string) func(*lab.World) lab.Middleware {
		return object(func(o map[string]any) { delete(o, key) })
	}
	answers := notDelete
	return []Fault{
		{Name: "truncated JSON", Kind: "truncated JSON", Befalls: answers, New: raw(func(b []byte) []byte { return b[:len(b)/2] })},
		{Name: "trailing junk", Kind: "trailing junk", Befalls: answers, New: raw(func(b []byte) []byte { return append(b, "}{junk"...) })},
		{Name: "two values", Kind: "trailing junk", Befalls: answers, New: raw(func(b []byte) []byte { return append(append([]byte{}, b...), b...) })},
		{Name: "duplicate keys", Kind: "duplicate keys", Befalls: answers, Harmless: true, New: raw(func(b []byte) []byte {
			return append([]byte(`{"id":"`+otherID+`","status":"disabled","data":[{"id":"`+otherID+`"}],"has_more":true,`), bytes.TrimSpace(b)[1:]...)
		})},
		{Name: "duplicate keys, the wrong one last", Kind: "duplicate keys", Befalls: answers, New: raw(func(b []byte) []byte {
			b = bytes.TrimSpace(b)
			return append(b[:len(b)-1:len(b)-1], `,"id":"`+otherID+`","data":null,"has_more":"?"}`...)
		})},
		{Name: "unknown fields", Kind: "unknown fields", Befalls: answers, Harmless: true, New: set("unheard_of", map[string]any{"of": []int{1}})},
		{Name: "unknown status", Kind: "unknown status", Befalls: answers, New: set("status", "paused")},
		{Name: "status of another type", Kind: "unknown status", Befalls: answers, New: set("status", 7)},
		{Name: "no secret", Kind: "no secret", Befalls: Call.ReturnsSecret, New: remove("secret")},
		{Name: "null secret", Kind: "no secret", Befalls: Call.ReturnsSecret, New: set("secret", nil)},
		{Name: "empty secret", Kind: "no secret", Befalls: Call.ReturnsSecret, New: set("secret", "")},
		{Name: "no id", Kind: "wrong id", Befalls: answers, New: remove("id")},
		{Name: "id of another type", Kind: "wrong id", Befalls: answers, New: set("id", otherType)},
		{Name: "id with ../", Kind: "wrong id", Befalls: answers, New: set("id", traversal)},
		{Name: "another id than asked for", Kind: "wrong id", Befalls: answers, New: set("id", otherID)},
		{Name: "no metadata", Kind: "sparse", Befalls: answers, New: remove("metadata")},
		{Name: "id and secret only", Kind: "sparse", Befalls: Call.ReturnsSecret, New: object(func(o map[string]any) {
			for key := range o {
				if key != "id" && key != "secret" {
					delete(o, key)
				}
			}
		})},
	}
}

// rewriting lets a call have its effect and edits the body of its answer.
func rewriting(edit func(status int, body []byte) []byte) func(*lab.World) lab.Middleware {
	return func(*lab.World) lab.Middleware {
		return func(_ *lab.Wire, _ *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
			resp, err := send()
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil {
				return nil, err
			}
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(edit(resp.StatusCode, body))), -1
			resp.Header.Del("Content-Length")
			return resp, nil
		}
	}
}

// onObject edits the object of an answer; of a list, every item.
func onObject(body []byte, edit func(map[string]any)) []byte {
	var whole map[string]any
	if json.Unmarshal(body, &whole) != nil {
		return body
	}
	if items, isList := whole["data"].([]any); isList && whole["resource_type"] == "list" {
		for _, item := range items {
			if object, ok := item.(map[string]any); ok {
				edit(object)
			}
		}
	} else {
		edit(whole)
	}
	return encode(whole)
}

func encode(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // it was decoded before
	}
	return raw
}

// Overdrawn counts the huge bodies of which more was read than an answer may be large.
var Overdrawn atomic.Int64

// endless is a body that costs nothing to send.
type endless struct{ left, drawn int64 }

// enough is the largest answer that is read, and what a buffer may take beyond it.
const enough = medblocks.MaxBodySize + 64<<10

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = ' '
	}
	if e.drawn <= enough && e.drawn+n > enough {
		Overdrawn.Add(1)
	}
	e.left, e.drawn = e.left-n, e.drawn+n
	return int(n), nil
}

// bomb is 64 MiB of white space, packed once.
var bomb = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	for range 64 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 1<<20)) // a buffer takes everything
	}
	_ = z.Close()
	return out.Bytes()
})
