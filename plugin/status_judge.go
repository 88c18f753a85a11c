// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

const (
	// lately is how far back failed deliveries count: Medblocks tries an event for some four days.
	lately = 7 * 24 * time.Hour
	// shownFailures is how many of them are shown one by one.
	shownFailures = 5
)

// judge turns what was found out about a resource into its status. It is a pure function.
func judge(f *facts, now time.Time) ResourceStatus {
	v := verdictOf(f, now)
	is := ResourceStatus{
		Namespace: f.res.Namespace, Name: f.res.Name, Ready: string(metav1.ConditionUnknown),
		Healthy: v.healthy, Delivering: v.delivering, Verdict: v.sentence, NextStep: nextOf(f, now),
		APIKey:   APIKeyStatus{keyRef: f.key, Problem: problem(f.keyErr)},
		Endpoint: f.endpoint(), SigningSecret: f.signingSecret(),
		Receiver: ReceiverStatus{URL: endpoint.WithoutQuery(f.res.Spec.URL)}, Deliveries: f.deliveries(now),
	}
	if ready := f.condition(v1alpha1.ConditionReady); ready != nil {
		is.Ready, is.Reason = string(ready.Status), ready.Reason
	}
	for _, c := range f.res.Status.Conditions {
		is.Conditions = append(is.Conditions, ConditionStatus{
			Type: c.Type, Status: string(c.Status), Reason: c.Reason, Message: c.Message, Since: c.LastTransitionTime,
		})
	}
	for _, entry := range slices.Backward(f.res.Status.History) {
		is.History = append(is.History, HistoryStatus{Time: entry.Time, Action: entry.Action, Trigger: entry.Trigger})
	}
	return is
}

func (f *facts) endpoint() EndpointStatus {
	is := EndpointStatus{ID: endpointID(f.res), Status: f.endpointStatus(), Live: f.live != nil, gone: medblocks.IsNotFound(f.liveErr)}
	switch {
	case f.live != nil:
		is.URL = endpoint.WithoutQuery(f.live.URL)
	case f.res.Status.Endpoint != nil:
		is.URL = endpoint.WithoutQuery(f.res.Status.Endpoint.URL)
	}
	if d := f.res.Status.Disabled; d != nil && f.isDisabled() {
		is.DisabledSince, is.Cause, is.LastStatusCode = &d.Since, d.Cause, d.LastStatusCode
	}
	is.Problem = problem(f.liveErr)
	return is
}

func (f *facts) signingSecret() SigningSecretStatus {
	is := SigningSecretStatus{Name: f.res.SigningSecretName(), RotationDue: rotationDue(f.res), Problem: problem(f.secretErr)}
	if s := f.res.Status.SigningSecret; s != nil {
		is.LastRotated = s.LastRotated
	}
	if f.secretErr != nil || !f.secretAsked {
		return is
	}
	exists := f.secret != nil
	is.Exists = &exists
	if exists {
		id := string(f.secret.Data[v1alpha1.SecretKeyEndpointID])
		holds := id != "" && id == endpointID(f.res)
		is.HoldsEndpoint = &holds
	}
	return is
}

func (f *facts) deliveries(now time.Time) DeliveriesStatus {
	is := DeliveriesStatus{Known: f.asked && f.eventsErr == nil, More: f.more}
	switch {
	case f.eventsErr != nil && !medblocks.IsNotFound(f.eventsErr):
		is.Problem = problem(f.eventsErr)
	case f.keyErr != nil:
		is.Problem = problem(f.keyErr)
	}
	for i := range f.events {
		d := deliveryOf(f.events[i])
		if now.Sub(d.CreatedAt.Time) > lately {
			is.More = false // what is older does not count either
			break
		}
		if d.Attempts == 0 {
			continue
		}
		if is.Failed++; is.Failed <= shownFailures {
			is.Last = append(is.Last, d)
		}
	}
	return is
}

// isHealthy tells whether all is well with all of them.
func (r *StatusReport) isHealthy() bool {
	return r.Operator.State != operatorAway && !slices.ContainsFunc(r.Resources, func(is ResourceStatus) bool { return !is.Healthy })
}
