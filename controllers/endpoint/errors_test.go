// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

func TestErrorsAreClassifiedOnce(t *testing.T) {
	api := func(status int, change func(*medblocks.APIError)) error {
		e := &medblocks.APIError{StatusCode: status, Envelope: true, Message: "vendor says no", RequestID: "req_1"}
		if change != nil {
			change(e)
		}
		return fmt.Errorf("wrapped: %w", e)
	}
	for _, tc := range []struct {
		name    string
		err     error
		class   class
		reason  string
		mention string
		wake    time.Duration
	}{
		{"401", api(401, nil), terminal, v1alpha1.ReasonInvalidAPIKey, "spec.apiKeySecretRef", 0},
		{"403", api(403, nil), terminal, v1alpha1.ReasonForbidden, "vendor says no", slowRetry},
		{"400 with a param", api(400, func(e *medblocks.APIError) { e.Param = "url" }), terminal, v1alpha1.ReasonInvalidRequest, "spec.url", 0},
		{"400 with an unknown param", api(400, func(e *medblocks.APIError) { e.Param = "colour" }), terminal, v1alpha1.ReasonInvalidRequest, `the parameter "colour"`, 0},
		{"400 to a read", api(400, func(e *medblocks.APIError) { e.Operation = medblocks.OperationGetEndpoint }), retry, v1alpha1.ReasonAPIUnavailable, "status 400", 0},
		{"413 to a list", api(413, func(e *medblocks.APIError) { e.Operation = medblocks.OperationListEndpoints }), retry, v1alpha1.ReasonAPIUnavailable, "status 413", 0},
		{"413", api(413, nil), terminal, v1alpha1.ReasonInvalidRequest, "the request", 0},
		{"409", api(409, nil), terminal, v1alpha1.ReasonConflict, "vendor says no", slowRetry},
		{"the endpoint limit", api(403, func(e *medblocks.APIError) { e.Code = "endpoint_limit_reached" }), waitUntil, v1alpha1.ReasonQuotaExceeded, "higher limit", slowRetry},
		{"429 with Retry-After", api(429, func(e *medblocks.APIError) { e.RetryAfter, e.HasRetryAfter = 42*time.Second, true }), waitUntil, v1alpha1.ReasonRateLimited, "429", 42 * time.Second},
		{"429 without Retry-After", api(429, nil), waitUntil, v1alpha1.ReasonRateLimited, "429", 10 * time.Second},
		{"a paused account", &account.PausedError{Until: testTime.Add(time.Hour)}, waitUntil, v1alpha1.ReasonRateLimited, "429", time.Hour},
		{"500", api(500, nil), retry, v1alpha1.ReasonAPIUnavailable, "status 500", 0},
		{"502 from a proxy", &medblocks.APIError{StatusCode: 502}, retry, v1alpha1.ReasonAPIUnavailable, "status 502", 0},
		{"404 from a proxy", &medblocks.APIError{StatusCode: 404}, retry, v1alpha1.ReasonAPIUnavailable, "--api-base-url", 0},
		{"a redirect", &medblocks.APIError{StatusCode: 302}, retry, v1alpha1.ReasonAPIUnavailable, "not followed", 0},
		{"no answer in time", &medblocks.TransportError{Err: context.DeadlineExceeded}, retry, v1alpha1.ReasonAPIUnavailable, "no answer in time", 0},
		{"no network", &medblocks.TransportError{Err: errors.New("connection refused")}, retry, v1alpha1.ReasonAPIUnavailable, "cannot be reached", 0},
		{"an answer that cannot be used", &medblocks.MalformedError{StatusCode: 200, Reason: "not JSON"}, retry, v1alpha1.ReasonAPIUnavailable, "not JSON", 0},
		{"an error that nobody has thought of", errors.New("?"), retry, v1alpha1.ReasonAPIUnavailable, "tries again", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			got, h := classify(tc.err, testTime)
			g.Expect(got).To(Equal(tc.class))
			g.Expect(h.Reason).To(Equal(tc.reason))
			g.Expect(h.Message).To(ContainSubstring(tc.mention))
			g.Expect(h.Message).NotTo(ContainSubstring("req_1"), "a request id would change the message every time")
			if tc.wake == 0 {
				g.Expect(h.Wake).To(BeZero())
			} else {
				g.Expect(h.Wake).To(Equal(testTime.Add(tc.wake)))
			}
			g.Expect(h.Progress == stalled).To(Equal(tc.class == terminal || tc.reason == v1alpha1.ReasonQuotaExceeded))
		})
	}
}
