// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// watched is a managed endpoint that was switched to Observe, and has been seen since.
func watched() *scenario {
	s := settled()
	s.res.Spec.ManagementPolicy, s.res.Finalizers = v1alpha1.ManagementObserve, nil
	s.res.Status.Endpoint = &v1alpha1.ObservedEndpoint{Status: "active"}
	return s
}

// stranger observes an endpoint that was never managed and has nobody's marks.
func stranger() *scenario {
	s := unregistered()
	e := s.endpoint(testID)
	e.Metadata = map[string]string{}
	s.obs.view.Endpoint = &e
	s.res.Spec.ManagementPolicy = v1alpha1.ManagementObserve
	s.res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: testID, RotateSecret: true}
	s.res.Status.Endpoint = &v1alpha1.ObservedEndpoint{Status: "active"}
	return s
}

func TestPlanUnderObserve(t *testing.T) {
	disabled := func(s *scenario) {
		s.obs.view.Endpoint.Status = medblocks.EndpointStatusDisabled
		s.read()
	}
	exhausted := &evidence{complete: true, exhausted: []medblocks.EventRecord{{ID: "evt_1", Attempts: medblocks.MaxAttempts}}}
	runPlanCases(t, []planCase{
		{"an endpoint that matches needs nothing", watched(), nil, ""},
		{"the finalizer goes", watched(), func(s *scenario) { s.res.Finalizers = []string{v1alpha1.Finalizer} }, "RemoveFinalizer"},
		{"drift is reported", watched(), func(s *scenario) { s.res.Spec.Description = "new" }, "Drifted=stalled"},
		{"a lost Secret is read and not healed", watched(), func(s *scenario) { s.obs.secret.exists = false }, "read:secret"},
		{"a lost Secret is not healed", watched(), func(s *scenario) { s.obs.secret.exists, s.obs.secret.live = false, true }, ""},
		{"a duplicate stays", watched(), func(s *scenario) { s.obs.view.Owned = append(s.obs.view.Owned, s.endpoint("wh_02")) }, ""},
		{"missing marks stay missing", watched(), func(s *scenario) { s.edit(func(e *medblocks.Endpoint) { e.Metadata = map[string]string{} }) }, "read:secret"},
		{"another owner is no drift", watched(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.Metadata[v1alpha1.MarkOwner] = "other/shop/orders" })
		}, ""},
		{"a requested rotation asks for nothing", watched(), func(s *scenario) { s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1" }, ""},
		{"an endpoint that is active against the spec is reported", watched(), func(s *scenario) { s.res.Spec.State = v1alpha1.StateDisabled }, "Drifted=stalled"},
		{"a disable is judged", watched(), disabled, "read:events"},
		{"a disable by Medblocks is reported, whatever the policy", watched(), func(s *scenario) {
			disabled(s)
			s.res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
			s.obs.evidence = exhausted
		}, "AutoDisabled=stalled"},
		{"a request to enable is not served", watched(), func(s *scenario) {
			disabled(s)
			s.res.Annotations[v1alpha1.AnnotationReenableRequestedAt] = "1"
			s.obs.evidence = &evidence{complete: true}
		}, "DisabledManually=stalled"},
		{"what is gone is read before it is doubted", watched(), func(s *scenario) { s.gone(); clear(s.obs.live) }, "read:" + testID},
		{"what is gone is not registered again", watched(), (*scenario).gone, "Drifted=stalled"},
		{"under another workspace's key nothing is known", watched(), func(s *scenario) { s.gone(); s.obs.keyHash = "v1:new" }, "WorkspaceChanged=stalled"},
		{"before the first list, absence means nothing", watched(), func(s *scenario) { s.obs.view = account.View{} }, "Pending=working"},
		{"a suspended resource is left alone", watched(), func(s *scenario) { s.res.Spec.Suspend, s.res.Finalizers = true, []string{v1alpha1.Finalizer} }, "Suspended=resting"},

		{"an endpoint that was never managed needs nothing", stranger(), nil, ""},
		{"its events are a baseline when it is first seen", stranger(), func(s *scenario) { s.res.Status.Endpoint = nil }, "read:events"},
		{"an exhausted event from before explains no disable", stranger(), func(s *scenario) {
			disabled(s)
			s.res.Status.Endpoint, s.obs.evidence = nil, exhausted
		}, "DisabledManually=stalled"},
		{"an exhausted event from later does", stranger(), func(s *scenario) { disabled(s); s.obs.evidence = exhausted }, "AutoDisabled=stalled"},
		{"one that does not exist is not registered", stranger(), (*scenario).gone, "AdoptionTargetNotFound=stalled"},
		{"nothing to observe is said", stranger(), func(s *scenario) { s.gone(); s.res.Spec.Adopt = nil }, "InvalidRequest=stalled"},
		{"a registration in flight is waited for", stranger(), func(s *scenario) {
			s.gone()
			s.res.Spec.Adopt = nil
			s.obs.intent, s.obs.intentSince = &intent{UID: testUID, Attempt: 1, Nonce: "N"}, s.now
		}, "Pending=working"},
		{"what a registration has left is found by its mark", stranger(), func(s *scenario) {
			s.gone()
			s.res.Spec.Adopt = nil
			s.obs.intent, s.obs.intentSince = &intent{UID: testUID, Attempt: 1, Nonce: "N"}, s.now.Add(-time.Hour)
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint("wh_02")}
		}, ""},
	}, makePlan)
}

func TestADeletionUnderObserveLeavesEndpointAndSecretBehind(t *testing.T) {
	deleting := func(s *scenario) {
		s.res.Finalizers, s.res.DeletionTimestamp = []string{v1alpha1.Finalizer}, &metav1.Time{Time: s.now}
	}
	runPlanCases(t, []planCase{
		{"as it is", watched(), deleting, "RemoveFinalizer"},
		{"with the annotation release", watched(), func(s *scenario) { deleting(s); s.res.Annotations[v1alpha1.AnnotationRelease] = "true" }, "RemoveFinalizer"},
		{"with a registration in flight", stranger(), func(s *scenario) {
			deleting(s)
			s.obs.intent, s.obs.intentSince = &intent{UID: testUID, Attempt: 1, Nonce: "N"}, s.now
		}, "RemoveFinalizer"},
	}, makeDeletionPlan)
}

func TestTheStatusUnderObserve(t *testing.T) {
	statusOf := func(s *scenario) *v1alpha1.MedblocksWebhookEndpointStatus {
		return conclude(s.res, s.obs, makePlan(s.res, s.obs, s.now), nil, s.now)
	}
	t.Run("an endpoint that was never managed is not claimed", func(t *testing.T) {
		g := NewWithT(t)
		status := statusOf(stranger())
		g.Expect(status.EndpointID).To(BeEmpty())
		g.Expect(status.Endpoint.Status).To(Equal("active"))
		g.Expect(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		g.Expect(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionSigningSecretReady)).To(BeNil())
	})
	t.Run("a Secret that was published counts", func(t *testing.T) {
		g := NewWithT(t)
		s := watched()
		g.Expect(meta.IsStatusConditionTrue(statusOf(s).Conditions, v1alpha1.ConditionSigningSecretReady)).To(BeTrue())
		s.obs.secret.exists, s.obs.secret.live = false, true
		status := statusOf(s)
		g.Expect(meta.IsStatusConditionFalse(status.Conditions, v1alpha1.ConditionSigningSecretReady)).To(BeTrue())
		g.Expect(meta.IsStatusConditionFalse(status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		g.Expect(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionStalled)).To(BeTrue())
	})
	t.Run("drift names the fields", func(t *testing.T) {
		g := NewWithT(t)
		s := watched()
		s.edit(func(e *medblocks.Endpoint) { e.URL, e.Metadata["team"] = "https://drifted.example.com/", "x" })
		ready := meta.FindStatusCondition(statusOf(s).Conditions, v1alpha1.ConditionReady)
		g.Expect(ready.Reason).To(Equal(v1alpha1.ReasonDrifted))
		g.Expect(ready.Message).To(ContainSubstring("metadata, url"))
	})
	t.Run("requests count as handled", func(t *testing.T) {
		g := NewWithT(t)
		s := watched()
		for _, annotation := range []string{
			v1alpha1.AnnotationRotateSecretRequestedAt, v1alpha1.AnnotationReenableRequestedAt, v1alpha1.AnnotationReregisterRequestedAt,
		} {
			s.res.Annotations[annotation] = "1"
		}
		s.res.Status = *statusOf(s)
		s.res.Spec.ManagementPolicy = ""
		g.Expect(describe(makePlan(s.res, s.obs, s.now))).To(Equal("AddFinalizer"))
	})
}
