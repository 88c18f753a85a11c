// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"strings"
	"testing"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

func TestPlanOfADeletion(t *testing.T) {
	const rest = "DeleteSecret RemoveFinalizer"
	orphan := func(s *scenario) { s.read(); s.res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }
	keyless := func(s *scenario) {
		s.obs.secret.live = true
		s.obs.keyHash, s.obs.credentials = "", &account.CredentialsError{Message: "no key"}
	}
	terminating := func(going bool) func(*scenario) {
		return func(s *scenario) { keyless(s); s.obs.namespaceTerminating = &going }
	}
	noMarks := func(s *scenario) {
		orphan(s)
		s.edit(func(e *medblocks.Endpoint) { e.Metadata = map[string]string{"team": "a"} })
		s.obs.view.Owned = nil
	}
	runPlanCases(t, []planCase{
		{"the endpoint is read first", settled(), nil, "read:" + testID},
		{"the endpoint is deleted", settled(), (*scenario).read, "DeleteEndpoint(ResourceDeleted)"},
		{"a key that was changed is recorded before the endpoint is deleted with it", settled(), func(s *scenario) {
			s.read()
			s.obs.keyHash = "v1:new"
		}, "RecordKey DeleteEndpoint(ResourceDeleted)"},
		{"the Secret and the finalizer go last", settled(), func(s *scenario) { s.read(); s.gone() }, rest},
		{"a 404 that the list contradicts is no proof", settled(), func(s *scenario) { s.obs.live[testID] = nil }, "since:list with " + testID},
		{"the Secret is read live before it goes: it may have lost its label", settled(), (*scenario).gone, "read:secret"},
		{"somebody else's Secret stays", settled(), func(s *scenario) { s.read(); s.gone(); s.obs.secret.owned = false }, "RemoveFinalizer"},
		{"duplicates go too", settled(), func(s *scenario) {
			s.obs.view.Owned = append(s.obs.view.Owned, s.endpoint("wh_02"))
			s.read()
		}, strings.Repeat(" DeleteEndpoint(ResourceDeleted)", 2)[1:]},
		{"Orphan takes the marks off", settled(), orphan, "OrphanEndpoint(ResourceDeleted)"},
		{"Orphan keeps the Secret", settled(), noMarks, "RemoveFinalizer"},
		{"another owner's endpoint is left alone", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.Metadata[v1alpha1.MarkOwner] = "other/shop/orders" })
			s.read()
		}, rest},
		{"an endpoint of a newer incarnation is left alone", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.Metadata[v1alpha1.MarkIncarnation] = "uid-2" })
			s.read()
		}, rest},
		{"an endpoint of ours that lost its marks is deleted by its id", settled(), func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.Metadata = nil })
			s.read()
		}, "DeleteEndpoint(ResourceDeleted)"},
		{"without a key it is kept", settled(), keyless, "read:namespace"},
		{"without a key it is kept in a namespace that stays", settled(), terminating(false), "CredentialsUnavailable=stalled"},
		{"without a key it is let go in a namespace that goes", settled(), terminating(true), rest},
		{"without a key Orphan finishes", settled(), func(s *scenario) { keyless(s); s.res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }, "RemoveFinalizer"},
		{"Orphan does not finish on a single refusal", settled(), refusedOrphan, "since:" + refusedKey},
		{"Orphan waits whether a refusal lasts", settled(), func(s *scenario) {
			refusedOrphan(s)
			s.obs.since[refusedKey] = s.now.Add(-59 * time.Second)
		}, "Pending=working"},
		{"with a key that stays refused Orphan finishes", settled(), func(s *scenario) {
			refusedOrphan(s)
			s.obs.since[refusedKey] = s.now.Add(-time.Minute)
		}, "RemoveFinalizer"},
		{"a refusal that lists do not share does not count", settled(), func(s *scenario) {
			refusedOrphan(s)
			s.obs.listError = nil
			s.obs.since[refusedKey] = s.now.Add(-time.Hour)
		}, "Pending=working"},
		{"a namespace that goes waits whether a refusal lasts", settled(), func(s *scenario) {
			refusedOrphan(s)
			terminating(true)(s)
			s.obs.keyHash, s.obs.credentials, s.res.Spec.DeletionPolicy = "v1:key", nil, v1alpha1.DeletionDelete
		}, "since:" + refusedKey},
		{"Orphan waits for a PATCH that would set the marks again", settled(), func(s *scenario) {
			s.read()
			s.res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
			s.obs.flyingUntil = s.now.Add(time.Second)
		}, "Pending=working"},
		{"a deletion need not wait for that", settled(), func(s *scenario) {
			s.read()
			s.obs.flyingUntil = s.now.Add(time.Second)
		}, "DeleteEndpoint(ResourceDeleted)"},
		{"marks that Medblocks does not remove are blanked", settled(), func(s *scenario) {
			s.read()
			s.res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
			s.obs.clinging = map[string]bool{testID: true}
		}, "BlankMarks(ResourceDeleted)"},
		{"what went before a registration with another key proves nothing about that", unregistered(), func(s *scenario) {
			deleteInFlight(s, 40*time.Second)
			s.res.Status.EndpointID, s.res.Status.KeyHash = testID, "v1:key"
			s.obs.intent.KeyHash, s.obs.intent.Replaces = "v1:other", testID
			s.obs.view.ListedAt = s.now
			s.obs.live[testID], s.obs.disposed[testID] = nil, true
			s.read()
		}, "WorkspaceChanged=stalled"},
		{"with a refused key it is kept", settled(), func(s *scenario) {
			terminating(false)(s)
			s.obs.keyHash, s.obs.credentials = "v1:key", nil
			s.obs.refused = &medblocks.APIError{StatusCode: 401, Envelope: true}
		}, "InvalidAPIKey=stalled"},
		{"the last working key serves a deletion", settled(), func(s *scenario) {
			s.read()
			s.obs.credentials = &account.CredentialsError{Message: "no key"}
		}, "DeleteEndpoint(ResourceDeleted)"},
		{"under another key a 404 proves nothing", settled(), func(s *scenario) { s.read(); s.gone(); s.obs.keyHash = "v1:new" }, "WorkspaceChanged=stalled"},
		{"a person may let it go", settled(), func(s *scenario) { keyless(s); s.res.Annotations[v1alpha1.AnnotationRelease] = "true" }, rest},
		{"who observes lets it go, with its Secret", settled(), func(s *scenario) {
			s.read()
			s.res.Spec.ManagementPolicy = v1alpha1.ManagementObserve
		}, "RemoveFinalizer"},
		{"a registration in flight is waited for", unregistered(), func(s *scenario) { deleteInFlight(s, time.Second) }, "Pending=working"},
		{"after the flight a newer list is needed", unregistered(), func(s *scenario) { deleteInFlight(s, 40*time.Second) }, "Pending=working"},
		{"what the newer list shows is deleted", unregistered(), func(s *scenario) {
			deleteInFlight(s, 40*time.Second)
			s.obs.view.ListedAt = s.now
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint("wh_02")}
			s.read()
		}, "DeleteEndpoint(ResourceDeleted)"},
		{"a registration with another key may have left one in another workspace", unregistered(), func(s *scenario) {
			deleteInFlight(s, 40*time.Second)
			s.obs.intent.KeyHash = "v1:old"
			s.obs.view.ListedAt = s.now
			s.read()
		}, "WorkspaceChanged=stalled"},
		{"nothing was ever registered", unregistered(), func(s *scenario) {
			s.read()
			s.res.Finalizers = []string{v1alpha1.Finalizer}
		}, "RemoveFinalizer"},
		{"without our finalizer there is nothing to do", unregistered(), nil, ""},
	}, makeDeletionPlan)
}

func refusedOrphan(s *scenario) {
	s.res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan
	s.obs.refused = &medblocks.APIError{StatusCode: 401, Envelope: true}
	s.obs.listError = s.obs.refused
}

func deleteInFlight(s *scenario, age time.Duration) {
	s.res.Finalizers = []string{v1alpha1.Finalizer}
	s.obs.intent = &intent{UID: testUID, Attempt: 1, Nonce: testNonce}
	s.obs.intentSince = s.now.Add(-age)
}
