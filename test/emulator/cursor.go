// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/base64"
	"strings"
)

// opaquePrefix marks a cursor made under the quirk opaque_cursors.
const opaquePrefix = "cur_"

// toCursor is next_cursor for a page that ends with the item of this id.
func (q Quirks) toCursor(id string) *string {
	if q.OpaqueCursors {
		id = opaquePrefix + base64.RawURLEncoding.EncodeToString([]byte(id))
	}
	return &id
}

// fromCursor undoes toCursor. Under opaque_cursors a bare id is no cursor, so
// that a client which passes the last item's id instead of next_cursor is found out.
func (q Quirks) fromCursor(cursor string) (id string, fine bool) {
	if !q.OpaqueCursors {
		return cursor, true
	}
	rest, found := strings.CutPrefix(cursor, opaquePrefix)
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	return string(raw), found && err == nil
}

// checkCursor refuses a cursor whose item is gone, under strict_cursors.
func (q Quirks) checkCursor(p paging, present bool) *apiError {
	if q.StrictCursors && p.after != "" && !present {
		return invalid("starting_after", "starting_after names an object that does not exist")
	}
	return nil
}
