// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package probe asks receivers whether they are healthy: with reenablePolicy.mode WhenHealthy, an endpoint that Medblocks disabled is
// enabled again once its receiver is. It sends requests to where users say, and therefore to public addresses only, to Services, and to
// what the operator's flags admit: see guard.go.
package probe

import (
	"cmp"
	"net/http"
	"slices"
)

// Target is what to probe: a URL, or a Service of the resource's own namespace.
type Target struct {
	// URL is absolute, http or https; empty with Service.
	URL string
	// Service is nil with URL.
	Service *Service
	// ExpectedStatuses are the status codes that count as healthy; none: any below 500, except 404.
	ExpectedStatuses []int32
}

// Service is a port of a Service, and what to ask for there.
type Service struct {
	Namespace, Name string
	Port            int32
	Path            string // default: /
	Scheme          string // SchemeHTTP (default) or SchemeHTTPS
}

// The schemes of a Service, as the API of the resource spells them.
const (
	SchemeHTTP  = "HTTP"
	SchemeHTTPS = "HTTPS"
)

func (s Service) withDefaults() Service {
	s.Path, s.Scheme = cmp.Or(s.Path, "/"), cmp.Or(s.Scheme, SchemeHTTP)
	return s
}

// Equal tells whether two targets are one: a default and its value are the same, and so are statuses in another order.
func (t Target) Equal(o Target) bool {
	if (t.Service == nil) != (o.Service == nil) {
		return false
	}
	if t.Service != nil && t.Service.withDefaults() != o.Service.withDefaults() {
		return false
	}
	return t.URL == o.URL && slices.Equal(asSet(t.ExpectedStatuses), asSet(o.ExpectedStatuses))
}

func asSet(statuses []int32) []int32 { return slices.Compact(slices.Sorted(slices.Values(statuses))) }

// clone shares nothing with the target, which may be made of an object that the caller changes.
func (t Target) clone() Target {
	t.ExpectedStatuses = slices.Clone(t.ExpectedStatuses)
	if t.Service != nil {
		service := *t.Service
		t.Service = &service
	}
	return t
}

// expects tells whether a status code counts as healthy.
func (t Target) expects(status int) bool {
	if len(t.ExpectedStatuses) == 0 {
		return status < http.StatusInternalServerError && status != http.StatusNotFound
	}
	return slices.ContainsFunc(t.ExpectedStatuses, func(expected int32) bool { return int(expected) == status })
}

// Result is what is known about a target.
type Result struct {
	// Healthy: two probes in a row, 15 s apart, were as expected.
	Healthy bool
	// Last says for people how the last probe ended, such as "it answered 503"; empty: none has ended yet. It is the same for the same
	// situation, and holds neither a part of a body nor an address that a name was resolved to.
	Last string
}
