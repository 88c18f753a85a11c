// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"encoding/json"
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

// FuzzIntent: whatever an annotation holds, it is nobody's, or says that an endpoint may exist; what cannot be read names no
// nonce; and what can be read is written as it was.
func FuzzIntent(f *testing.F) {
	f.Add(`{"uid":"uid-1","nonce":"N","attempt":1}`)
	f.Add(`{"uid":"uid-1","attempt":-1,"replaces":"wh_1","time":"2026-11-01T12:00:00Z","keyHash":"v1:a","refused":true}`)
	f.Add(`{"uid":"uid-2","nonce":"N"}`)
	f.Add(`{"uid":"uid-1","nonce":7}`)
	f.Add(`[]`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, raw string) {
		g := NewWithT(t)
		i := intentOf(withIntent(raw))
		var written intent
		err := json.Unmarshal([]byte(raw), &written)
		if i == nil {
			g.Expect(err).NotTo(HaveOccurred(), "what cannot be read may be ours")
			g.Expect(written.UID).NotTo(BeEquivalentTo(testUID))
			return
		}
		g.Expect(i.UID).To(BeEquivalentTo(testUID))
		g.Expect(i.open("")).To(BeTrue(), "an endpoint may exist, whatever the annotation says")
		if err != nil {
			g.Expect(*i).To(Equal(intent{UID: testUID}), "a part of what cannot be read is believed")
			return
		}
		text := i.encode()
		again := intentOf(withIntent(text))
		g.Expect(again).NotTo(BeNil())
		g.Expect(again.encode()).To(Equal(text))
		g.Expect(again.Nonce).To(Equal(i.Nonce))
		g.Expect(again.open("wh_1")).To(Equal(i.open("wh_1")))
		foreign := withIntent(text)
		foreign.UID = "uid-2"
		g.Expect(intentOf(foreign)).To(BeNil(), "a copy is somebody else's")
	})
}

// FuzzTokens: a token asks for something until the status names it, and not once more; tokens that are born with a resource
// ask for nothing.
func FuzzTokens(f *testing.F) {
	f.Add("1", "", true)
	f.Add("1", "1", true)
	f.Add("", "1", false)
	f.Add("2026-11-01T12:00:00Z", "2026-11-01T12:00:00.0Z", true)
	f.Fuzz(func(t *testing.T, token, handled string, registered bool) {
		g := NewWithT(t)
		res := withIntent("")
		for _, annotation := range requests {
			res.Annotations[annotation] = token
		}
		if registered {
			res.Status.EndpointID = testID
		}
		s := &res.Status
		s.LastHandledRotateSecretAt, s.LastHandledReenableAt, s.LastHandledReregisterAt = handled, handled, handled
		s.LastHandledReconcileRequestedAt, s.LastHandledReconcileAt = handled, handled
		asks := token != "" && token != handled
		g.Expect(rotateRequested(res)).To(Equal(asks && registered))
		g.Expect(reenableRequested(res)).To(Equal(asks && registered))
		g.Expect(reregisterRequested(res)).To(Equal(asks))
		g.Expect(reconcileRequested(res)).To(Equal(asks))
		markAllHandled(res, s)
		g.Expect(rotateRequested(res) || reenableRequested(res) || reregisterRequested(res) || reconcileRequested(res)).To(BeFalse())
	})
}
