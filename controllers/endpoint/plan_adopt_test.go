// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// toAdopt is a new resource that names an endpoint without marks, which was read live.
func toAdopt() *scenario {
	s := unregistered()
	s.res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: testID, RotateSecret: true}
	e := s.endpoint(testID)
	e.Metadata = map[string]string{"team": "billing"}
	s.obs.view.Endpoint = &e
	s.obs.evidence = &evidence{complete: true}
	s.read()
	return s
}

func TestPlanOfAnAdoption(t *testing.T) {
	const adoption = "AddFinalizer AdoptEndpoint(Adoption) RotateSecret(Adoption) PublishSecret"
	runPlanCases(t, []planCase{
		{"the endpoint is taken over and its secret rotated", toAdopt(), nil, adoption},
		{"another owner's endpoint is taken over", toAdopt(), func(s *scenario) {
			s.obs.view.Endpoint.Metadata = map[string]string{v1alpha1.MarkOwner: "cluster/other/orders", v1alpha1.MarkIncarnation: "uid-9"}
		}, adoption},
		{"not before a complete list", toAdopt(), func(s *scenario) { s.obs.view = account.View{} }, "Pending=working"},
		{"not before a live read", toAdopt(), func(s *scenario) { s.obs.live = map[string]*medblocks.Endpoint{} }, "read:" + testID},
		{"not before the Secret is known to be writable", toAdopt(), func(s *scenario) { s.obs.secret.live = false }, "read:secret"},
		{"not without a baseline", toAdopt(), func(s *scenario) { s.obs.evidence = nil }, "read:events"},
		{"nothing is registered where it does not exist", toAdopt(), (*scenario).gone, "AdoptionTargetNotFound=stalled"},
		{"one that is ours already is in conflict", toAdopt(), func(s *scenario) {
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint("wh_02")}
		}, "Conflict=stalled"},
		{"another API version cannot be had", toAdopt(), func(s *scenario) {
			s.res.Spec.MedblocksAPIVersion, s.obs.view.Endpoint.APIVersion = "2026-04-25", "2025-11-01"
		}, "InvalidRequest=stalled"},
		{"after a crash behind the marks, the secret is rotated", toAdopt(), func(s *scenario) {
			*s.obs.view.Endpoint = s.endpoint(testID)
			s.obs.since[sightOfMark(testNonce)] = s.now.Add(-s.obs.inFlight)
			s.obs.proven = ""
		}, "AddFinalizer MarkRotation(SecretLost) RotateSecret(SecretLost) PublishSecret"},
		{"an adopted endpoint that is gone is registered again", settled(), func(s *scenario) {
			s.res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: testID, RotateSecret: true}
			s.read()
			s.gone()
		}, "WriteIntent RegisterEndpoint(EndpointGone) PublishSecret"},
	}, makePlan)
}

func TestDeletionOfAResourceThatWasToAdopt(t *testing.T) {
	finalizer := func(s *scenario) { s.res.Finalizers = []string{v1alpha1.Finalizer} }
	runPlanCases(t, []planCase{
		{"the target is left alone without our mark", toAdopt(), finalizer, "RemoveFinalizer"},
		{"the target is read first", toAdopt(), func(s *scenario) { finalizer(s); s.obs.live = map[string]*medblocks.Endpoint{} }, "read:" + testID},
		{"a target with our mark is deleted like any other", toAdopt(), func(s *scenario) {
			finalizer(s)
			*s.obs.view.Endpoint = s.endpoint(testID)
		}, "DeleteEndpoint(ResourceDeleted)"},
	}, makeDeletionPlan)
}
