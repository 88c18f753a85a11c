// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// resource is a resource with the smallest valid spec, tweaked.
func resource(tweak func(*MedblocksWebhookEndpointSpec)) *MedblocksWebhookEndpoint {
	e := &MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "hook"},
		Spec: MedblocksWebhookEndpointSpec{
			URL:             "https://api.example.com/medblocks/webhook",
			Events:          []EventType{EventAll},
			APIKeySecretRef: APIKeySecretReference{Name: "medblocks-api-key"},
		},
	}
	if tweak != nil {
		tweak(&e.Spec)
	}
	return e
}

func hours(n int) *metav1.Duration { return &metav1.Duration{Duration: time.Duration(n) * time.Hour} }

func TestASmallestSpecHasTheDocumentedDefaults(t *testing.T) {
	g := NewWithT(t)
	e := resource(nil)
	g.Expect(e.WantsDisabled()).To(BeFalse())
	g.Expect(e.OrphansEndpoint()).To(BeFalse())
	g.Expect(e.SigningSecretName()).To(Equal("hook-signing-secret"))
	g.Expect(e.RotationInterval()).To(BeZero(), "no rotation")
	g.Expect(e.Spec.APIKeySecretRef.KeyOrDefault()).To(Equal("MEDBLOCKS_API_KEY"))
	expectPolicyDefaults(t, e.Spec.ReenablePolicy)
}

func TestAnEmptyPolicyHasTheDefaultsOfANilPolicy(t *testing.T) {
	expectPolicyDefaults(t, &ReenablePolicy{})
	expectPolicyDefaults(t, &ReenablePolicy{Backoff: &ReenableBackoff{}})
}

func expectPolicyDefaults(t *testing.T, policy *ReenablePolicy) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(policy.ModeOrDefault()).To(Equal(ReenableNever))
	g.Expect(policy.MaxAttemptsOrDefault()).To(Equal(5))
	g.Expect(policy.WindowOrDefault()).To(Equal(168 * time.Hour))
	initial, longest := policy.BackoffOrDefault()
	g.Expect(initial).To(Equal(time.Minute))
	g.Expect(longest).To(Equal(6 * time.Hour))
}

func TestTheStateIsDisabledOnlyWhenTheSpecSaysSo(t *testing.T) {
	g := NewWithT(t)
	for state, disabled := range map[EndpointState]bool{"": false, "Active": false, "Disabled": true} {
		e := resource(func(s *MedblocksWebhookEndpointSpec) { s.State = state })
		g.Expect(e.WantsDisabled()).To(Equal(disabled), "state %q", state)
	}
}

func TestTheEndpointIsOrphanedOnlyWhenTheSpecSaysSo(t *testing.T) {
	g := NewWithT(t)
	for policy, orphaned := range map[DeletionPolicy]bool{"": false, DeletionDelete: false, DeletionOrphan: true} {
		e := resource(func(s *MedblocksWebhookEndpointSpec) { s.DeletionPolicy = policy })
		g.Expect(e.OrphansEndpoint()).To(Equal(orphaned), "deletionPolicy %q", policy)
	}
}

func TestTheSigningSecretHasTheNameOfTheSpecOrTheDerivedOne(t *testing.T) {
	g := NewWithT(t)
	for _, c := range []struct {
		secret *SigningSecretSpec
		want   string
	}{
		{nil, "hook-signing-secret"},
		{&SigningSecretSpec{}, "hook-signing-secret"},
		{&SigningSecretSpec{Labels: map[string]LabelValue{"a": "b"}}, "hook-signing-secret"},
		{&SigningSecretSpec{Name: "mine"}, "mine"},
	} {
		e := resource(func(s *MedblocksWebhookEndpointSpec) { s.SigningSecret = c.secret })
		g.Expect(e.SigningSecretName()).To(Equal(c.want), "signingSecret %+v", c.secret)
	}
}

func TestRotationIsOffUnlessAnIntervalIsSet(t *testing.T) {
	g := NewWithT(t)
	for _, c := range []struct {
		secret *SigningSecretSpec
		want   time.Duration
	}{
		{nil, 0},
		{&SigningSecretSpec{}, 0},
		{&SigningSecretSpec{Rotation: &SecretRotation{Interval: *hours(720)}}, 720 * time.Hour},
	} {
		e := resource(func(s *MedblocksWebhookEndpointSpec) { s.SigningSecret = c.secret })
		g.Expect(e.RotationInterval()).To(Equal(c.want), "signingSecret %+v", c.secret)
	}
}

func TestTheKeyOfTheAPIKeySecretCanBeNamed(t *testing.T) {
	NewWithT(t).Expect(APIKeySecretReference{Name: "n", Key: "token"}.KeyOrDefault()).To(Equal("token"))
}

func TestWhatAPolicySetsIsKeptAndTheRestIsDefaulted(t *testing.T) {
	for name, c := range map[string]struct {
		policy           ReenablePolicy
		mode             ReenableMode
		attempts         int
		window           time.Duration
		initial, longest time.Duration
	}{
		"everything set": {
			ReenablePolicy{Mode: ReenableAlways, MaxAttempts: ptr.To[int32](20), Window: hours(24), Backoff: &ReenableBackoff{Initial: hours(1), Max: hours(2)}},
			ReenableAlways, 20, 24 * time.Hour, time.Hour, 2 * time.Hour,
		},
		"the mode":        {ReenablePolicy{Mode: ReenableWhenHealthy}, ReenableWhenHealthy, 5, 168 * time.Hour, time.Minute, 6 * time.Hour},
		"one attempt":     {ReenablePolicy{MaxAttempts: ptr.To[int32](1)}, ReenableNever, 1, 168 * time.Hour, time.Minute, 6 * time.Hour},
		"the window":      {ReenablePolicy{Window: hours(1)}, ReenableNever, 5, time.Hour, time.Minute, 6 * time.Hour},
		"the first delay": {ReenablePolicy{Backoff: &ReenableBackoff{Initial: hours(3)}}, ReenableNever, 5, 168 * time.Hour, 3 * time.Hour, 6 * time.Hour},
		"the last delay":  {ReenablePolicy{Backoff: &ReenableBackoff{Max: hours(3)}}, ReenableNever, 5, 168 * time.Hour, time.Minute, 3 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(c.policy.ModeOrDefault()).To(Equal(c.mode))
			g.Expect(c.policy.MaxAttemptsOrDefault()).To(Equal(c.attempts))
			g.Expect(c.policy.WindowOrDefault()).To(Equal(c.window))
			initial, longest := c.policy.BackoffOrDefault()
			g.Expect(initial).To(Equal(c.initial))
			g.Expect(longest).To(Equal(c.longest))
		})
	}
}
