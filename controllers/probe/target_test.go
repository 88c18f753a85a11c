// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"testing"

	. "github.com/onsi/gomega"
)

func TestTargetsAreEqualWhereTheyAskTheSame(t *testing.T) {
	service := Service{Namespace: "shop", Name: "orders", Port: 80}
	with := func(change func(*Service)) Target {
		s := service
		change(&s)
		return Target{Service: &s}
	}
	for name, test := range map[string]struct {
		a, b  Target
		equal bool
	}{
		"nothing":                  {equal: true},
		"one URL":                  {Target{URL: "https://a.example"}, Target{URL: "https://a.example"}, true},
		"two URLs":                 {Target{URL: "https://a.example"}, Target{URL: "https://b.example"}, false},
		"one Service":              {with(func(*Service) {}), with(func(*Service) {}), true},
		"defaults":                 {with(func(*Service) {}), with(func(s *Service) { s.Path, s.Scheme = "/", SchemeHTTP }), true},
		"another scheme":           {with(func(*Service) {}), with(func(s *Service) { s.Scheme = SchemeHTTPS }), false},
		"another path":             {with(func(*Service) {}), with(func(s *Service) { s.Path = "/healthz" }), false},
		"another port":             {with(func(*Service) {}), with(func(s *Service) { s.Port = 81 }), false},
		"another Service":          {with(func(*Service) {}), with(func(s *Service) { s.Name = "billing" }), false},
		"another namespace":        {with(func(*Service) {}), with(func(s *Service) { s.Namespace = "bank" }), false},
		"a Service and a URL":      {with(func(*Service) {}), Target{URL: "https://a.example"}, false},
		"a Service and nothing":    {with(func(*Service) {}), Target{}, false},
		"no statuses":              {Target{}, Target{ExpectedStatuses: []int32{}}, true},
		"statuses in other order":  {Target{ExpectedStatuses: []int32{200, 204}}, Target{ExpectedStatuses: []int32{204, 200, 204}}, true},
		"other statuses":           {Target{ExpectedStatuses: []int32{200}}, Target{ExpectedStatuses: []int32{204}}, false},
		"fewer statuses":           {Target{ExpectedStatuses: []int32{200, 204}}, Target{ExpectedStatuses: []int32{200}}, false},
		"statuses and the default": {Target{ExpectedStatuses: []int32{200}}, Target{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(test.a.Equal(test.b)).To(Equal(test.equal))
			g.Expect(test.b.Equal(test.a)).To(Equal(test.equal))
		})
	}
}

func TestWhatIsExpectedOfAnAnswer(t *testing.T) {
	g := NewWithT(t)
	for status, expected := range map[int]bool{
		101: true, 200: true, 204: true, 302: true, 400: true, 401: true, 403: true, 404: false, 405: true, 410: true, 429: true, 499: true,
		500: false, 502: false, 503: false, 599: false, 999: false,
	} {
		g.Expect(Target{}.expects(status)).To(Equal(expected), "%d by default", status)
	}
	g.Expect(Target{ExpectedStatuses: []int32{404, 503}}.expects(404)).To(BeTrue(), "it was asked for")
	g.Expect(Target{ExpectedStatuses: []int32{404, 503}}.expects(503)).To(BeTrue(), "it was asked for")
	g.Expect(Target{ExpectedStatuses: []int32{404, 503}}.expects(200)).To(BeFalse())
}
