// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// withhold reports what a plan would do instead of doing it (--read-only). That goes for writes to Kubernetes too: a
// finalizer, an intent or a Secret without the write to Medblocks that it belongs to would be a lie, and another operator may
// be at work on the same resources. Only the status is written.
func (p *plan) withhold(res *v1alpha1.MedblocksWebhookEndpoint) {
	p.dropErrands(res)
	if len(p.Steps) == 0 {
		return
	}
	var names []string
	for _, s := range p.Steps {
		names = append(names, s.name())
	}
	message := "the operator runs with --read-only and would do: " + strings.Join(names, ", ")
	if !res.DeletionTimestamp.IsZero() {
		message += ". The finalizer stays until an operator without --read-only has done it"
	}
	if slices.ContainsFunc(p.Steps, func(s step) bool { return s.Action == actionDisable }) {
		p.Disabled = nil // it is not disabled, and one day it may be a person who does it
	}
	p.Steps = nil
	p.Holds = append([]hold{*stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonDrifted, "%s", message)}, p.Holds...)
}

// dropErrands leaves a redelivery as it was.
func (p *plan) dropErrands(res *v1alpha1.MedblocksWebhookEndpoint) {
	p.Probe, p.Job = nil, nil
	if p.Redelivery != nil && p.Disabled == nil {
		p.Disabled = res.Status.Disabled // or the operator that redelivers would not learn that there is something to redeliver
	}
	p.Redelivery = res.Status.Redelivery
}

// name says what a step does, and to what.
func (s step) name() string {
	words := []string{string(s.Action)}
	switch {
	case s.Action.atMedblocks():
		words = append(words, s.EndpointID)
	case s.Secret != "":
		words = append(words, s.Secret)
	}
	if s.Action == actionUpdate {
		words = append(words, "("+changedFields(s.Update)+")")
	}
	return strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " ")
}
