// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"strings"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/probe"
)

// WithoutQuery is a URL as it can be shown: a query may hold what is nobody's business.
func WithoutQuery(url string) string {
	short, _, _ := strings.Cut(url, "?")
	return short
}

// probeTarget is what tells whether the resource's receiver is healthy.
func probeTarget(res *v1alpha1.MedblocksWebhookEndpoint) probe.Target {
	how := res.Spec.ReenablePolicy.ProbeOrDefault()
	target := probe.Target{URL: how.URL, ExpectedStatuses: how.ExpectedStatuses}
	switch service := how.ServiceRef; {
	case service != nil:
		target.Service = &probe.Service{
			Namespace: res.Namespace, Name: service.Name, Port: service.Port, Path: service.Path, Scheme: service.Scheme,
		}
	case how.URL == "":
		target.URL = res.Spec.URL
	}
	return target
}
