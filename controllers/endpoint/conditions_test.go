// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// conclusionOf runs plan and conclude, as a reconcile does in which nothing is left to do or a call failed.
func conclusionOf(s *scenario, failed error) *v1alpha1.MedblocksWebhookEndpointStatus {
	var failure *hold
	if failed != nil {
		_, failure = classify(failed, s.now)
	}
	return conclude(s.res, s.obs, makePlan(s.res, s.obs, s.now), failure, s.now)
}

// ready is a resource whose status says that all is well.
func ready(change ...func(*scenario)) *scenario {
	s := settled()
	s.res.Status = *conclusionOf(s, nil)
	for _, c := range change {
		c(s)
	}
	return s
}

// summary prints Ready, its reason and who has to move.
func summary(s *v1alpha1.MedblocksWebhookEndpointStatus) string {
	c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	words := []string{string(c.Status), c.Reason}
	for _, t := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if meta.IsStatusConditionTrue(s.Conditions, t) {
			words = append(words, t)
		}
	}
	return strings.Join(words, " ")
}

// kstatusOf is what GitOps tools make of it.
func kstatusOf(g *WithT, s *scenario, st *v1alpha1.MedblocksWebhookEndpointStatus) status.Status {
	res := s.res.DeepCopy()
	res.Status = *st
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(res)
	g.Expect(err).NotTo(HaveOccurred())
	u := unstructured.Unstructured{Object: content}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.Kind))
	result, err := status.Compute(&u)
	g.Expect(err).NotTo(HaveOccurred())
	return result.Status
}

func TestConditionsForEverySituation(t *testing.T) {
	offline := &medblocks.TransportError{Err: errors.New("dial tcp: connection refused")}
	vendor := func(code int) error { return &medblocks.APIError{StatusCode: code, Envelope: true, Message: "no"} }
	becomesDisabled := func(change ...func(*scenario)) func(*scenario) {
		return func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.Status = medblocks.EndpointStatusDisabled })
			s.obs.evidence = &evidence{complete: true}
			s.read()
			for _, c := range change {
				c(s)
			}
		}
	}
	changed := func(s *scenario) { s.read(); s.res.Generation, s.res.Spec.Description = 2, "new" }
	for _, tc := range []struct {
		name  string
		given *scenario
		fail  error
		then  string
		kstat status.Status
	}{
		{"all is well", ready(), nil, "True Registered", status.CurrentStatus},
		{"disabled by the spec", ready(becomesDisabled(func(s *scenario) { s.res.Spec.State = v1alpha1.StateDisabled })), nil, "True Registered", status.CurrentStatus},
		{"auto-disabled, the policy is at work", ready(becomesDisabled(exhausted("evt_1"), always(5))), nil, "False AutoDisabled Reconciling", status.InProgressStatus},
		{"auto-disabled, and the policy is Never", ready(becomesDisabled(exhausted("evt_1"))), nil, "False AutoDisabled Stalled", status.FailedStatus},
		{"auto-disabled, and the budget is used up", ready(becomesDisabled(exhausted("evt_1"), always(1, time.Hour))), nil, "False AutoDisabled Stalled", status.FailedStatus},
		{"disabled by a person", ready(becomesDisabled(always(5))), nil, "False DisabledManually Stalled", status.FailedStatus},
		{"rate limited when registered", ready(changed), vendor(429), "True Registered Reconciling", status.InProgressStatus},
		{"a vendor fault when registered", ready(changed), vendor(500), "True Registered Reconciling", status.InProgressStatus},
		{"a network fault when registered", ready(changed), offline, "True Registered Reconciling", status.InProgressStatus},
		{"a state that could not be asked for yet", ready(func(s *scenario) { s.read(); s.res.Generation, s.res.Spec.State = 2, v1alpha1.StateDisabled }), vendor(503), "True Registered Reconciling", status.InProgressStatus},
		{"a disable that could not be judged yet", ready(becomesDisabled(func(s *scenario) { s.obs.evidence = nil })), vendor(429), "False Unknown Reconciling", status.InProgressStatus},
		{"a network fault when not registered", unregistered(), offline, "False APIUnavailable Reconciling", status.InProgressStatus},
		{"a list that is awaited", unregisteredUnlisted(), nil, "False Pending Reconciling", status.InProgressStatus},
		{"the key is missing", ready(func(s *scenario) { s.obs.credentials = &account.CredentialsError{Message: "no key"} }), nil, "False CredentialsUnavailable Reconciling", status.InProgressStatus},
		{"401", ready(func(s *scenario) { s.obs.refused = vendor(401) }), nil, "False InvalidAPIKey Stalled", status.FailedStatus},
		{"403", ready(changed), vendor(403), "False Forbidden Stalled", status.FailedStatus},
		{"400", ready(changed), vendor(400), "False InvalidRequest Stalled", status.FailedStatus},
		{"409", ready(changed), vendor(409), "False Conflict Stalled", status.FailedStatus},
		{"the endpoint limit", unregistered(), &medblocks.APIError{StatusCode: 403, Envelope: true, Code: "endpoint_limit_exceeded"}, "False QuotaExceeded Stalled", status.FailedStatus},
		{"another owner", ready(func(s *scenario) {
			s.edit(func(e *medblocks.Endpoint) { e.Metadata[v1alpha1.MarkOwner] = "other/shop/orders" })
		}), nil, "False OwnershipLost Stalled", status.FailedStatus},
		{"another workspace", ready(func(s *scenario) { s.gone(); s.obs.keyHash = "v1:new" }), nil, "False WorkspaceChanged Stalled", status.FailedStatus},
		{"somebody else's Secret", ready(func(s *scenario) { s.obs.secret.owned = false }), nil, "False NotOwned Stalled", status.FailedStatus},
		{"somebody else's Secret before it was registered", changedScenario(unregistered(), func(s *scenario) { s.obs.secret.exists = true }), nil, "False NotOwned Stalled", status.FailedStatus},
		{"suspended when registered", ready(suspended), nil, "True Registered", status.CurrentStatus},
		{"suspended before it was registered", suspendedUnregistered(), nil, "False Suspended", status.InProgressStatus},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := NewWithT(t)
			st := conclusionOf(tc.given, tc.fail)
			g.Expect(summary(st)).To(Equal(tc.then))
			g.Expect(kstatusOf(g, tc.given, st)).To(Equal(tc.kstat))
			g.Expect(st.ObservedGeneration).To(Equal(tc.given.res.Generation))
			for _, c := range st.Conditions {
				g.Expect(c.Message).NotTo(BeEmpty(), "%s", c.Type)
				g.Expect(c.Reason).NotTo(BeEmpty(), "%s", c.Type)
			}
			tc.given.res.Status = *st
			tc.given.now = tc.given.now.Add(time.Second)
			g.Expect(cmp.Diff(st, conclusionOf(tc.given, tc.fail))).To(BeEmpty(), "a second look a second later changes nothing")
		})
	}
}

func TestWhatIsKnownOfADisableIsKeptWhileTheListContradictsA404(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	s.res.Status.Disabled = &v1alpha1.DisabledStatus{Cause: v1alpha1.ReasonDisabledBySpec}
	s.obs.live[testID] = nil
	s.obs.since["list with "+testID] = s.now
	g.Expect(conclusionOf(s, nil).Disabled).To(Equal(s.res.Status.Disabled), "or nobody would dare to enable it again")
	s.gone()
	g.Expect(conclusionOf(s, nil).Disabled).To(BeNil())
}

func changedScenario(s *scenario, change func(*scenario)) *scenario {
	change(s)
	return s
}

func unregisteredUnlisted() *scenario {
	s := unregistered()
	s.obs.view.ListedAt = time.Time{}
	return s
}

func suspended(s *scenario) { s.res.Generation, s.res.Spec.Suspend = 2, true }

func suspendedUnregistered() *scenario {
	s := unregistered()
	suspended(s)
	return s
}

func TestSuspensionIsObservedAndKeepsReady(t *testing.T) {
	g := NewWithT(t)
	s := ready(suspended)
	st := conclusionOf(s, nil)
	synced := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionSynced)
	g.Expect(synced.Status).To(Equal(metav1.ConditionUnknown))
	g.Expect(synced.Reason).To(Equal(v1alpha1.ReasonSuspended))
	g.Expect(meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionReady).ObservedGeneration).To(BeEquivalentTo(2))
}

func TestReadyKeepsTheGenerationThatItIsAboutWhenACallFails(t *testing.T) {
	g := NewWithT(t)
	s := ready(func(s *scenario) { s.read(); s.res.Generation, s.res.Spec.Description = 2, "new" })
	st := conclusionOf(s, &medblocks.TransportError{Err: errors.New("x")})
	g.Expect(meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionReady).ObservedGeneration).To(BeEquivalentTo(1),
		"kubectl wait must not take the old spec's Ready for the new one's")
	g.Expect(st.AppliedHash).To(Equal(s.obs.appliedHash), "what was not applied is not recorded as applied")
}

func TestTokensThatAResourceIsBornWithAskForNothing(t *testing.T) {
	g := NewWithT(t)
	s := unregistered()
	for _, key := range requests {
		s.res.Annotations[key] = "1"
	}
	s.res.Annotations[v1alpha1.AnnotationFluxReconcileRequestedAt] = "flux"
	e := s.endpoint(testID)
	s.obs.view.Endpoint, s.obs.registered = &e, testID
	s.obs.secret = settled().obs.secret
	st := conclusionOf(s, nil)
	g.Expect(st.EndpointID).To(Equal(testID))
	g.Expect(st.LastHandledReconcileAt).To(Equal("flux"))
	g.Expect([]string{st.LastHandledReconcileRequestedAt, st.LastHandledRotateSecretAt, st.LastHandledReenableAt, st.LastHandledReregisterAt}).
		To(HaveEach("1"))
}

func TestARenamedSecretsOldNameIsKeptUntilThatSecretIsGone(t *testing.T) {
	g := NewWithT(t)
	s := ready(func(s *scenario) {
		moved := s.obs.secret
		moved.name, moved.live = "old", true
		s.obs.former = []*secretView{&moved}
		s.res.Status.SigningSecret.Name = "old"
	})
	// Another step failed before the old Secret was deleted.
	st := conclusionOf(s, &medblocks.TransportError{Err: errors.New("x")})
	g.Expect(st.SigningSecret.Name).To(Equal("old"), "nothing else remembers it")
	s.obs.former[0].exists = false
	g.Expect(conclusionOf(s, nil).SigningSecret.Name).To(Equal(s.obs.secret.name))
}

func TestAnEndpointIsNotOursBeforeItIsTakenOverFromAnEarlierIncarnation(t *testing.T) {
	g := NewWithT(t)
	s := unregistered()
	e := s.endpoint(testID)
	e.Metadata[v1alpha1.MarkIncarnation] = "uid-0"
	s.obs.view.Owned = []medblocks.Endpoint{e}
	s.obs.evidence = &evidence{complete: true}
	s.read()
	// The change that takes it over failed: named in the status, it would be somebody else's at the next look.
	st := conclusionOf(s, &medblocks.TransportError{Err: errors.New("x")})
	g.Expect(st.EndpointID).To(BeEmpty())
	e.Metadata[v1alpha1.MarkIncarnation] = testUID
	g.Expect(conclusionOf(s, nil).EndpointID).To(Equal(testID))
}

func TestOneTroubleIsAnnouncedOnce(t *testing.T) {
	g := NewWithT(t)
	s := ready(func(s *scenario) { s.obs.secret.owned = false })
	before := s.res.Status.Conditions
	after := conclusionOf(s, nil).Conditions
	w := &work{mem: &memory{}}
	w.announceTrouble(before, after)
	g.Expect(w.mem.events).To(HaveLen(1))
	g.Expect(w.mem.events[0].reason).To(Equal(v1alpha1.ReasonNotOwned))
	w = &work{mem: &memory{}}
	w.announceTrouble(after, after)
	g.Expect(w.mem.events).To(BeEmpty())
}

func TestLongMessagesAreCutBetweenCharacters(t *testing.T) {
	g := NewWithT(t)
	cut := truncate("x"+strings.Repeat("é", 2000), 2000)
	g.Expect(len(cut)).To(BeNumerically("<=", 2003))
	g.Expect(cut).To(HaveSuffix("é…"))
}

func TestTheStatusOfARestoredResourceNamesNoEndpointWhileADuplicateIsLeft(t *testing.T) {
	g := NewWithT(t)
	s := settled()
	s.res.Status = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}
	s.read()
	twice := s.endpoint("wh_TWICE")
	twice.Metadata[v1alpha1.MarkIncarnation] = "before"
	s.obs.view.Owned = append(s.obs.view.Owned, twice)
	about := plan{EndpointID: testID}
	g.Expect(conclude(s.res, s.obs, about, nil, s.now).EndpointID).To(BeEmpty(), "its mark would be another resource's then")
	s.obs.live["wh_TWICE"] = nil // it is deleted
	g.Expect(conclude(s.res, s.obs, about, nil, s.now).EndpointID).To(Equal(testID))
}
