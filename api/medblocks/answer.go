// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter is the longest wait that RetryAfter reports. Whoever is told to
// wait longer asks again after it, and is told again: a mistaken header must not
// silence an account for days.
const MaxRetryAfter = time.Hour

// apiError turns an answer outside 2xx into an error, whatever its body is.
func (c *Client) apiError(operation Operation, response *http.Response, body []byte, readErr error) *APIError {
	key := c.apiKey()
	token := func(s string) string { return scrub(s, key, maxTokenRunes) }
	e := &APIError{
		Operation:  operation,
		StatusCode: response.StatusCode,
		RequestID:  token(response.Header.Get("X-Request-Id")),
	}
	e.RetryAfter, e.HasRetryAfter = parseRetryAfter(response.Header, time.Now())
	envelope := decodeEnvelope(body)
	if readErr != nil {
		envelope = errorEnvelope{}
	}
	e.Type = token(string(envelope.Error.Type))
	e.Code = token(string(envelope.Error.Code))
	e.Param = token(string(envelope.Error.Param))
	e.DocURL = scrub(string(envelope.Error.DocURL), key, maxMessageRunes)
	e.Message = scrub(string(envelope.Error.Message), key, maxMessageRunes)
	if e.RequestID == "" {
		e.RequestID = token(string(envelope.Error.RequestID))
	}
	e.Envelope = envelope.isVendors()
	e.origin = describeOrigin(response, body)
	return e
}

// errorEnvelope is the body of the vendor's errors (vendor).
type errorEnvelope struct {
	Error struct {
		Type      lenientText `json:"type"`
		Code      lenientText `json:"code"`
		Message   lenientText `json:"message"`
		Param     lenientText `json:"param"`
		DocURL    lenientText `json:"doc_url"`
		RequestID lenientText `json:"request_id"`
	} `json:"error"`
}

// isVendors is strict, because a 4xx in the vendor's envelope is taken as proof.
// Gateways also answer {"error": {"message": …}}, but without a type.
func (e errorEnvelope) isVendors() bool {
	return e.Error.Type != "" && (e.Error.Code != "" || e.Error.Message != "")
}

// decodeEnvelope returns the zero envelope for a body that is anything else.
func decodeEnvelope(body []byte) errorEnvelope {
	var envelope errorEnvelope
	if json.Unmarshal(body, &envelope) != nil {
		return errorEnvelope{}
	}
	return envelope
}

// lenientText is a string, or "" for any other JSON value: one odd field must not
// cost the others.
type lenientText string

// UnmarshalJSON never fails.
func (t *lenientText) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		text = ""
	}
	*t = lenientText(text)
	return nil
}

func describeOrigin(response *http.Response, body []byte) string {
	if response.StatusCode >= 300 && response.StatusCode <= 399 {
		return "redirects are not followed, check the API's base URL"
	}
	if len(body) == 0 {
		return "the answer has no readable body"
	}
	mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || strings.HasSuffix(mediaType, "json") {
		return "the answer is not a Medblocks error"
	}
	return "the answer is " + scrub(mediaType, "", 60) + ", not a Medblocks error"
}

// parseRetryAfter reads the header as whole seconds (vendor) or as an HTTP date
// (RFC 9110; a proxy may write one), which it compares with the answer's own Date
// where there is one, so that a skewed clock does no harm. Missing, negative and
// unparseable values are reported as absent, longer ones than MaxRetryAfter are cut.
func parseRetryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter, true // more digits than fit are a long wait, too
		}
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), MaxRetryAfter), true
}
