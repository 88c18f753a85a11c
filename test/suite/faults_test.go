// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"net"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// outage is a fault that passes: it says nothing about the endpoint.
type outage struct {
	fault  emulator.Fault
	reason string
	texts  []string
}

func outages() map[string]outage {
	unavailable := func(fault emulator.Fault, texts ...string) outage {
		return outage{fault, v1alpha1.ReasonAPIUnavailable, append(texts, "tries again")}
	}
	limited := func(retryAfter string) outage {
		fault := emulator.Fault{Kind: emulator.FaultStatus, Status: 429, RetryAfter: retryAfter}
		return outage{fault, v1alpha1.ReasonRateLimited, []string{"429", "waits"}}
	}
	return map[string]outage{
		"429 with Retry-After":             limited("2"),
		"429 without Retry-After":          limited(""),
		"429 with nonsense in Retry-After": limited("soon"),
		"500":                              unavailable(emulator.Fault{Kind: emulator.FaultStatus, Status: 500}, "500"),
		"502 with an HTML page":            unavailable(emulator.Fault{Kind: emulator.FaultHTML}, "502"),
		"503 with nothing":                 unavailable(emulator.Fault{Kind: emulator.FaultUnavailable}, "503"),
		"200 with an HTML page":            unavailable(emulator.Fault{Kind: emulator.FaultHTML, Status: 200}, "cannot be used"),
		"404 from a proxy":                 unavailable(emulator.Fault{Kind: emulator.FaultHTML, Status: 404}, "404", "--api-base-url"),
		"a redirect":                       unavailable(emulator.Fault{Kind: emulator.FaultRedirect, Location: "http://127.0.0.1:1/"}, "307", "--api-base-url"),
		"truncated JSON":                   unavailable(emulator.Fault{Kind: emulator.FaultTruncatedJSON}, "cannot be used"),
		"a body that is cut off":           unavailable(emulator.Fault{Kind: emulator.FaultTruncatedPage}),
		"an empty body":                    unavailable(emulator.Fault{Kind: emulator.FaultEmptyBody}, "cannot be used"),
		"a body that is too large":         unavailable(emulator.Fault{Kind: emulator.FaultHugeBody}, "cannot be used"),
		"a connection that hangs":          unavailable(emulator.Fault{Kind: emulator.FaultHang}, "no answer in time"),
		"a body that hangs":                unavailable(emulator.Fault{Kind: emulator.FaultStalledBody}),
		"a connection that is reset":       unavailable(emulator.Fault{Kind: emulator.FaultReset}, "cannot be reached"),
	}
}

func TestAnOutageDuringARegistrationIsToldAndEndsInOneEndpoint(t *testing.T) {
	for name, test := range outages() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.apiTimeout = time.Second })
			w.fail(emulator.OperationListEndpoints, test.fault)
			w.create(hooks)
			w.until(hooks, beWorking(test.reason, test.texts...), have(v1alpha1.ConditionSynced, isUnknown, test.reason))
			w.Expect(w.calls()).To(BeEmpty(), "nothing is posted before a complete list")
			w.vendor.ClearFaults()
			w.recover()
			w.untilReady(hooks)
			w.Expect(w.owned(hooks)).To(HaveLen(1))
		})
	}
}

// recover puts the clock forward past every pause that an outage leaves.
func (w *world) recover() {
	w.t.Helper()
	w.advance(15 * time.Second)
}

func TestAnOutageKeepsARegisteredResourceReadyAndItsChangesAreMadeUpFor(t *testing.T) {
	for name, test := range outages() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.operator.apiTimeout = time.Second })
			before := w.createReady(hooks)
			w.settle()
			w.forget()
			w.fail(emulator.OperationAny, test.fault)
			w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
			w.until(hooks, beDelayed(test.reason, test.texts...))
			w.poke()
			w.vendor.ClearFaults()
			w.recover()
			after := w.untilReady(hooks)
			w.settle()
			w.Expect(w.remote(hooks).Description).To(HaveValue(Equal("changed")))
			w.Expect(after.Status.EndpointID).To(Equal(before.Status.EndpointID))
			w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())
			w.Expect(w.rotations()).To(BeEmpty())
		})
	}
}

func TestAnAccountWaitsAsLongAsMedblocksAskedItTo(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.vendor.InjectFault(emulator.Fault{Operation: emulator.OperationListEndpoints, Kind: emulator.FaultStatus, Status: 429, RetryAfter: "3600"})
	w.Eventually(w.vendor.Faults).Should(BeEmpty())
	w.settleWithout()
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "patience" })
	w.until(hooks, beDelayed(v1alpha1.ReasonRateLimited))
	w.settleWithout()
	w.Expect(w.vendor.Calls()).To(BeEmpty(), "the whole account is quiet, its polls too")
	w.advance(time.Hour)
	w.untilReady(hooks)
	w.Expect(w.remote(hooks).Description).To(HaveValue(Equal("patience")))
}

func TestABaseURLThatNobodyAnswersIsTold(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	NewWithT(t).Expect(listener.Close()).To(Succeed())
	w := newWorld(t, func(s *setup) { s.operator.baseURL = "http://" + listener.Addr().String() })
	w.create(hooks)
	w.until(hooks, beWorking(v1alpha1.ReasonAPIUnavailable, "cannot be reached", "--api-base-url"))
	w.Expect(w.vendor.Calls()).To(BeEmpty())
}

func TestWhatMedblocksRefusesIsToldOnceWithTheFieldAndNotRepeated(t *testing.T) {
	for name, test := range map[string]struct {
		fault  emulator.Fault
		reason string
		texts  []string
	}{
		"400 about the URL": {
			emulator.Fault{Status: 400, Param: "url", Message: "url must be public"},
			v1alpha1.ReasonInvalidRequest, []string{"spec.url", "url must be public", "manifest"},
		},
		"400 about the API version": {
			emulator.Fault{Status: 400, Param: "Version", Message: "unsupported version"},
			v1alpha1.ReasonInvalidRequest, []string{"spec.medblocksAPIVersion", "unsupported version"},
		},
		"400 about something unknown": {
			emulator.Fault{Status: 400, Param: "flux", Message: "no such thing"},
			v1alpha1.ReasonInvalidRequest, []string{`"flux"`, "no such thing"},
		},
		"413": {emulator.Fault{Status: 413, Message: "too much"}, v1alpha1.ReasonInvalidRequest, []string{"too much"}},
		"409": {emulator.Fault{Status: 409, Message: "url is taken"}, v1alpha1.ReasonConflict, []string{"409", "url is taken"}},
		"403": {emulator.Fault{Status: 403, Message: "read-only key"}, v1alpha1.ReasonForbidden, []string{"403", "read-only key"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			test.fault.Kind = emulator.FaultStatus
			w.fail(emulator.OperationCreateEndpoint, test.fault)
			w.create(hooks)
			w.until(hooks, beStalled(test.reason, test.texts...), have(v1alpha1.ConditionSynced, isFalse, test.reason))
			w.untilEvent("Warning " + test.reason)
			w.poke()
			w.settle()
			w.restartOperator()
			w.settle()
			w.Expect(len(w.calls(emulator.OperationCreateEndpoint))).To(BeNumerically("<=", 2), "once in a life of the operator")

			w.vendor.ClearFaults()
			w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.URL = "https://corrected.example.com/" })
			w.advance(w.options.apiTimeout)
			w.untilReady(hooks)
			w.Expect(w.owned(hooks)).To(HaveLen(1))
		})
	}
}

func TestAChangeThatMedblocksRefusesIsToldAndTheCorrectionIsSent(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.forget()
	w.fail(emulator.OperationUpdateEndpoint, emulator.Fault{Kind: emulator.FaultStatus, Status: 400, Param: "description", Message: "rude"})
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "rude" })
	w.until(hooks, beStalled(v1alpha1.ReasonInvalidRequest, "spec.description", "rude"))
	w.settle()
	w.Expect(w.calls(emulator.OperationUpdateEndpoint)).To(HaveLen(1))
	w.requestReconcile(hooks)
	w.Eventually(func() []emulator.Call { return w.calls(emulator.OperationUpdateEndpoint) }).Should(HaveLen(2), "a person may ask again")

	w.vendor.ClearFaults()
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "polite" })
	w.untilReady(hooks)
	w.Expect(w.remote(hooks).Description).To(HaveValue(Equal("polite")))

	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "rude" })
	w.untilReady(hooks)
	w.Expect(w.remote(hooks).Description).To(HaveValue(Equal("rude")), "what was refused once may be allowed by now")
}

func TestTheEndpointLimitIsToldAndTriedAgainSlowly(t *testing.T) {
	for name, status := range map[string]int{"as a 429": 0, "as a 403": 403} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *setup) { s.vendor.Quirks.LimitStatus = status })
			w.vendor.SetMaxEndpoints(w.key, len(w.bystanders)+1)
			w.createReady("first")
			w.create(hooks)
			w.until(hooks, beStalled(v1alpha1.ReasonQuotaExceeded, "Delete endpoints", "limit"))
			w.settle()
			w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(HaveLen(2))
			w.untilReady("first")

			w.delete("first")
			w.untilGone("first")
			w.advance(10*time.Minute + time.Second)
			w.untilReady(hooks)
		})
	}
}

func TestAMessageThatEchoesTheKeyIsCleaned(t *testing.T) {
	w := newWorld(t)
	w.fail(emulator.OperationCreateEndpoint, emulator.Fault{
		Kind: emulator.FaultStatus, Status: 400, Param: "url", Message: "key " + w.key + " and secret whsec_abcdefgh12345678 said no",
	})
	w.create(hooks)
	w.until(hooks, beStalled(v1alpha1.ReasonInvalidRequest, "said no"))
	w.untilEvent("Warning InvalidRequest")
}

func TestOfTwoChangesDuringAnOutageTheLastOneIsSent(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.fail(emulator.OperationUpdateEndpoint, emulator.Fault{Kind: emulator.FaultStatus, Status: 500})
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "first" })
	w.until(hooks, beDelayed(v1alpha1.ReasonAPIUnavailable))
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "second" })
	w.vendor.ClearFaults()
	w.Eventually(func() string { return ptr.Deref(w.remote(hooks).Description, "") }).Should(Equal("second"))
	w.untilReady(hooks)
}

func TestAWriteThatIsRefusedWith401WhileListsAreNotIsNotRepeatedInALoop(t *testing.T) {
	w := newWorld(t)
	w.createReady(hooks)
	w.settle()
	w.forget()
	w.fail(emulator.OperationUpdateEndpoint, emulator.Fault{Kind: emulator.FaultStatus, Status: 401})
	w.change(hooks, func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Description = "changed" })
	w.until(hooks, have(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonInvalidAPIKey))
	w.settle()
	w.settle()
	w.Expect(len(w.calls(emulator.OperationUpdateEndpoint))).To(BeNumerically("<=", 2))

	w.vendor.ClearFaults()
	w.Eventually(func() *v1alpha1.MedblocksWebhookEndpoint { w.advance(time.Minute); return w.get(hooks) }).Should(beReady())
	w.Expect(w.remote(hooks).Description).To(HaveValue(Equal("changed")))
}
