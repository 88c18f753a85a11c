// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func withIntent(raw string) *v1alpha1.MedblocksWebhookEndpoint {
	return &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{
		UID: testUID, Annotations: map[string]string{v1alpha1.AnnotationRegistration: raw},
	}}
}

func TestAnIntentIsReadBackAsItWasWritten(t *testing.T) {
	g := NewWithT(t)
	res := withIntent("")
	res.Status.EndpointID = testID
	written := (*intent)(nil).next(res, "N", "v1:key", metav1.NewTime(testTime))
	g.Expect(intentOf(withIntent(written.encode())).encode()).To(Equal(written.encode()))
	g.Expect(written.Attempt).To(Equal(1))
	g.Expect(written.Replaces).To(Equal(testID))
	g.Expect((&written).next(res, "M", "v1:key", metav1.NewTime(testTime)).Attempt).To(Equal(2))
}

func TestAnIntentOfAnotherIncarnationIsIgnored(t *testing.T) {
	g := NewWithT(t)
	g.Expect(intentOf(withIntent(`{"uid":"uid-0","nonce":"N"}`))).To(BeNil())
	g.Expect(intentOf(&v1alpha1.MedblocksWebhookEndpoint{})).To(BeNil())
}

func TestADamagedIntentStillSaysThatAnEndpointMayExist(t *testing.T) {
	g := NewWithT(t)
	damaged := intentOf(withIntent(`{"uid":`))
	g.Expect(damaged.open("")).To(BeTrue())
	g.Expect(damaged.open(testID)).To(BeFalse(), "the status names the endpoint")
}

func TestAnIntentIsOpenUntilTheStatusNamesWhatItCreated(t *testing.T) {
	g := NewWithT(t)
	g.Expect((*intent)(nil).open("")).To(BeFalse())
	first, again := &intent{}, &intent{Replaces: "wh_old"}
	g.Expect(first.open("")).To(BeTrue())
	g.Expect(first.open("wh_new")).To(BeFalse())
	g.Expect(again.open("wh_old")).To(BeTrue())
	g.Expect(again.open("wh_new")).To(BeFalse())
	g.Expect(again.open("")).To(BeTrue(), "somebody wiped the status")
}

func FuzzIntent(f *testing.F) {
	f.Add(`{"uid":"uid-1","nonce":"N","attempt":1}`)
	f.Add(`{"uid":"uid-1","attempt":-1,"replaces":"wh_1"}`)
	f.Add(`[]`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, raw string) {
		g := NewWithT(t)
		i := intentOf(withIntent(raw))
		if i == nil {
			return // somebody else's
		}
		g.Expect(i.UID).To(BeEquivalentTo(testUID))
		g.Expect(i.open("")).To(BeTrue(), "an endpoint may exist, whatever the annotation says")
	})
}
