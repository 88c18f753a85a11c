// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestDeliveriesListWhatHasArrivedAndWhatHasNot(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	receiver := startHook(t, http.StatusOK)
	n.create(t, "labs", at(receiver.URL))
	n.awaitReady(t, "labs")
	g.Expect(n.invoke(t, "deliveries", "labs").out).To(Equal("There are no events.\n"))
	arrived := n.fire(t)[0]
	g.Eventually(func() string { return plain(n.invoke(t, "deliveries", "labs").out) }).WithTimeout(patience).WithPolling(often).Should(And(
		HavePrefix("EVENT TYPE CREATED ATTEMPTS LAST ANSWER DELIVERED NEXT ATTEMPT"),
		MatchRegexp(arrived+` patient_flow.completed \S+ ago 1 200 \S+ ago -`),
	))
	receiver.answer(http.StatusTeapot)
	lost := n.fire(t)[0]
	n.awaitCondition(t, "labs", v1alpha1.ConditionEnabled, "False", v1alpha1.ReasonAutoDisabled)

	is := n.invoke(t, "deliveries", "labs")
	g.Expect(is.code).To(Equal(ExitOK))
	lines := strings.Split(strings.TrimSpace(is.out), "\n")
	g.Expect(lines).To(HaveLen(3))
	g.Expect(plain(lines[1])).To(MatchRegexp(lost + ` patient_flow.completed \S+ ago 9 418 no given up`))
	g.Expect(lines[2]).To(HavePrefix(arrived), "newest first")

	is = n.invoke(t, "deliveries", "labs", "--limit=1")
	g.Expect(is.out).To(And(ContainSubstring(lost), Not(ContainSubstring(arrived)), ContainSubstring("There are older ones")))
	g.Expect(n.invoke(t, "deliveries", "labs", "--undelivered").out).To(And(ContainSubstring(lost), Not(ContainSubstring(arrived))))
	g.Expect(n.invoke(t, "deliveries", "labs", "--since=1ns").out).To(Equal("There are no events of the last 1ns.\n"))

	var report DeliveriesReport
	g.Expect(json.Unmarshal([]byte(n.invoke(t, "deliveries", "labs", "-o=json").out), &report)).To(Succeed())
	g.Expect(report.Kind).To(Equal("DeliveriesReport"))
	g.Expect(report.EndpointID).To(Equal(n.endpoints(t)[0].ID))
	g.Expect(report.Events).To(HaveLen(2))
	g.Expect(report.Events[0].State).To(Equal(deliveryGivenUp))
	g.Expect(report.Events[1].State).To(Equal(deliveryDone))
	g.Expect(report.Events[1].DeliveredAt).NotTo(BeNil())
}

func TestDeliveriesOfWhatHasNoneSayWhy(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	n.create(t, "keyless", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.APIKeySecretRef.Name = "forgotten" })
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no name":            {nil, ExitUsage, "accepts 1 arg"},
		"no such resource":   {[]string{"nothing"}, ExitFailed, "status -A"},
		"no endpoint yet":    {[]string{"keyless"}, ExitFailed, "kubectl medblocks status keyless -n " + n.namespace},
		"no such limit":      {[]string{"keyless", "--limit=0"}, ExitUsage, "--limit must be between 1 and"},
		"no such format":     {[]string{"keyless", "-o=xml"}, ExitUsage, "there are only json and yaml"},
		"no such key file":   {[]string{"keyless", "--api-key-file=/nowhere", "--since=-1s"}, ExitUsage, "--since must not be negative"},
		"an event as a flag": {[]string{"keyless", "--event=evt_1"}, ExitUsage, "unknown flag"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			is := n.invoke(t, append([]string{"deliveries"}, test.args...)...)
			g.Expect(is.code).To(Equal(test.code), is.err)
			g.Expect(is.err).To(ContainSubstring(test.says))
			g.Expect(is.out).To(BeEmpty())
		})
	}
}

// withUndelivered is a resource whose endpoint is active again, after so many events were lost.
func (n *tenant) withUndelivered(t *testing.T, name string, receiver *hook, count int) (events []string) {
	t.Helper()
	n.create(t, name, at(receiver.URL))
	n.awaitReady(t, name)
	for range count {
		events = append(events, n.fire(t)...)
	}
	n.awaitCondition(t, name, v1alpha1.ConditionEnabled, "False", v1alpha1.ReasonAutoDisabled)
	n.change(t, name, func(e *v1alpha1.MedblocksWebhookEndpoint) {
		e.Annotations = map[string]string{v1alpha1.AnnotationReenableRequestedAt: "now"}
	})
	n.awaitReady(t, name)
	return events
}

func TestRedeliverSendsWhatWasLostOldestFirst(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	receiver := startHook(t, http.StatusServiceUnavailable)
	events := n.withUndelivered(t, "labs", receiver, 3)
	receiver.answer(http.StatusOK)

	is := n.invoke(t, "redeliver", "labs", "--undelivered")
	g.Expect(is.code).To(Equal(ExitUsage), "nobody answers")
	g.Expect(is.err).To(And(ContainSubstring("Send 3 events again, to "+receiver.URL+"?"), ContainSubstring("--yes")))
	is = invokeWith(t, suite.plane.AdminKubeconfig(), "no\n", "redeliver", "labs", "--undelivered", "--namespace="+n.namespace)
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(n.invoke(t, "deliveries", "labs", "--undelivered").out).To(ContainSubstring(events[0]), "nothing was sent")

	is = n.invoke(t, "redeliver", "labs", events[0])
	g.Expect(is.code).To(Equal(ExitOK), "one event is no reason to ask: %s", is.err)
	g.Expect(is.out).To(Equal(events[0] + "  delivered\n"))
	is = invokeWith(t, suite.plane.AdminKubeconfig(), "y\n", "redeliver", "labs", "--undelivered", "--namespace="+n.namespace)
	g.Expect(is.code).To(Equal(ExitOK), is.err)
	g.Expect(is.out).To(Equal(events[1] + "  delivered\n" + events[2] + "  delivered\n"))
	is = n.invoke(t, "redeliver", "labs", "--undelivered")
	g.Expect(is.code).To(Equal(ExitOK))
	g.Expect(is.out).To(Equal("There are no undelivered events.\n"))
}

func TestRedeliverNamesWhatHasNotArrivedAndStopsWhenNothingDoes(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	receiver := startHook(t, http.StatusServiceUnavailable)
	n.withUndelivered(t, "labs", receiver, 5)

	is := n.invoke(t, "redeliver", "labs", "--undelivered", "--yes", "-o=json")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring("5 of 5 events were not delivered: the receiver has not taken 3 events in a row"))
	var report RedeliveryReport
	g.Expect(json.Unmarshal([]byte(is.out), &report)).To(Succeed())
	var outcomes []string
	for _, event := range report.Events {
		outcomes = append(outcomes, event.Outcome)
	}
	g.Expect(outcomes).To(Equal([]string{redeliveryFailed, redeliveryFailed, redeliveryFailed, redeliveryNotTried, redeliveryNotTried}))
	g.Expect(*report.Events[0].LastStatusCode).To(Equal(http.StatusServiceUnavailable))
}

func TestRedeliverWaitsAsLongAsMedblocksAsks(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	receiver := startHook(t, http.StatusServiceUnavailable)
	event := n.withUndelivered(t, "labs", receiver, 1)[0]
	receiver.answer(http.StatusOK)
	slowDown := func(seconds string) {
		t.Helper()
		g.Expect(suite.emulator.Fault(t.Context(), map[string]any{
			"api_key": n.apiKey, "operation": "RedeliverEvent", "kind": "status", "status": 429, "retry_after": seconds,
		})).To(Succeed())
	}

	slowDown("600")
	is := n.invoke(t, "redeliver", "labs", event)
	g.Expect(is.code).To(Equal(ExitTimeout))
	g.Expect(is.err).To(ContainSubstring("longer than --timeout allows"))
	slowDown("1")
	is = n.invoke(t, "redeliver", "labs", event)
	g.Expect(is.code).To(Equal(ExitOK), is.err)
	g.Expect(is.err).To(ContainSubstring("Medblocks asks to wait for 1s"))
	g.Expect(is.out).To(Equal(event + "  delivered\n"))
}

func TestRedeliverRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	receiver := startHook(t, http.StatusBadGateway)
	n.create(t, "labs", at(receiver.URL))
	n.awaitReady(t, "labs")
	id := n.endpoints(t)[0].ID
	const other = "evt_01M859PKB4VR0Z9EVBWVRDXKA8"

	is := n.invoke(t, "redeliver", "labs", other)
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring(other + ": not among the newest 0 events of this endpoint; nothing was sent"))
	for name, args := range map[string][]string{
		"neither":     {"labs"},
		"both":        {"labs", other, "--undelivered"},
		"no event id": {"labs", id},
		"no name":     {"--undelivered"},
		"no timeout":  {"labs", other, "--timeout=0s"},
	} {
		g.Expect(n.invoke(t, append([]string{"redeliver"}, args...)...).code).To(Equal(ExitUsage), name)
	}
	g.Expect(suite.emulator.Disable(t.Context(), id)).To(Succeed())
	is = n.invoke(t, "redeliver", "labs", other)
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring("is disabled, and Medblocks sends nothing to it: enable it with 'kubectl medblocks reenable labs -n " + n.namespace + "' first"))
}

func TestRedeliverSaysWhichPermissionOrKeyIsMissing(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t)
	n.create(t, "labs")
	n.awaitReady(t, "labs")
	viewer := n.user(t, "viewer", "medblocks-webhook-operator-viewer")
	redeliver := func(stdin string, flags ...string) outcome {
		return invokeWith(t, viewer, stdin, append([]string{"redeliver", "labs", "--undelivered", "--namespace=" + n.namespace}, flags...)...)
	}
	is := redeliver("")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(And(ContainSubstring("kubectl auth can-i get secrets/medblocks-api-key -n "+n.namespace), ContainSubstring("--api-key-file")))
	is = redeliver("mb_sk_sbx_ another ", "--api-key-file=-")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(ContainSubstring("the API key holds white space"))
	is = redeliver(n.apiKey, "--api-key-file=-")
	g.Expect(is.code).To(Equal(ExitOK), is.err)

	g.Expect(suite.emulator.SetKeyState(t.Context(), n.apiKey, "revoked")).To(Succeed())
	is = n.invoke(t, "redeliver", "labs", "--undelivered")
	g.Expect(is.code).To(Equal(ExitFailed))
	g.Expect(is.err).To(And(ContainSubstring("401"), ContainSubstring("hint: Medblocks does not accept the API key")))
	g.Expect(suite.api.Delete(t.Context(), n.keySecret(), &client.DeleteOptions{})).To(Succeed())
	is = n.invoke(t, "redeliver", "labs", "--undelivered")
	g.Expect(is.err).To(ContainSubstring("Secret " + n.namespace + "/medblocks-api-key with the API key does not exist"))
}
