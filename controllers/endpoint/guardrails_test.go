// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

func TestEachGuardrailRefusesWhatIsOutsideAndNamesItself(t *testing.T) {
	t.Parallel()
	selector := &v1alpha1.NamespaceSelector{
		MatchLabels:      map[string]v1alpha1.LabelValue{"tenant": "yes"},
		MatchExpressions: []v1alpha1.NamespaceSelectorRequirement{{Key: "tier", Operator: "NotIn", Values: []v1alpha1.LabelValue{"test", "dev"}}},
	}
	for name, test := range map[string]struct {
		is   guardrails
		rule string // empty: allowed
	}{
		"nothing is restricted":             {guardrails{rank: 1000}, ""},
		"an empty selector":                 {guardrails{spec: v1alpha1.MedblocksAccountSpec{NamespaceSelector: &v1alpha1.NamespaceSelector{}}}, ""},
		"a selected namespace":              {guardrails{spec: v1alpha1.MedblocksAccountSpec{NamespaceSelector: selector}, labels: map[string]string{"tenant": "yes", "more": ""}}, ""},
		"a namespace without labels":        {guardrails{spec: v1alpha1.MedblocksAccountSpec{NamespaceSelector: selector}}, "spec.namespaceSelector"},
		"another value":                     {guardrails{spec: v1alpha1.MedblocksAccountSpec{NamespaceSelector: selector}, labels: map[string]string{"tenant": "no"}}, "spec.namespaceSelector"},
		"half of the selector":              {guardrails{spec: v1alpha1.MedblocksAccountSpec{NamespaceSelector: selector}, labels: map[string]string{"tenant": "yes", "tier": "dev"}}, "spec.namespaceSelector"},
		"a selector that is not valid":      {guardrails{spec: v1alpha1.MedblocksAccountSpec{NamespaceSelector: &v1alpha1.NamespaceSelector{MatchExpressions: []v1alpha1.NamespaceSelectorRequirement{{Key: "a", Operator: "Gt"}}}}}, "spec.namespaceSelector"},
		"an allowed host":                   {guardrails{spec: v1alpha1.MedblocksAccountSpec{AllowedURLHosts: []v1alpha1.URLHost{"a.example.com", "receiver.example.com"}}}, ""},
		"another host":                      {guardrails{spec: v1alpha1.MedblocksAccountSpec{AllowedURLHosts: []v1alpha1.URLHost{"a.example.com"}}}, "spec.allowedURLHosts"},
		"the first of one":                  {guardrails{spec: v1alpha1.MedblocksAccountSpec{MaxEndpointsPerNamespace: ptr.To[int32](1)}}, ""},
		"the second of one":                 {guardrails{spec: v1alpha1.MedblocksAccountSpec{MaxEndpointsPerNamespace: ptr.To[int32](1)}, rank: 1}, "spec.maxEndpointsPerNamespace"},
		"the third of three":                {guardrails{spec: v1alpha1.MedblocksAccountSpec{MaxEndpointsPerNamespace: ptr.To[int32](3)}, rank: 2}, ""},
		"the fourth of three":               {guardrails{spec: v1alpha1.MedblocksAccountSpec{MaxEndpointsPerNamespace: ptr.To[int32](3)}, rank: 3}, "spec.maxEndpointsPerNamespace"},
		"the namespace is named before all": {guardrails{spec: v1alpha1.MedblocksAccountSpec{NamespaceSelector: selector, AllowedURLHosts: []v1alpha1.URLHost{"a"}, MaxEndpointsPerNamespace: ptr.To[int32](1)}, rank: 1}, "spec.namespaceSelector"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			res := &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: "team"}, Spec: v1alpha1.MedblocksWebhookEndpointSpec{URL: "https://receiver.example.com/hooks"}}
			test.is.account = "shared"
			h := notAllowed(res, &test.is)
			if test.rule == "" {
				g.Expect(h).To(BeNil())
				return
			}
			g.Expect(h.Reason).To(Equal(v1alpha1.ReasonNotAllowed))
			g.Expect(h.Progress).To(Equal(stalled))
			g.Expect(h.Message).To(And(HavePrefix(test.rule+` of MedblocksAccount "shared"`), ContainSubstring("ask the account's owner")))
			g.Expect(h.Wake.IsZero()).To(BeTrue(), "whoever changes it wakes the resource")
		})
	}
}

func TestAHostIsAllowedExactlyOrBelowAWildcardHoweverItIsSpelled(t *testing.T) {
	t.Parallel()
	allowed := []v1alpha1.URLHost{"api.example.com", "*.hooks.example.com", "localhost", "127.0.0.1", "xn--bcher-kva.example"}
	for raw, want := range map[string]bool{
		"https://api.example.com":                           true,
		"https://api.example.com/a?b=c":                     true,
		"https://API.Example.COM/":                          true,
		"https://api.example.com:8443/":                     true,
		"https://api.example.com./":                         true,
		"https://api.example.com../":                        false,
		"https://a.hooks.example.com":                       true,
		"https://A.b.HOOKS.example.com.:1/":                 true,
		"http://localhost:8080":                             true,
		"http://127.0.0.1/":                                 true,
		"https://xn--bcher-kva.example":                     true,
		"https://XN--bcher-KVA.example.":                    true,
		"https://bücher.example":                            false, // the vendor may make something else of it
		"https://hooks.example.com":                         false, // the wildcard is for what is below it
		"https://.hooks.example.com":                        false,
		"https://evilhooks.example.com":                     false,
		"https://api.example.com.evil.org":                  false,
		"https://evil.org/api.example.com":                  false,
		"https://evil.org/?api.example.com":                 false,
		"https://evil.org#api.example.com":                  false,
		"https://api.example.com%2eevil.org":                false,
		"https://api.example.com%00.evil.org":               false,
		"https://api.example.com@evil.org":                  false,
		"https://evil.org\\@api.example.com":                false,
		"https://a\u212A.hooks.example.com":                 false, // the Kelvin sign, whose lower case is k
		"https://ａｐｉ.example.com":                           false, // full width letters
		"https://api。example.com":                           false, // an ideographic full stop
		"https://[::1]":                                     false,
		"https://":                                          false,
		"":                                                  false,
		"api.example.com":                                   false,
		"https://%61pi.example.com":                         false,
		"https://other.example.com/https://api.example.com": false,
	} {
		NewWithT(t).Expect(allowsHost(allowed, raw)).To(Equal(want), raw)
	}
	NewWithT(t).Expect(allowsHost(nil, "https://anything.example")).To(BeTrue(), "no restriction")
}

func TestAResourceThatIsNotAllowedIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, tweak := range map[string]func(*v1alpha1.MedblocksWebhookEndpoint, *observation){
		"new": func(*v1alpha1.MedblocksWebhookEndpoint, *observation) {},
		"without key": func(_ *v1alpha1.MedblocksWebhookEndpoint, obs *observation) {
			obs.credentials = &account.CredentialsError{Message: "no key"}
		},
		"of a bad key": func(_ *v1alpha1.MedblocksWebhookEndpoint, obs *observation) {
			obs.refused = &medblocks.APIError{StatusCode: 401}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			res := &v1alpha1.MedblocksWebhookEndpoint{Spec: v1alpha1.MedblocksWebhookEndpointSpec{URL: "https://a.example.com"}}
			obs := &observation{guardrails: &guardrails{account: "shared", spec: v1alpha1.MedblocksAccountSpec{AllowedURLHosts: []v1alpha1.URLHost{"b.example.com"}}}}
			tweak(res, obs)
			p := makePlan(res, obs, time.Unix(1e9, 0))
			g.Expect(p.Steps).To(BeEmpty())
			g.Expect(p.Needs.any()).To(BeFalse())
			g.Expect(p.Holds).To(HaveLen(1))
			g.Expect(p.Holds[0].Reason).To(Equal(v1alpha1.ReasonNotAllowed))

			res.Spec.Suspend = true
			g.Expect(makePlan(res, obs, time.Unix(1e9, 0)).Holds[0].Reason).To(Equal(v1alpha1.ReasonSuspended))
		})
	}
}

func TestAKeyOfTheWrongEnvironmentStallsAtOnceAndIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	now := time.Unix(1e9, 0)
	obs := &observation{credentials: &account.CredentialsError{Message: "of another environment", WrongEnvironment: true}}
	p := makePlan(&v1alpha1.MedblocksWebhookEndpoint{}, obs, now)
	g.Expect(p.Steps).To(BeEmpty())
	g.Expect(p.Holds).To(HaveLen(1))
	g.Expect(p.Holds[0].Reason).To(Equal(v1alpha1.ReasonWrongEnvironment))
	g.Expect(p.Holds[0].Progress).To(Equal(stalled))
	g.Expect(p.Wake).To(Equal(now.Add(time.Minute)))
}
