// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of the documentation.
const (
	maxEventItems       = 5
	maxDescriptionRunes = 500
	maxMetadataKeys     = 50
	maxPageSize         = 100
	defaultPageSize     = 10
)

// fields are the writable fields of a request body; nil pointers were absent.
type fields struct {
	url            *string
	events         []string
	description    *string
	hasDescription bool
	metadata       map[string]any
	hasMetadata    bool
	status         *string
}

var writableFields = []string{"url", "events", "description", "metadata", "status"}

func parseFields(body []byte, q Quirks) (fields, *apiError) {
	var f fields
	raw, err := parseObject(body)
	if err != nil {
		return f, err
	}
	if q.RejectUnknownFields {
		for name := range raw {
			if !slices.Contains(writableFields, name) {
				return f, invalid(name, "Unknown parameter: %s", name)
			}
		}
	}
	readers := []func(map[string]json.RawMessage, *fields) *apiError{
		readURL, readEvents, readDescription, readMetadata, readStatus,
	}
	for _, read := range readers {
		if err := read(raw, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}

func parseObject(body []byte) (map[string]json.RawMessage, *apiError) {
	var raw map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(body))
	err := d.Decode(&raw)
	if err == nil {
		_, err = d.Token()
	}
	if err != io.EOF || raw == nil {
		return nil, invalid("", "The request body must be one JSON object")
	}
	return raw, nil
}

func readURL(raw map[string]json.RawMessage, f *fields) *apiError {
	v, present := raw["url"]
	if !present {
		return nil
	}
	if json.Unmarshal(v, &f.url) != nil || f.url == nil {
		return invalid("url", "url must be a string")
	}
	return checkURL(*f.url)
}

// checkURL: HTTPS, or http on this very machine for development [doc].
func checkURL(text string) *apiError {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return invalid("url", "url must be an absolute URL")
	}
	local := slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, strings.ToLower(u.Hostname()))
	if u.Scheme == "https" || (u.Scheme == "http" && local) {
		return nil
	}
	return invalid("url", "url must use https (http is allowed for localhost only)")
}

func readEvents(raw map[string]json.RawMessage, f *fields) *apiError {
	v, present := raw["events"]
	if !present {
		return nil
	}
	if json.Unmarshal(v, &f.events) != nil || f.events == nil {
		return invalid("events", "events must be a list of strings")
	}
	if len(f.events) < 1 || len(f.events) > maxEventItems {
		return invalid("events", "events must have 1 to %d items", maxEventItems)
	}
	seen := map[string]bool{}
	for _, name := range f.events {
		switch {
		case name != EventWildcard && !slices.Contains(EventTypes(), name):
			return invalid("events", "Unknown event type: %s", name)
		case name == EventWildcard && len(f.events) > 1:
			return invalid("events", "* must be the only item of events")
		case seen[name]:
			return invalid("events", "Duplicate event type: %s", name)
		}
		seen[name] = true
	}
	return nil
}

func readDescription(raw map[string]json.RawMessage, f *fields) *apiError {
	v, present := raw["description"]
	if !present {
		return nil
	}
	f.hasDescription = true
	if json.Unmarshal(v, &f.description) != nil {
		return invalid("description", "description must be a string or null")
	}
	if f.description != nil && utf8.RuneCountInString(*f.description) > maxDescriptionRunes {
		return invalid("description", "description must have at most %d characters", maxDescriptionRunes)
	}
	return nil
}

// readMetadata takes any JSON values: the documentation limits only the number of keys.
func readMetadata(raw map[string]json.RawMessage, f *fields) *apiError {
	v, present := raw["metadata"]
	if !present {
		return nil
	}
	f.hasMetadata = true
	d := json.NewDecoder(bytes.NewReader(v))
	d.UseNumber() // echoed digit by digit
	if d.Decode(&f.metadata) != nil {
		return invalid("metadata", "metadata must be an object")
	}
	return checkMetadata(f.metadata)
}

func checkMetadata(m map[string]any) *apiError {
	if len(m) > maxMetadataKeys {
		return invalid("metadata", "metadata must have at most %d keys", maxMetadataKeys)
	}
	return nil
}

func readStatus(raw map[string]json.RawMessage, f *fields) *apiError {
	v, present := raw["status"]
	if !present {
		return nil
	}
	if json.Unmarshal(v, &f.status) != nil || f.status == nil {
		return invalid("status", "status must be active or disabled")
	}
	return checkStatus(*f.status)
}

func checkStatus(status string) *apiError {
	if status == StatusActive || status == StatusDisabled {
		return nil
	}
	return invalid("status", "status must be active or disabled")
}

// paging is what both lists understand.
type paging struct {
	limit int
	after string
}

func (q Quirks) paging(query url.Values, pattern interface{ MatchString(string) bool }) (paging, *apiError) {
	p := paging{limit: defaultPageSize}
	if query.Has("limit") {
		n, err := strconv.Atoi(query.Get("limit"))
		if err != nil || n < 1 || n > maxPageSize {
			return p, invalid("limit", "limit must be a number from 1 to %d", maxPageSize)
		}
		p.limit = n
	}
	if !query.Has("starting_after") {
		return p, nil
	}
	id, fine := q.fromCursor(query.Get("starting_after"))
	if !fine || !pattern.MatchString(id) {
		return p, invalid("starting_after", "starting_after is not a cursor of this list")
	}
	p.after = id
	return p, nil
}
