// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// ErrNotFound is returned by admin calls for an endpoint, event or key that is not there.
var ErrNotFound = errors.New("emulator: not found")

// docURL is the start of every doc_url. The vendor documents the field, not its
// values; this one is made up, under a name that resolves nowhere.
const docURL = "https://medblocks.example/docs/errors/"

// The error types. Only authentication_error is in the vendor's documentation;
// the other names are assumed.
const (
	typeAuthentication = "authentication_error"
	typePermission     = "permission_error"
	typeInvalidRequest = "invalid_request_error"
	typeNotFound       = "not_found_error"
	typeConflict       = "conflict_error"
	typeRateLimit      = "rate_limit_error"
	typeQuota          = "quota_error"
	typeAPI            = "api_error"
)

// apiError becomes the vendor's error envelope.
type apiError struct {
	status     int
	kind       string
	code       string
	message    string
	param      string
	retryAfter string
	allow      string
}

func invalid(param, format string, args ...any) *apiError {
	return &apiError{
		status: http.StatusBadRequest, kind: typeInvalidRequest, code: "invalid_parameter",
		param: param, message: fmt.Sprintf(format, args...),
	}
}

func notFound(what, id string) *apiError {
	return &apiError{
		status: http.StatusNotFound, kind: typeNotFound, code: "resource_not_found",
		message: fmt.Sprintf("No such %s: %s", what, id),
	}
}

func unauthorized(code, message string) *apiError {
	return &apiError{status: http.StatusUnauthorized, kind: typeAuthentication, code: code, message: message}
}

func tooOften(wait time.Duration) *apiError {
	// Rounded up: a client that waits exactly this long must not come too early.
	seconds := int((wait + time.Second - 1) / time.Second)
	return &apiError{
		status: http.StatusTooManyRequests, kind: typeRateLimit, code: "redelivery_rate_limited",
		message:    "An event can be redelivered once a minute",
		retryAfter: strconv.Itoa(max(seconds, 1)),
	}
}

// typeOfStatus is the error type for a fault that names only a status.
func typeOfStatus(status int) (kind, code string) {
	switch status {
	case http.StatusUnauthorized:
		return typeAuthentication, "invalid_api_key"
	case http.StatusForbidden:
		return typePermission, "forbidden"
	case http.StatusNotFound:
		return typeNotFound, "resource_not_found"
	case http.StatusConflict:
		return typeConflict, "conflict"
	case http.StatusRequestEntityTooLarge:
		return typeInvalidRequest, "request_too_large"
	case http.StatusTooManyRequests:
		return typeRateLimit, "rate_limit_exceeded"
	}
	if status >= http.StatusInternalServerError {
		return typeAPI, "internal_error"
	}
	return typeInvalidRequest, "invalid_request"
}
