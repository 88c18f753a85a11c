// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestAKeyMustBeOfTheEnvironmentThatTheAccountAndTheOperatorAllow(t *testing.T) {
	t.Parallel()
	const sandbox, production = v1alpha1.EnvironmentSandbox, v1alpha1.EnvironmentProduction
	const sbx, live, odd = "mb_sk_sbx_canary0123456789", "mb_sk_live_canary0123456789", "canary0123456789mb_sk_sbx_"
	both, onlySandbox, onlyProduction := Environments, []v1alpha1.Environment{sandbox}, []v1alpha1.Environment{production}
	for name, test := range map[string]struct {
		key     string
		wanted  v1alpha1.Environment
		allowed []v1alpha1.Environment
		says    string // empty: good
	}{
		"sandbox, anything goes":           {sbx, "", both, ""},
		"production, anything goes":        {live, "", both, ""},
		"no prefix, anything goes":         {odd, "", both, ""},
		"sandbox as wanted":                {sbx, sandbox, both, ""},
		"production as wanted":             {live, production, both, ""},
		"sandbox for production":           {sbx, production, both, "spec.environment"},
		"production for sandbox":           {live, sandbox, both, "spec.environment"},
		"no prefix for sandbox":            {odd, sandbox, both, "spec.environment"},
		"no prefix for production":         {odd, production, both, "spec.environment"},
		"sandbox as allowed":               {sbx, "", onlySandbox, ""},
		"production as allowed":            {live, "", onlyProduction, ""},
		"sandbox where it is not allowed":  {sbx, "", onlyProduction, "--allowed-environments"},
		"production where it is not":       {live, "", onlySandbox, "--allowed-environments"},
		"no prefix where one is allowed":   {odd, "", onlySandbox, "--allowed-environments"},
		"wanted, and not allowed":          {sbx, sandbox, onlyProduction, "--allowed-environments"},
		"the prefix in upper case is none": {"MB_SK_SBX_canary", sandbox, both, "spec.environment"},
		"the flag twice":                   {sbx, "", []v1alpha1.Environment{sandbox, sandbox}, ""},
		"the flag with both, in any order": {odd, "", []v1alpha1.Environment{production, sandbox}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			err := checkEnvironment(environmentOf(test.key), KeyRef{Namespace: "system", Name: "key", Account: "shared", Environment: test.wanted}, test.allowed)
			if test.says == "" {
				g.Expect(err).NotTo(HaveOccurred())
				return
			}
			var is *CredentialsError
			g.Expect(errors.As(err, &is)).To(BeTrue())
			g.Expect(is.WrongEnvironment).To(BeTrue())
			g.Expect(is.Message).To(And(ContainSubstring(test.says), ContainSubstring("system/key"), Not(ContainSubstring("canary"))))
		})
	}
}

func TestNoAccountIsBegunWithAKeyOfTheWrongEnvironment(t *testing.T) {
	g := NewWithT(t)
	vendor := emulator.New(emulator.Options{})
	secrets := &keySecrets{keys: map[string]string{"key": "mb_sk_sbx_good"}}
	r := newRegistry(t, vendor, secrets)
	who, ref := Resource{Name: "shared"}, KeyRef{Namespace: "ns", Name: "key", Key: "key", Account: "shared", Environment: v1alpha1.EnvironmentProduction}
	account, err := r.Use(t.Context(), who, ref)
	g.Expect(account).To(BeNil())
	g.Expect(err).To(MatchError(ContainSubstring("spec.environment")))
	g.Consistently(vendor.Calls, 5*r.opts.PollInterval).Should(BeEmpty())

	ref.Environment = v1alpha1.EnvironmentSandbox
	account, err = r.Use(t.Context(), who, ref)
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(vendor.Calls).ShouldNot(BeEmpty())
	g.Expect(r.Last(who)).To(BeIdenticalTo(account))
}

func TestAKeyThatIsNotAllowedAnyMoreIsLetGoAndAnotherOneIsNot(t *testing.T) {
	const sbx, live = "mb_sk_sbx_canary", "mb_sk_live_canary"
	for name, test := range map[string]struct {
		now      string // the key in the Secret once the environment is set
		wanted   v1alpha1.Environment
		released bool
	}{
		"the key is of the environment":                     {sbx, v1alpha1.EnvironmentSandbox, false},
		"the key is of another one":                         {sbx, v1alpha1.EnvironmentProduction, true},
		"the key is exchanged for a wrong one":              {live, v1alpha1.EnvironmentSandbox, false},
		"neither the last key nor the present one is of it": {"mb_sk_sbx_second", v1alpha1.EnvironmentProduction, true},
		"the last key is not of it, and the present one is": {live, v1alpha1.EnvironmentProduction, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			vendor := emulator.New(emulator.Options{})
			secrets := &keySecrets{keys: map[string]string{"s": sbx}}
			r := newRegistry(t, vendor, secrets)
			who, ref := Resource{Namespace: "shop", Name: "orders"}, KeyRef{Namespace: "ns", Name: "s", Key: "key", Account: "shared"}
			first, err := r.Use(t.Context(), who, ref)
			g.Expect(err).NotTo(HaveOccurred())
			secrets.set("s", test.now)
			ref.Environment = test.wanted
			last, _ := r.Use(t.Context(), who, ref)
			if !test.released {
				g.Expect(last).NotTo(BeNil())
				return
			}
			g.Expect(last).To(BeNil(), "not even a deletion may use it")
			g.Expect(r.Last(who)).To(BeNil())
			g.Expect(first.allUsers()).To(BeEmpty())
			g.Expect(r.accounts).To(BeEmpty(), "nobody polls with it")
		})
	}
}

// TestAMedblocksAccountKeepsItsKeySweptAndIsToldOfEveryList: it is a user like a resource, and it looks at all endpoints.
func TestAMedblocksAccountKeepsItsKeySweptAndIsToldOfEveryList(t *testing.T) {
	g := NewWithT(t)
	vendor := emulator.New(emulator.Options{})
	r := newRegistry(t, vendor, &keySecrets{keys: map[string]string{"key": "mb_sk_sbx_good"}})
	told := make(chan Resource, 1000)
	r.enqueue = func(resources ...Resource) {
		for _, who := range resources {
			told <- who
		}
	}
	g.Expect(vendor.SetKey(emulator.Key{APIKey: "mb_sk_sbx_good", Workspace: "w"})).To(Succeed())
	for _, mark := range []string{"", "c1//shared", "c1/ns/one", "c2/ns/two"} {
		_, err := vendor.AddEndpoint("mb_sk_sbx_good", emulator.Endpoint{Metadata: map[string]any{v1alpha1.MarkOwner: mark}})
		g.Expect(err).NotTo(HaveOccurred())
	}
	who := Resource{Name: "shared"}
	account, err := r.Use(t.Context(), who, KeyRef{Namespace: "ns", Name: "key", Key: "key", Account: "shared"})
	g.Expect(err).NotTo(HaveOccurred())
	for range 3 {
		g.Eventually(told).Should(Receive(Equal(who)))
	}
	all, at := account.Overview()
	g.Expect(all).To(HaveLen(4))
	g.Expect(at).To(BeTemporally("~", time.Now(), time.Minute))
	g.Expect(account.unclaimed("c1")).To(ConsistOf(HaveField("Owner", Resource{Namespace: "ns", Name: "one"})), "a mark without a namespace is no MedblocksAccount's")

	r.Release(who)
	g.Eventually(func() int {
		vendor.ResetCounters()
		<-time.After(3 * r.opts.PollInterval)
		return len(vendor.Calls())
	}).Should(BeZero())
}
