// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"sync"
)

// spoil sends a successful answer in the way that the call's fault wants.
func (t *transport) spoil(a answer, raw []byte) {
	switch t.c.fault.Kind {
	case FaultEmptyBody:
		t.send(answer{status: a.status, header: a.header}, nil)
	case FaultTruncatedJSON:
		t.send(a, raw[:len(raw)/2])
	case FaultTruncatedPage, FaultStalledBody:
		t.sendHalf(a, raw)
	case FaultTrailingJunk:
		t.send(a, append(raw, `}{"id":`...))
	case FaultHugeBody:
		t.send(a, append(raw, bytes.Repeat([]byte(" "), hugeBodyBytes)...))
	case FaultGzipBomb:
		t.sendBomb(a, raw)
	default:
		t.send(a, t.rewritten(raw))
	}
}

// sendHalf promises everything, delivers half, and then cuts or stalls.
func (t *transport) sendHalf(a answer, raw []byte) {
	t.record(a.status)
	t.headers(a, len(raw))
	_, _ = t.w.Write(raw[:len(raw)/2])
	_ = http.NewResponseController(t.w).Flush()
	if t.c.fault.Kind == FaultStalledBody {
		t.untilClientLeaves()
	}
	panic(http.ErrAbortHandler)
}

// bombPadding is a gzip member of spaces, packed once: gzip streams may be
// strung together.
var bombPadding = sync.OnceValue(func() []byte {
	return packed(bytes.Repeat([]byte(" "), gzipBombBytes))
})

func packed(raw []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(raw) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

func (t *transport) sendBomb(a answer, raw []byte) {
	t.w.Header().Set("Content-Encoding", "gzip")
	t.send(a, append(packed(raw), bombPadding()...))
}

// rewritten changes the answer's JSON for the kinds that send well-formed JSON.
func (t *transport) rewritten(raw []byte) []byte {
	var body map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&body) != nil {
		return raw // no body to spoil
	}
	items, isList := body["data"].([]any)
	isList = isList && body["resource_type"] == "list"
	object := body
	if isList && len(items) > 0 {
		object, _ = items[0].(map[string]any)
	}
	switch t.c.fault.Kind {
	case FaultWrongID:
		t.replaceID(object)
	case FaultNoID:
		delete(object, "id")
	case FaultNoSecret:
		delete(object, "secret")
	case FaultPartialPage, FaultShortPage, FaultRepeatedCursor, FaultNoCursor:
		if isList {
			t.spoilList(body, items)
		}
	}
	return encode(body)
}

func (t *transport) replaceID(object map[string]any) {
	prefix := prefixEndpoint
	if t.c.op == OperationListEvents || t.c.op == OperationRedeliverEvent {
		prefix = prefixEvent
	}
	object["id"] = t.s.ids.next(prefix, t.s.opts.Clock.Now())
}

func (t *transport) spoilList(body map[string]any, items []any) {
	half := items[:(len(items)+1)/2]
	switch t.c.fault.Kind {
	case FaultShortPage:
		body["data"], body["has_more"], body["next_cursor"] = items[:len(items)/2], false, nil
	case FaultNoCursor:
		body["has_more"], body["next_cursor"] = true, nil
	case FaultRepeatedCursor:
		body["has_more"], body["next_cursor"] = true, t.cursorAfter(half)
		if asked := t.c.query.Get("starting_after"); asked != "" {
			body["next_cursor"] = asked
		}
	case FaultPartialPage:
		body["data"], body["has_more"], body["next_cursor"] = half, true, t.cursorAfter(half)
		t.s.armContinuation(t.c)
	}
}

// cursorAfter is a cursor behind the items, or behind nothing that exists.
func (t *transport) cursorAfter(items []any) *string {
	id := prefixEndpoint + "0"
	if t.c.op == OperationListEvents {
		id = prefixEvent + "0"
	}
	if len(items) > 0 {
		last, _ := items[len(items)-1].(map[string]any)
		id, _ = last["id"].(string)
	}
	return t.s.Quirks().toCursor(id)
}

// armContinuation makes the next page of the same list fail, before any other fault.
func (s *Server) armContinuation(c *call) {
	f := Fault{Operation: c.op, Times: 1, APIKey: c.key, Kind: FaultStatus, Status: c.fault.status(http.StatusInternalServerError)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append([]*armedFault{{Fault: f, continuation: true}}, s.faults...)
}
