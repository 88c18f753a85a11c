// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// The predicates below accept wrapped errors and are false for nil. They are not
// exclusive: a quota may come as a 403 or a 409, so ask IsQuotaExceeded before
// IsForbidden, IsConflict and IsInvalid.

// IsNotFound says that the vendor itself answered 404: the object is not in this
// key's workspace. A 404 without the vendor's envelope (a proxy, a wrong base
// URL) proves nothing and is not included.
func IsNotFound(err error) bool {
	e, ok := asAPIError(err)
	return ok && e.StatusCode == http.StatusNotFound && e.Envelope
}

// IsUnauthorized says that the key is missing, invalid or expired (401).
func IsUnauthorized(err error) bool { return hasStatus(err, http.StatusUnauthorized) }

// IsForbidden says that the key is valid but not allowed to do this (403).
func IsForbidden(err error) bool { return hasStatus(err, http.StatusForbidden) }

// IsConflict says that the call conflicts with the state at the vendor (409).
func IsConflict(err error) bool { return hasStatus(err, http.StatusConflict) }

// IsInvalid says that the request itself was refused (400, 413, 422), or not even
// sent because of an argument: only another request can help.
func IsInvalid(err error) bool {
	return errors.Is(err, ErrInvalidArgument) ||
		hasStatus(err, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity)
}

// IsQuotaExceeded says that a limit on the number of things was reached, such as
// a workspace's endpoints: waiting does not help, deleting does. The vendor
// documents such a limit but not its code (assumed: named in code or type).
func IsQuotaExceeded(err error) bool {
	e, ok := asAPIError(err)
	if !ok || e.StatusCode < 400 || e.StatusCode > 499 {
		return false
	}
	for _, name := range []string{e.Code, e.Type} {
		switch classifyLimit(name, e.StatusCode) {
		case limitOfCount:
			return true
		case limitOfRate:
			return false
		case limitUnknown:
		}
	}
	return false
}

// IsRateLimited says that calls come too fast (429, unless it is a quota).
func IsRateLimited(err error) bool {
	return hasStatus(err, http.StatusTooManyRequests) && !IsQuotaExceeded(err)
}

// IsTransient says that the same call may succeed later without anybody doing
// anything, by the vendor's own rule: no answer, 429, 502, 503 or 504. A context
// that the caller cancelled is not transient.
func IsTransient(err error) bool {
	var transport *TransportError
	if errors.As(err, &transport) {
		return !errors.Is(transport, context.Canceled)
	}
	return IsRateLimited(err) ||
		hasStatus(err, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
}

// IsMalformed says that a 2xx answer could not be used.
func IsMalformed(err error) bool {
	var malformed *MalformedError
	return errors.As(err, &malformed)
}

// IsRejected is proof that the call had no effect: the vendor itself refused it
// (4xx with its envelope; 408 is about a call that may still be at work), or it
// was never sent.
func IsRejected(err error) bool {
	if errors.Is(err, ErrInvalidArgument) {
		return true
	}
	e, ok := asAPIError(err)
	return ok && e.Envelope && e.StatusCode >= 400 && e.StatusCode <= 499 && e.StatusCode != http.StatusRequestTimeout
}

// RetryAfter is how long the answer asked to wait, if it asked: from 0 to
// MaxRetryAfter.
func RetryAfter(err error) (time.Duration, bool) {
	e, ok := asAPIError(err)
	if !ok || !e.HasRetryAfter {
		return 0, false
	}
	return e.RetryAfter, true
}

func asAPIError(err error) (*APIError, bool) {
	var e *APIError
	ok := errors.As(err, &e)
	return e, ok
}

func hasStatus(err error, statuses ...int) bool {
	e, ok := asAPIError(err)
	if !ok {
		return false
	}
	for _, status := range statuses {
		if e.StatusCode == status {
			return true
		}
	}
	return false
}

type limitKind int

const (
	limitUnknown limitKind = iota
	limitOfCount
	limitOfRate
)

// classifyLimit reads a code or type of the vendor's. A name that only says that
// some limit was reached is about a rate with 429 and about a count elsewhere.
func classifyLimit(name string, status int) limitKind {
	name = strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(strings.ToLower(name))
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(name, word) {
				return true
			}
		}
		return false
	}
	bounded := has("limit", "max", "too_many")
	switch {
	case bounded && has("rate", "request"), has("throttl"):
		return limitOfRate
	case has("quota"), bounded && has("endpoint", "webhook", "workspace", "plan", "resource"):
		return limitOfCount
	case has("limit_exceeded", "limit_reached") && status != http.StatusTooManyRequests:
		return limitOfCount
	}
	return limitUnknown
}
