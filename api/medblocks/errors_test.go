// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

func TestRetryAfterIsReadInEveryForm(t *testing.T) {
	const date = "Mon, 27 Apr 2026 10:00:00 GMT"
	cases := map[string]struct {
		header string
		want   time.Duration
		has    bool
	}{
		"missing":                          {"", 0, false},
		"seconds":                          {"3", 3 * time.Second, true},
		"seconds in white space":           {" 60 ", time.Minute, true},
		"zero":                             {"0", 0, true},
		"an HTTP date":                     {"Mon, 27 Apr 2026 10:00:42 GMT", 42 * time.Second, true},
		"an HTTP date in RFC 850":          {"Monday, 27-Apr-26 10:00:42 GMT", 42 * time.Second, true},
		"an HTTP date in the past":         {"Mon, 27 Apr 2026 09:00:00 GMT", 0, true},
		"an HTTP date in the far future":   {"Mon, 27 Apr 2099 10:00:00 GMT", medblocks.MaxRetryAfter, true},
		"the longest that is accepted":     {"3600", medblocks.MaxRetryAfter, true},
		"more than that":                   {"3601", medblocks.MaxRetryAfter, true},
		"more than fits a duration":        {"9223372036854775807", medblocks.MaxRetryAfter, true},
		"more than fits an integer":        {strings.Repeat("9", 400), medblocks.MaxRetryAfter, true},
		"negative":                         {"-5", 0, false},
		"signed":                           {"+5", 0, false},
		"a fraction":                       {"1.5", 0, false},
		"a unit":                           {"5s", 0, false},
		"words":                            {"in a moment", 0, false},
		"a time of another format":         {"2026-04-27T10:00:42Z", 0, false},
		"digits of another script":         {"٣", 0, false},
		"several values in the same field": {"3, 4", 0, false},
	}
	for name, tc := range cases {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprintf("%s with %d", name, status), func(t *testing.T) {
				g := NewWithT(t)
				server := newVendor(t, answering(status, envelope("rate_limit_error", "rate_limited", "slow down"),
					"Retry-After", tc.header, "Date", date))
				_, err := server.client(t).GetEndpoint(context.Background(), testEndpointID)
				var apiErr *medblocks.APIError
				g.Expect(errors.As(err, &apiErr)).To(BeTrue())
				g.Expect(apiErr.RetryAfter).To(Equal(tc.want))
				g.Expect(apiErr.HasRetryAfter).To(Equal(tc.has))
				wait, ok := medblocks.RetryAfter(fmt.Errorf("wrapped: %w", err))
				g.Expect(ok).To(Equal(tc.has))
				g.Expect(wait).To(Equal(tc.want))
			})
		}
	}
}

func TestAnHTTPDateIsComparedWithOurClockWhereTheAnswerHasNone(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil // keeps net/http from adding one
		w.Header().Set("Retry-After", time.Now().Add(20*time.Minute).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := server.client(t).GetEndpoint(context.Background(), testEndpointID)
	wait, ok := medblocks.RetryAfter(err)
	g.Expect(ok).To(BeTrue())
	g.Expect(wait).To(BeNumerically("~", 20*time.Minute, time.Minute))
}

func TestErrorsThatAreNotAnswersHaveNoRetryAfter(t *testing.T) {
	g := NewWithT(t)
	for _, err := range []error{nil, errors.New("x"), &medblocks.TransportError{Err: errors.New("x")}, &medblocks.MalformedError{}} {
		_, ok := medblocks.RetryAfter(err)
		g.Expect(ok).To(BeFalse())
	}
}

func TestPredicatesSortErrorsAsTheContractSays(t *testing.T) {
	type predicate struct {
		name string
		is   func(error) bool
	}
	predicates := []predicate{
		{"NotFound", medblocks.IsNotFound},
		{"Unauthorized", medblocks.IsUnauthorized},
		{"Forbidden", medblocks.IsForbidden},
		{"Conflict", medblocks.IsConflict},
		{"Invalid", medblocks.IsInvalid},
		{"QuotaExceeded", medblocks.IsQuotaExceeded},
		{"RateLimited", medblocks.IsRateLimited},
		{"Transient", medblocks.IsTransient},
		{"Malformed", medblocks.IsMalformed},
		{"Rejected", medblocks.IsRejected},
	}
	api := func(status int, kind, code string) error {
		return &medblocks.APIError{StatusCode: status, Type: kind, Code: code, Envelope: kind != ""}
	}
	cases := []struct {
		name string
		err  error
		want string
	}{
		{"no error", nil, ""},
		{"an unknown error", errors.New("x"), ""},
		{"400", api(400, "invalid_request_error", "invalid_url"), "Invalid Rejected"},
		{"400 of a proxy", api(400, "", ""), "Invalid"},
		{"401", api(401, "authentication_error", "expired_api_key"), "Unauthorized Rejected"},
		{"403", api(403, "permission_error", "forbidden"), "Forbidden Rejected"},
		{"404", api(404, "not_found_error", "resource_missing"), "NotFound Rejected"},
		{"404 of a proxy", api(404, "", ""), ""},
		{"408", api(408, "timeout_error", "timeout"), ""},
		{"409", api(409, "conflict_error", "conflict"), "Conflict Rejected"},
		{"413", api(413, "invalid_request_error", "body_too_large"), "Invalid Rejected"},
		{"422", api(422, "invalid_request_error", "x"), "Invalid Rejected"},
		{"429", api(429, "rate_limit_error", "rate_limit_exceeded"), "RateLimited Transient Rejected"},
		{"429 of a proxy", api(429, "", ""), "RateLimited Transient"},
		{"429 for too many requests", api(429, "rate_limit_error", "too_many_requests"), "RateLimited Transient Rejected"},
		{"429 for a limit that is not named", api(429, "api_error", "limit_exceeded"), "RateLimited Transient Rejected"},
		{"429 for a webhook's rate", api(429, "api_error", "webhook_rate_limit"), "RateLimited Transient Rejected"},
		{"429 for a quota", api(429, "quota_error", ""), "QuotaExceeded Rejected"},
		{"429 for endpoints, typed as a rate", api(429, "rate_limit_error", "endpoint_limit_reached"), "QuotaExceeded Rejected"},
		{"403 for endpoints", api(403, "permission_error", "webhook-endpoint-limit"), "Forbidden QuotaExceeded Rejected"},
		{"400 for endpoints", api(400, "invalid_request_error", "too_many_endpoints"), "Invalid QuotaExceeded Rejected"},
		{"402 for a limit", api(402, "billing_error", "limit_reached"), "QuotaExceeded Rejected"},
		{"409 for the plan", api(409, "plan_limit_error", ""), "Conflict QuotaExceeded Rejected"},
		{"500", api(500, "api_error", "internal"), ""},
		{"500 that names a quota", api(500, "quota_error", "quota"), ""},
		{"502", api(502, "", ""), "Transient"},
		{"503", api(503, "api_error", "unavailable"), "Transient"},
		{"504", api(504, "", ""), "Transient"},
		{"302", api(302, "", ""), ""},
		{"no answer", &medblocks.TransportError{Err: errors.New("refused")}, "Transient"},
		{"no answer in time", &medblocks.TransportError{Err: context.DeadlineExceeded}, "Transient"},
		{"cancelled", &medblocks.TransportError{Err: fmt.Errorf("x: %w", context.Canceled)}, ""},
		{"malformed", &medblocks.MalformedError{StatusCode: 200}, "Malformed"},
		{"an argument", fmt.Errorf("x: %w", medblocks.ErrInvalidArgument), "Invalid Rejected"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			errs := []error{tc.err}
			if tc.err != nil {
				errs = append(errs, fmt.Errorf("reconcile: %w", tc.err), errors.Join(errors.New("other"), tc.err))
			}
			for _, err := range errs {
				var got []string
				for _, p := range predicates {
					if p.is(err) {
						got = append(got, p.name)
					}
				}
				NewWithT(t).Expect(strings.Join(got, " ")).To(Equal(tc.want))
			}
		})
	}
}

func TestASummaryStaysTheSameWhenTheSameThingGoesWrongAgain(t *testing.T) {
	g := NewWithT(t)
	calls := 0
	server := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		id := fmt.Sprintf("req_%d", calls)
		answering(http.StatusBadRequest, fmt.Sprintf(
			`{"error":{"type":"invalid_request_error","code":"invalid_url","message":"url is bad, see %s","param":"url"}}`, id),
			"X-Request-Id", id)(w, r)
	})
	client := server.client(t)
	_, first := client.GetEndpoint(context.Background(), testEndpointID)
	_, second := client.GetEndpoint(context.Background(), testEndpointID)
	g.Expect(first.Error()).To(Equal("GetEndpoint: 400 Bad Request: invalid_request_error/invalid_url: url is bad, see …: field url (request req_1)"))
	g.Expect(medblocks.Summary(first)).To(Equal("400 Bad Request: invalid_request_error/invalid_url: url is bad, see …: field url"))
	g.Expect(medblocks.Summary(second)).To(Equal(medblocks.Summary(first)))
	g.Expect(medblocks.Summary(nil)).To(BeEmpty())
	g.Expect(medblocks.Summary(fmt.Errorf("x: %w", &medblocks.MalformedError{StatusCode: 200, RequestID: "r", Reason: "no id"}))).
		To(Equal("unusable answer (status 200): no id"))
	g.Expect(medblocks.Summary(errors.New("other"))).To(Equal("other"))
}
