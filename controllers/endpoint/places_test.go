// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// tenant is a resource of that age in minutes.
func tenant(name string, age int, change ...func(*v1alpha1.MedblocksWebhookEndpoint)) v1alpha1.MedblocksWebhookEndpoint {
	res := v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: name, UID: types.UID(name), CreationTimestamp: metav1.NewTime(testTime.Add(-time.Duration(age) * time.Minute)),
	}}
	res.Spec.AccountRef = &v1alpha1.AccountReference{Name: "shared"}
	for _, f := range change {
		f(&res)
	}
	return res
}

func registeredWith(keyHash string) func(*v1alpha1.MedblocksWebhookEndpoint) {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Status.EndpointID, res.Status.KeyHash = "wh_"+res.Name, keyHash
	}
}

func registeringWith(keyHash string) func(*v1alpha1.MedblocksWebhookEndpoint) {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Annotations = map[string]string{v1alpha1.AnnotationRegistration: intent{UID: res.UID, Nonce: "n", KeyHash: keyHash}.encode()}
	}
}

func TestPlacesBelongToThoseThatHaveAnEndpointThroughTheAccountAndThenToTheOldest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		order seniority
		all   []v1alpha1.MedblocksWebhookEndpoint
		want  []string
	}{
		"the older one":                         {seniority{}, []v1alpha1.MedblocksWebhookEndpoint{tenant("a", 1), tenant("b", 2)}, []string{"b", "a"}},
		"of equally old ones the first by name": {seniority{}, []v1alpha1.MedblocksWebhookEndpoint{tenant("b", 1), tenant("a", 1)}, []string{"a", "b"}},
		"one with an endpoint, however young": {seniority{keyHash: "k"},
			[]v1alpha1.MedblocksWebhookEndpoint{tenant("old", 9), tenant("young", 1, registeredWith("k"))}, []string{"young", "old"}},
		"one whose registration has begun": {seniority{keyHash: "k"},
			[]v1alpha1.MedblocksWebhookEndpoint{tenant("old", 9), tenant("young", 1, registeringWith("k"))}, []string{"young", "old"}},
		"one that is about to register": {seniority{keyHash: "k", reserved: map[account.Resource]bool{{Namespace: "team", Name: "young"}: true}},
			[]v1alpha1.MedblocksWebhookEndpoint{tenant("old", 9), tenant("young", 1)}, []string{"young", "old"}},
		"of those with an endpoint the older one": {seniority{keyHash: "k"},
			[]v1alpha1.MedblocksWebhookEndpoint{tenant("a", 1, registeredWith("k")), tenant("b", 2, registeredWith("k"))}, []string{"b", "a"}},
		"one that brings an endpoint of another key comes after": {seniority{keyHash: "k"},
			[]v1alpha1.MedblocksWebhookEndpoint{tenant("none", 9), tenant("own", 8, registeredWith("other")), tenant("begun", 7, registeringWith("other")), tenant("young", 1, registeredWith("k"))},
			[]string{"young", "own", "begun", "none"}},
		"without a key all that have an endpoint are equal": {seniority{},
			[]v1alpha1.MedblocksWebhookEndpoint{tenant("young", 1, registeredWith("k")), tenant("own", 8, registeredWith("other"))}, []string{"own", "young"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			for i := range test.all {
				want := slices.Index(test.want, test.all[i].Name)
				g.Expect(test.order.rankOf(&test.all[i], test.all, 10)).To(Equal(want), test.all[i].Name)
				g.Expect(test.order.rankOf(&test.all[i], test.all, 1)).To(Equal(min(want, 1)), "it counts no further than it matters")
			}
		})
	}
}

func TestWhoComesPushesOutWhoeverIsBehindItAndHasNoPlaceLeft(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	all := []v1alpha1.MedblocksWebhookEndpoint{tenant("held", 1, registeredWith("k")), tenant("comes", 5), tenant("younger", 4), tenant("youngest", 3)}
	is := seniority{keyHash: "k"}
	named := func(names ...string) []account.Resource {
		var out []account.Resource
		for _, name := range names {
			out = append(out, account.Resource{Namespace: "team", Name: name})
		}
		return out
	}
	g.Expect(is.pushedOut(&all[1], all, 2)).To(Equal(named("younger", "youngest")))
	g.Expect(is.pushedOut(&all[1], all, 1)).To(Equal(named("younger", "youngest")), "not the one that has an endpoint")
	g.Expect(is.pushedOut(&all[1], all, 4)).To(BeEmpty())
}

func TestOthersAreToldWhenAResourceLosesItsEndpointAndNotWhenItGetsOne(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	without, with, begun := tenant("a", 1), tenant("a", 1, registeredWith("k")), tenant("a", 1, registeringWith("k"))
	g.Expect(freesPlace(&with, &without)).To(BeTrue())
	g.Expect(freesPlace(&begun, &without)).To(BeTrue())
	g.Expect(freesPlace(&without, &begun)).To(BeFalse())
	g.Expect(freesPlace(&begun, &with)).To(BeFalse())
	own := without.DeepCopy()
	own.Spec.AccountRef = nil
	g.Expect(freesPlace(&with, own)).To(BeFalse(), "it uses no account")
}
