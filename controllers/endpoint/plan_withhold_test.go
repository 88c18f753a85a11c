// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestAReadOnlyPlanReportsEveryKindOfWriteAndHoldsNone(t *testing.T) {
	deleting := func(s *scenario) {
		s.read()
		s.res.DeletionTimestamp = &metav1.Time{Time: s.now}
	}
	for _, tc := range []struct {
		name  string
		given *scenario
		when  func(*scenario)
		says  []string
	}{
		{"registration", unregistered(), (*scenario).read, []string{"WriteIntent", "RegisterEndpoint", "PublishSecret"}},
		{"update", settled(), func(s *scenario) { s.read(); s.res.Spec.Description = "new" }, []string{"UpdateEndpoint " + testID + " (description)"}},
		{"healing", settled(), func(s *scenario) { s.obs.secret.exists = false; s.read() }, []string{"MarkRotation " + testID, "RotateSecret " + testID}},
		{"rotation", settled(), func(s *scenario) {
			s.read()
			s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1"
		}, []string{"RotateSecret " + testID}},
		{"duplicate", settled(), func(s *scenario) {
			s.obs.view.Owned = append(s.obs.view.Owned, s.endpoint("wh_02"))
			s.read()
		}, []string{"DeleteDuplicate wh_02"}},
		{"finalizer", settled(), func(s *scenario) { s.res.Finalizers = nil }, []string{"AddFinalizer"}},
		{"labels of the Secret", settled(), func(s *scenario) { s.obs.secret.dressed = false }, []string{"DressSecret orders-signing-secret"}},
		{"secret at hand", settled(), func(s *scenario) {
			s.obs.secret.exists = false
			s.read()
			s.obs.held = &heldSecret{endpointID: testID, nonce: testNonce}
		}, []string{"PublishSecret orders-signing-secret"}},
		{"moved Secret", settled(), func(s *scenario) {
			former := s.obs.secret
			s.obs.former, s.obs.secret = []*secretView{&former}, secretView{name: "renamed"}
			s.res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "renamed"}
			s.read()
		}, []string{"MoveSecret renamed"}},
		{"disable", settled(), func(s *scenario) { s.read(); s.res.Spec.State = v1alpha1.StateDisabled }, []string{"RecordDisable", "DisableEndpoint " + testID}},
		{"enable", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.Status = medblocks.EndpointStatusDisabled })
			s.read()
			s.res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
			s.res.Status.Disabled = &v1alpha1.DisabledStatus{Since: metav1.NewTime(s.now.Add(-time.Hour)), Cause: v1alpha1.ReasonAutoDisabled}
			s.obs.evidence = &evidence{complete: true}
		}, []string{"RecordAttempt", "EnableEndpoint " + testID}},
		{"deletion", settled(), deleting, []string{"DeleteEndpoint " + testID, "The finalizer stays"}},
		{"deletion with Orphan", settled(), func(s *scenario) {
			deleting(s)
			s.res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
		}, []string{"OrphanEndpoint " + testID, "The finalizer stays"}},
		{"rest of a deletion", settled(), func(s *scenario) { deleting(s); s.gone() }, []string{"DeleteSecret orders-signing-secret", "RemoveFinalizer", "The finalizer stays"}},
		{"release", settled(), func(s *scenario) {
			deleting(s)
			s.res.Annotations[v1alpha1.AnnotationRelease] = "true"
		}, []string{"RemoveFinalizer", "The finalizer stays"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			tc.when(tc.given)
			decide := makePlan
			if !tc.given.res.DeletionTimestamp.IsZero() {
				decide = makeDeletionPlan
			}
			p := decide(tc.given.res, tc.given.obs, tc.given.now)
			g.Expect(p.Needs.any()).To(BeFalse(), describe(p))
			p.withhold(tc.given.res)
			g.Expect(p.Steps).To(BeEmpty())
			g.Expect(p.Done).To(BeFalse())
			h := p.hold(v1alpha1.ConditionSynced)
			g.Expect(h).NotTo(BeNil())
			g.Expect(h.Reason).To(Equal(v1alpha1.ReasonDrifted))
			g.Expect(h.Progress).To(Equal(stalled))
			for _, text := range append(tc.says, "--read-only") {
				g.Expect(h.Message).To(ContainSubstring(text))
			}
		})
	}
}

func TestAReadOnlyOperatorDoesNotClaimADisableThatItDidNotMake(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	s.read()
	s.res.Spec.State = v1alpha1.StateDisabled
	p := makePlan(s.res, s.obs, s.now)
	p.withhold(s.res)
	status := conclude(s.res, s.obs, p, nil, s.now)
	g.Expect(status.Disabled).To(BeNil())
}

func TestASettledResourceIsReadyUnderAReadOnlyOperatorToo(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	p := makePlan(s.res, s.obs, s.now)
	p.withhold(s.res)
	g.Expect(describe(p)).To(BeEmpty())
}
