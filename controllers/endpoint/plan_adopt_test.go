// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// adopting is a new resource that is to take over an endpoint of somebody else's.
func adopting() *scenario {
	s := unregistered()
	s.res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: testID, RotateSecret: true}
	e := s.endpoint(testID)
	e.Metadata, e.APIVersion = map[string]string{"team": "billing"}, "2026-04-25"
	s.obs.view.Endpoint = &e
	s.obs.endpointRivals = []rival{}
	return s
}

// found makes all known that an adoption asks for.
func (s *scenario) found() {
	s.read()
	s.obs.evidence = &evidence{complete: true}
}

const adoption = "AddFinalizer AdoptEndpoint(Adoption) RotateSecret(Adoption) PublishSecret"

func TestPlanOfAnAdoption(t *testing.T) {
	mark := func(s *scenario, owner string) {
		s.obs.view.Endpoint.Metadata = map[string]string{v1alpha1.MarkOwner: owner, v1alpha1.MarkIncarnation: testUID, v1alpha1.MarkSecretGeneration: "HALFWAY"}
		s.obs.view.Owned = nil
		if owner == testOwner {
			s.obs.view.Owned = []medblocks.Endpoint{*s.obs.view.Endpoint}
		}
	}
	runPlanCases(t, []planCase{
		{"nothing is adopted without a complete list", adopting(), func(s *scenario) { s.obs.view.ListedAt = time.Time{} }, "Pending=working"},
		{"the Secret is tried out first", adopting(), nil, "read:secret"},
		{"then the endpoint is read", adopting(), func(s *scenario) { s.obs.secret.live = true }, "read:" + testID},
		{"while the Secret cannot be written, Medblocks is not asked", adopting(), func(s *scenario) {
			s.obs.secret.live, s.obs.secret.unwritable = true, errors.New("quota")
		}, "WaitingForSecret=stalled"},
		{"unless an earlier attempt may have marked it", adopting(), func(s *scenario) {
			s.obs.secret.live, s.obs.secret.unwritable = true, errors.New("quota")
			s.res.Finalizers = []string{v1alpha1.Finalizer}
		}, "read:" + testID},
		{"or it may not be there", adopting(), func(s *scenario) {
			s.obs.secret.live, s.obs.secret.unwritable = true, errors.New("quota")
			s.obs.view.Endpoint = nil
		}, "read:" + testID},
		{"nor while there is nothing to copy", copying(), func(s *scenario) {
			s.obs.secret.live, s.obs.source = true, &sourceView{problem: "no Secret"}
		}, "WaitingForSecret=working"},
		{"a baseline of its events is taken", adopting(), (*scenario).read, "read:events"},
		{"nothing is adopted without a baseline", adopting(), func(s *scenario) {
			s.read()
			s.obs.evidence = &evidence{err: errors.New("x")}
		}, "APIUnavailable=working"},
		{"nothing is adopted before the Secret is known to be writable", adopting(), func(s *scenario) {
			s.found()
			s.obs.secret.live = false
		}, "read:secret"},
		{"nothing is adopted where the Secret cannot be written", adopting(), func(s *scenario) {
			s.found()
			s.obs.secret.unwritable = errors.New("quota")
		}, "WaitingForSecret=stalled"},
		{"nothing is adopted where the Secret is somebody else's", adopting(), func(s *scenario) {
			s.found()
			s.obs.secret.exists = true
		}, "NotOwned=stalled"},
		{"the finalizer comes first, then the marks, then the secret", adopting(), (*scenario).found, adoption},
		{"whoever marked it", adopting(), func(s *scenario) {
			mark(s, "cluster/billing/invoices")
			s.found()
		}, adoption},
		{"an endpoint that is not there is not registered", adopting(), func(s *scenario) {
			s.obs.view.Endpoint, s.obs.live[testID] = nil, nil
		}, "AdoptionTargetNotFound=stalled"},
		{"an endpoint that is listed and not found is waited for", adopting(), func(s *scenario) {
			s.obs.live[testID] = nil
		}, "since:list with " + testID},
		{"another endpoint of ours is not given up for it", adopting(), func(s *scenario) {
			s.found()
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint("wh_02")}
		}, "Conflict=stalled"},
		{"an endpoint that has taken its place is resumed", adopting(), func(s *scenario) {
			s.obs.view.Endpoint, s.obs.live[testID] = nil, nil
			s.obs.view.Owned = []medblocks.Endpoint{s.endpoint("wh_02")}
			s.obs.secret = settled().obs.secret
			s.obs.secret.endpointID = "wh_02"
			s.obs.evidence = &evidence{complete: true}
		}, "AddFinalizer"},
		{"an earlier attempt that may be in flight is waited for", adopting(), func(s *scenario) {
			s.found()
			s.obs.flyingUntil = s.now.Add(time.Second)
		}, "Pending=working"},
		{"an earlier attempt may have been about another endpoint, which a list from after it shows", adopting(), func(s *scenario) {
			s.found()
			s.obs.flyingUntil = s.now.Add(-time.Second)
		}, "Pending=working"},
		{"which has been seen", adopting(), func(s *scenario) {
			s.found()
			s.obs.flyingUntil = s.obs.view.ListedAt
		}, adoption},
		{"after a start, what its owner was about to do is waited for", adopting(), func(s *scenario) {
			mark(s, "cluster/billing/invoices")
			s.found()
			s.obs.begunUntil = s.now.Add(time.Second)
		}, "Pending=working"},
		{"after a start, nobody is about to do anything to an endpoint without a mark", adopting(), func(s *scenario) {
			s.found()
			s.obs.begunUntil = s.now.Add(time.Second)
		}, adoption},
		{"an attempt to register that is under way is waited for", adopting(), func(s *scenario) {
			s.found()
			s.obs.intent = &intent{UID: testUID, Attempt: 1, Nonce: "N"}
			s.obs.intentSince = s.now
		}, "Pending=working"},
		{"an attempt that left nothing behind is no obstacle", adopting(), func(s *scenario) {
			s.found()
			s.obs.intent = &intent{UID: testUID, Attempt: 1, Nonce: "N"}
			s.obs.intentSince = s.now.Add(-time.Hour)
		}, adoption},
		{"another API version cannot be had", adopting(), func(s *scenario) {
			s.found()
			s.res.Spec.MedblocksAPIVersion = "2025-01-01"
		}, "InvalidRequest=stalled"},
		{"the same API version can", adopting(), func(s *scenario) {
			s.found()
			s.res.Spec.MedblocksAPIVersion = "2026-04-25"
		}, adoption},
		{"after a crash behind the marks, the rotation follows", adopting(), func(s *scenario) {
			mark(s, testOwner)
			s.found()
			s.obs.since[sightOfMark("HALFWAY")] = s.now.Add(-time.Hour)
		}, "AddFinalizer MarkRotation(Adoption) RotateSecret(Adoption) PublishSecret"},
		{"after a crash behind the Secret, nothing is left to do", adopting(), func(s *scenario) {
			mark(s, testOwner)
			s.found()
			s.obs.secret = settled().obs.secret
			s.obs.secret.nonce = "HALFWAY"
			s.res.Finalizers = []string{v1alpha1.Finalizer}
			s.res.Spec.Metadata = nil
		}, ""},
		{"once adopted, it is registered again like any other", settled(), func(s *scenario) {
			s.res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: testID, RotateSecret: true}
			s.gone()
			s.obs.secret.live = true
		}, "WriteIntent RegisterEndpoint(EndpointGone) PublishSecret"},
		{"once adopted, it is not taken back", settled(), func(s *scenario) {
			s.res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: testID, RotateSecret: true}
			s.edit(func(e *medblocks.Endpoint) { e.Metadata[v1alpha1.MarkOwner] = "cluster/billing/invoices" })
			s.read()
		}, "OwnershipLost=stalled"},
		{"a refused adoption is not repeated unchanged", adopting(), func(s *scenario) {
			s.found()
			s.res.Finalizers = []string{v1alpha1.Finalizer}
			s.obs.refusals = refusalOf(s, actionAdopt)
		}, "InvalidRequest=stalled"},
	}, makePlan)
}

// TestAnAdoptionThatIsNotAskedForAnyMoreIsWaitedFor: it may mark the endpoint yet, which would then be a duplicate of a new one, and be
// deleted.
func TestAnAdoptionThatIsNotAskedForAnyMoreIsWaitedFor(t *testing.T) {
	withdrawn := func() *scenario {
		s := adopting()
		s.res.Finalizers = []string{v1alpha1.Finalizer}
		s.res.Spec.Adopt = nil
		s.obs.secret.live = true
		return s
	}
	runPlanCases(t, []planCase{
		{"while it may be in flight", withdrawn(), func(s *scenario) { s.obs.flyingUntil = s.now.Add(time.Second) }, "Pending=working"},
		{"and then for a list from after that", withdrawn(), func(s *scenario) { s.obs.flyingUntil = s.now.Add(-time.Second) }, "Pending=working"},
		{"which shows nothing", withdrawn(), func(s *scenario) { s.obs.flyingUntil = s.obs.view.ListedAt }, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
		{"a resource that never began waits for nothing", withdrawn(), func(s *scenario) {
			s.res.Finalizers = nil
			s.obs.flyingUntil = s.now.Add(time.Second)
		}, "WriteIntent RegisterEndpoint(Spec) PublishSecret"},
	}, makePlan)
}

func TestAnAdoptionSendsTheMarksAndWhatDiffersAndNothingElse(t *testing.T) {
	g := NewWithT(t)
	s := adopting()
	s.obs.view.Endpoint.Description = "old"
	s.found()
	for _, step := range makePlan(s.res, s.obs, s.now).Steps {
		if step.Action != actionAdopt {
			continue
		}
		g.Expect(step.Update.Metadata).To(Equal(desiredOf(s.res, testOwner).withNonce(s.obs.nonce)))
		g.Expect(*step.Update.Description).To(BeEmpty())
		g.Expect(step.Update.URL).To(BeNil())
		g.Expect(step.Update.Events).To(BeNil())
		g.Expect(step.Update.Status).To(BeNil())
		return
	}
	t.Fatal("nothing is adopted")
}

func TestPlanOfADeletionBeforeAndAfterAnAdoption(t *testing.T) {
	deleted := func(owner string) *scenario {
		s := adopting()
		s.res.Finalizers = []string{v1alpha1.Finalizer}
		if owner != "" {
			s.obs.view.Endpoint.Metadata = map[string]string{v1alpha1.MarkOwner: owner, v1alpha1.MarkIncarnation: testUID}
		}
		return s
	}
	runPlanCases(t, []planCase{
		{"the endpoint is read: the answer to an adoption may have been lost", deleted(""), nil, "read:" + testID},
		{"an endpoint without our mark is left alone", deleted(""), (*scenario).read, "RemoveFinalizer"},
		{"an adoption that may be in flight is waited for", deleted(""), func(s *scenario) {
			s.read()
			s.obs.flyingUntil = s.now.Add(time.Second)
		}, "Pending=working"},
		{"and then for a list from after that: it may have been about another endpoint", deleted(""), func(s *scenario) {
			s.read()
			s.obs.flyingUntil = s.now.Add(-time.Second)
		}, "Pending=working"},
		{"an adoption that is not asked for any more may be in flight", deleted(""), func(s *scenario) {
			s.res.Spec.Adopt = nil
			s.obs.flyingUntil = s.now.Add(time.Second)
		}, "Pending=working"},
		{"an endpoint with another mark is left alone", deleted("cluster/billing/invoices"), (*scenario).read, "RemoveFinalizer"},
		{"an endpoint with our mark is deleted", deleted(testOwner), (*scenario).read, "DeleteEndpoint(ResourceDeleted)"},
		{"an endpoint that is not there needs nothing", deleted(""), func(s *scenario) {
			s.obs.view.Endpoint, s.obs.live[testID] = nil, nil
			s.obs.secret.live = true
		}, "RemoveFinalizer"},
	}, makeDeletionPlan)
}

func TestPlanOfAnAdoptionThroughASharedAccount(t *testing.T) {
	shared := func(owner string, more ...func(*scenario)) func(*scenario) {
		return func(s *scenario) {
			s.obs.guardrails = &guardrails{account: "shared"}
			if owner != "" {
				s.obs.view.Endpoint.Metadata[v1alpha1.MarkOwner] = owner
			}
			for _, change := range more {
				change(s)
			}
		}
	}
	observing := func(s *scenario) { s.res.Spec.ManagementPolicy = v1alpha1.ManagementObserve }
	runPlanCases(t, []planCase{
		{"an endpoint without a mark may be adopted", adopting(), shared(""), "read:secret"},
		{"one of another name in the namespace too", adopting(), shared("cluster/" + adopting().res.Namespace + "/former"), "read:secret"},
		{"one of the namespace in another cluster too", adopting(), shared("another/" + adopting().res.Namespace + "/hooks"), "read:secret"},
		{"one of another namespace may not", adopting(), shared("cluster/other/hooks"), "NotAllowed=stalled"},
		{"nor one whose namespace begins alike", adopting(), shared("cluster/" + adopting().res.Namespace + "-2/hooks"), "NotAllowed=stalled"},
		{"nor one with a mark that is none", adopting(), shared("nobody"), "NotAllowed=stalled"},
		{"nor once it is read", adopting(), shared("cluster/other/hooks", (*scenario).found), "NotAllowed=stalled"},
		{"nor be looked at", adopting(), shared("cluster/other/hooks", observing), "NotAllowed=stalled"},
		{"with an API key of one's own it may", adopting(), func(s *scenario) { s.obs.view.Endpoint.Metadata[v1alpha1.MarkOwner] = "cluster/other/hooks" }, "read:secret"},
	}, makePlan)
}
