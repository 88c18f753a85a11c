// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

const (
	testCopy   = copyPrefix + "IN-FORCE"
	testSource = "theirs/secret"
	sourceWait = 5 * time.Minute
)

// copying is a new resource that is to take over an endpoint with the signing secret in a Secret of the user's.
func copying() *scenario {
	s := adopting()
	s.res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: testID, ExistingSecretRef: &v1alpha1.SecretKeyReference{Name: "theirs", Key: "secret"}}
	return s
}

// copied is an adopted endpoint whose signing secret is a copy.
func copied() *scenario {
	s := settled()
	s.res.Spec.Adopt = copying().res.Spec.Adopt
	s.mark(testCopy)
	s.obs.secret.nonce, s.obs.secret.copiedFrom = testCopy, testSource
	s.obs.sourceDue = s.now.Add(sourceWait)
	return s
}

// mark changes the mark that tells which secret is in force.
func (s *scenario) mark(nonce string) {
	s.edit(func(e *medblocks.Endpoint) { e.Metadata[v1alpha1.MarkSecretGeneration] = nonce })
}

// reads makes known what the user's Secret holds, as well as all else.
func (s *scenario) reads(value string) {
	s.read()
	s.obs.evidence = &evidence{complete: true}
	s.obs.source = &sourceView{value: medblocks.Secret(value), readAt: s.now}
}

// lacks makes known that the user's Secret does not hold a signing secret.
func (s *scenario) lacks() {
	s.reads("")
	s.obs.source.problem = "nothing is there"
}

const adoptionWithCopy = "AddFinalizer CopySecret(Adoption) AdoptEndpoint(Adoption)"

func TestPlanOfAnAdoptionWithACopy(t *testing.T) {
	stored := func(s *scenario) {
		s.obs.secret = copied().obs.secret
		s.reads("whsec_x")
	}
	runPlanCases(t, []planCase{
		{"the user's Secret is read, after ours", copying(), (*scenario).found, "read:secret read:source"},
		{"a copy is stored before the endpoint is marked, and nothing is rotated", copying(), func(s *scenario) { s.reads("whsec_x") }, adoptionWithCopy},
		{"what was read before our Secret is read again", copying(), func(s *scenario) {
			s.reads("whsec_x")
			s.obs.secret.live = false
		}, "read:secret read:source"},
		{"nothing is done without it", copying(), (*scenario).lacks, "WaitingForSecret=working"},
		{"nor after a while, but people are told", copying(), func(s *scenario) {
			s.lacks()
			s.res.Status.Conditions = []metav1.Condition{{
				Type: v1alpha1.ConditionSigningSecretReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonWaitingForSecret,
				LastTransitionTime: metav1.NewTime(s.now.Add(-credentialsGrace)),
			}}
		}, "WaitingForSecret=stalled"},
		{"nothing is done where our Secret cannot be written", copying(), func(s *scenario) {
			s.reads("whsec_x")
			s.obs.secret.unwritable = errors.New("quota")
		}, "WaitingForSecret=stalled"},
		{"a copy that was stored before a crash is not stored again", copying(), stored, "AddFinalizer AdoptEndpoint(Adoption)"},
		{"one that is outdated by now is", copying(), func(s *scenario) {
			stored(s)
			s.obs.source.value = "whsec_y"
		}, adoptionWithCopy},
		{"a secret that was not copied is replaced", copying(), func(s *scenario) {
			stored(s)
			s.obs.secret.nonce, s.obs.secret.copiedFrom = testNonce, ""
		}, adoptionWithCopy},
		{"a refused adoption stores no copy", copying(), func(s *scenario) {
			s.reads("whsec_x")
			s.res.Finalizers = []string{v1alpha1.Finalizer}
			s.obs.refusals = refusalOf(s, actionAdopt)
		}, "InvalidRequest=stalled"},
		{"nothing is stored while the account is paused", copying(), func(s *scenario) {
			s.reads("whsec_x")
			s.res.Finalizers = []string{v1alpha1.Finalizer}
			s.obs.turn = account.Turn{At: s.now.Add(time.Minute), Asked: true}
		}, "RateLimited=working"},
		{"the signing Secret is not copied to itself", copying(), func(s *scenario) {
			s.res.Spec.Adopt.ExistingSecretRef.Name = s.res.SigningSecretName()
		}, "InvalidRequest=stalled"},
	}, makePlan)
}

func TestACopyKeepsTheNonceThatItWasStoredWith(t *testing.T) {
	for name, tc := range map[string]struct {
		given *scenario
		nonce string
	}{
		"a new one":                 {copying(), copyPrefix + "FRESH"},
		"one stored before a crash": {func() *scenario { s := copying(); s.obs.secret = copied().obs.secret; return s }(), testCopy},
		"one that the user has changed": {func() *scenario {
			s := copying()
			s.obs.secret = copied().obs.secret
			s.obs.secret.value = nil
			return s
		}(), copyPrefix + "FRESH"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			tc.given.reads("whsec_x")
			steps := makePlan(tc.given.res, tc.given.obs, tc.given.now).Steps
			last := steps[len(steps)-1]
			g.Expect(last.Action).To(Equal(actionAdopt))
			g.Expect(last.Update.Metadata).To(HaveKeyWithValue(v1alpha1.MarkSecretGeneration, tc.nonce))
			for _, s := range steps[1:] {
				g.Expect(s.Nonce).To(Equal(tc.nonce))
			}
		})
	}
}

func TestPlanOfACopiedSecret(t *testing.T) {
	lost := func(s *scenario) { s.obs.secret = secretView{name: s.obs.secret.name} }
	due := func(s *scenario) { s.obs.sourceDue = s.now }
	runPlanCases(t, []planCase{
		{"nothing is read before it is due", copied(), nil, ""},
		{"the user's Secret is read when it is due", copied(), due, "read:source"},
		{"the same value asks for nothing", copied(), func(s *scenario) { s.reads("whsec_x") }, ""},
		{"another value is copied on without a write to Medblocks", copied(), func(s *scenario) { s.reads("whsec_y") }, "CopySecret(ExistingSecretChanged)"},
		{"after a live read", copied(), func(s *scenario) {
			s.reads("whsec_y")
			s.obs.secret.live = false
		}, "read:secret read:source"},
		{"a Secret of the user's that is gone is no trouble", copied(), (*scenario).lacks, ""},
		{"a lost copy is copied again without a write to Medblocks", copied(), func(s *scenario) {
			lost(s)
			s.reads("whsec_x")
		}, "CopySecret(SecretLost)"},
		{"a copy that was tampered with too", copied(), func(s *scenario) {
			s.obs.secret.intact = false
			s.reads("whsec_x")
		}, "CopySecret(SecretLost)"},
		{"a lost copy is waited for where the user's Secret is gone too", copied(), func(s *scenario) {
			lost(s)
			s.lacks()
		}, "WaitingForSecret=working"},
		{"unless a person asks for a rotation", copied(), func(s *scenario) {
			lost(s)
			s.lacks()
			s.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt] = "1"
		}, "MarkRotation(RotateRequested) RotateSecret(RotateRequested) PublishSecret"},
		{"whoever keeps changing the Secret is not fought", copied(), func(s *scenario) {
			lost(s)
			s.reads("whsec_x")
			s.obs.copies = dressings{what: testID, at: []time.Time{s.now, s.now, s.now}}
		}, "Contested=stalled"},
		{"a rotation ends the copying", copied(), func(s *scenario) {
			s.mark(testNonce)
			s.obs.secret.nonce = testNonce
			due(s)
		}, ""},
		{"a lost secret that was rotated is not copied", copied(), func(s *scenario) {
			s.mark(testNonce)
			lost(s)
			s.reads("whsec_x")
		}, "MarkRotation(SecretLost) RotateSecret(SecretLost) PublishSecret"},
		{"without spec.adopt nothing is copied", copied(), func(s *scenario) {
			s.res.Spec.Adopt = nil
			due(s)
		}, ""},
	}, makePlan)
}

func TestACopyThatCannotBeFollowedIsToldUntilItCan(t *testing.T) {
	g := NewWithT(t)
	s := copied()
	s.reads("whsec_y")
	s.obs.secret.unwritable = errors.New("immutable")
	p := makePlan(s.res, s.obs, s.now)
	g.Expect(describe(p)).To(Equal("WaitingForSecret=stalled"))
	g.Expect(p.Unfollowed).To(BeTrue(), "the user's Secret is read again with the next try, or the trouble would be forgotten")
}

func TestACopiedSecretIsComparedOncePerPollInterval(t *testing.T) {
	g := NewWithT(t)
	s := copied()
	g.Expect(makePlan(s.res, s.obs, s.now).Wake).To(Equal(s.now.Add(sourceWait)))
	s.reads("whsec_x")
	g.Expect(makePlan(s.res, s.obs, s.now).Wake).To(Equal(s.now.Add(sourceWait)))
}

func TestWhatIsNoSigningSecretIsNotCopiedAndNotShown(t *testing.T) {
	ref := &v1alpha1.SecretKeyReference{Name: "theirs", Key: "secret"}
	for name, tc := range map[string]struct{ value, problem string }{
		"a signing secret":             {"whsec_Ab9-_+/=.", ""},
		"one with a new line":          {"whsec_Ab9\n", ""},
		"an API key":                   {"mb_sk_live_abc", "is not a signing secret"},
		"nothing":                      {"", "is not a signing secret"},
		"no more than white space":     {"  \n", "is not a signing secret"},
		"two signing secrets":          {"whsec_a whsec_b", "is not a signing secret"},
		"one with a quote on each end": {`"whsec_a"`, "is not a signing secret"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			view := viewOfSource(&corev1.Secret{Data: map[string][]byte{"secret": []byte(tc.value)}}, true, ref)
			g.Expect(view.problem).To(ContainSubstring(tc.problem))
			g.Expect(view.problem == "").To(Equal(tc.problem == ""))
			g.Expect(view.value.Reveal() == "").To(Equal(tc.problem != ""))
			if tc.value != "" {
				g.Expect(view.problem).NotTo(ContainSubstring(tc.value))
			}
		})
	}
	g := NewWithT(t)
	g.Expect(viewOfSource(&corev1.Secret{}, false, ref).problem).To(ContainSubstring(`Secret "theirs"`))
	g.Expect(viewOfSource(&corev1.Secret{}, true, ref).problem).To(ContainSubstring(`no key "secret"`))
}
