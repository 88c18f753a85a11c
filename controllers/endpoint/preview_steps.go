// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// previewOf tells a plan to people: a pure function of what was observed, the plan and, where something could not be observed, the hold
// that its error means.
func previewOf(w *work, p plan, failure *hold, now time.Time) *Preview {
	is := &Preview{
		Namespace: w.res.Namespace, Name: w.res.Name, EndpointID: p.EndpointID, NextLook: timeOrNil(p.Wake), Redelivers: p.Job != nil,
	}
	holds := p.Holds
	if failure != nil {
		p.Steps, holds = nil, append([]hold{*failure}, holds...)
	}
	is.Steps = plannedSteps(w, p.Steps)
	for _, h := range holds {
		is.Waits = append(is.Waits, PlannedWait{
			Condition: h.Condition, Reason: h.Reason, Message: h.Message, Stalled: h.Progress == stalled, Until: timeOrNil(h.Wake),
		})
	}
	if p.Probe != nil {
		is.Probes = WithoutQuery(p.Probe.URL)
		if service := p.Probe.Service; service != nil {
			is.Probes = "Service " + service.Name
		}
	}
	switch {
	case len(p.Steps) > 0:
		if slices.ContainsFunc(p.Steps, func(s step) bool { return slices.Contains(provenFirst, s.Action) }) {
			is.ProvesSecret = w.unproven
		}
		is.Notes = append(is.Notes, stalledNote(w.res)...)
	case w.res.DeletionTimestamp.IsZero():
		is.Conditions = conclude(w.res, w.obs, p, failure, now).Conditions
	}
	return is
}

// provenFirst are the steps that lead to a new signing secret.
var provenFirst = []action{actionRegister, actionMarkRotation, actionAdopt}

// stalledNote tells why the operator has not done by itself what is planned: what it has been refused is in its memory only.
func stalledNote(res *v1alpha1.MedblocksWebhookEndpoint) []string {
	is := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionStalled)
	if is == nil || is.Status != metav1.ConditionTrue || is.ObservedGeneration != res.Generation {
		return nil
	}
	return []string{"the operator says that it is stalled, and may not try this again by itself: " + is.Reason + ": " + is.Message}
}

func timeOrNil(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	at := seconds(t)
	return &at
}

func plannedSteps(w *work, steps []step) []PlannedStep {
	planned := make([]PlannedStep, 0, len(steps)) // an empty list is an answer, in JSON too
	for _, s := range steps {
		is := PlannedStep{
			Effect: effects[s.Action].kind, Summary: summaryOf(w, s),
			Action: string(s.Action), Trigger: string(s.Trigger), AtMedblocks: s.Action.atMedblocks(), EndpointID: s.EndpointID,
			Secret: secretOf(w, s), Changes: changesOf(w.obs.endpoint(s.EndpointID), s),
		}
		planned = append(planned, is)
	}
	return planned
}

// secretOf is the name of the Secret that a step writes.
func secretOf(w *work, s step) string {
	if s.Action == actionPublishSecret && s.Secret == "" {
		return w.res.SigningSecretName()
	}
	return s.Secret
}

// changesOf are the fields that a step changes of the endpoint as it was read.
func changesOf(before *medblocks.Endpoint, s step) []PlannedChange {
	if before == nil {
		before = &medblocks.Endpoint{}
	}
	after := *before
	switch {
	case s.Create != nil:
		after.URL, after.Events, after.Metadata, after.APIVersion = s.Create.URL, s.Create.Events, s.Create.Metadata, s.Create.APIVersion
		take(&after.Description, s.Create.Description)
	case s.Update != nil:
		take(&after.URL, s.Update.URL)
		take(&after.Description, s.Update.Description)
		take(&after.Status, s.Update.Status)
		if s.Update.Events != nil {
			after.Events = s.Update.Events
		}
		if s.Update.Metadata != nil {
			after.Metadata = s.Update.Metadata
		}
	}
	return differences(before, &after)
}

func take[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func differences(before, after *medblocks.Endpoint) []PlannedChange {
	var changes []PlannedChange
	add := func(field, from, to string) {
		changes = append(changes, PlannedChange{Field: field, From: from, To: to})
	}
	if before.URL != after.URL {
		add("url", shownURL(before.URL), shownURL(after.URL))
	}
	if from, to := eventList(before.Events), eventList(after.Events); from != to {
		add("events", from, to)
	}
	if before.Description != after.Description {
		add("description", before.Description, after.Description)
	}
	if before.Status != after.Status {
		add("status", string(before.Status), string(after.Status))
	}
	if before.APIVersion != after.APIVersion {
		add("apiVersion", before.APIVersion, after.APIVersion)
	}
	keys := maps.Clone(before.Metadata)
	if keys == nil {
		keys = map[string]string{}
	}
	maps.Copy(keys, after.Metadata)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if from, to := before.Metadata[key], after.Metadata[key]; from != to {
			add("metadata."+key, from, shownMark(key, to))
		}
	}
	return changes
}

// shownURL is a URL without what may be nobody's business, and with a sign that there is more.
func shownURL(url string) string {
	if short := WithoutQuery(url); short != url {
		return short + "?…"
	}
	return url
}

// shownMark hides a nonce that would be another one in the end.
func shownMark(key, value string) string {
	if key == v1alpha1.MarkSecretGeneration && value != "" {
		return "(new)"
	}
	return value
}

func eventList(events []string) string {
	return strings.Join(slices.Sorted(slices.Values(events)), ", ")
}
