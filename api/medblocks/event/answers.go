// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"errors"
	"net/http"
	"strings"
)

func rejected(status int, err error) Delivery {
	return Delivery{Outcome: OutcomeRejected, StatusCode: status, Err: err}
}

func refused(err error) Delivery {
	if errors.Is(err, ErrNoSecrets) {
		return Delivery{Outcome: OutcomeFailed, StatusCode: http.StatusServiceUnavailable, Err: err}
	}
	return rejected(statusOfVerification(err), err)
}

func statusOfReadError(err error) int {
	var tooLarge *http.MaxBytesError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &timeout) && timeout.Timeout():
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

func statusOfVerification(err error) int {
	if errors.Is(err, ErrSignatureMismatch) {
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}

// answerText is what Medblocks' dashboard shows as the answer. Which check failed
// helps who set up the receiver and tells a forger nothing; anything from inside
// the receiver stays inside.
func answerText(report Delivery) string {
	if report.Outcome != OutcomeRejected {
		return string(report.Outcome)
	}
	for _, reason := range []error{
		ErrMissingSignature, ErrMalformedSignature, ErrTimestampOutsideWindow, ErrSignatureMismatch, ErrNotAnEvent,
	} {
		if errors.Is(report.Err, reason) {
			return reason.Error()
		}
	}
	return strings.ToLower(http.StatusText(report.StatusCode))
}
