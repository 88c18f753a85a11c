// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// noon is when the tables of this file play.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// known are facts about a resource that is Ready, changed.
func known(changes ...func(*facts)) *facts {
	f := &facts{
		res: &v1alpha1.MedblocksWebhookEndpoint{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "labs", Generation: 3},
			Spec:       v1alpha1.MedblocksWebhookEndpointSpec{URL: "https://api.example.com/hook?token=1"},
			Status: v1alpha1.MedblocksWebhookEndpointStatus{
				ObservedGeneration: 3, EndpointID: "wh_1", Endpoint: &v1alpha1.ObservedEndpoint{Status: "active"},
			},
		},
		operator: OperatorStatus{State: operatorWorking},
	}
	is(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonRegistered, "fine")(f)
	is(v1alpha1.ConditionSynced, metav1.ConditionTrue, v1alpha1.ReasonRegistered, "fine")(f)
	is(v1alpha1.ConditionEnabled, metav1.ConditionTrue, v1alpha1.ReasonActive, "fine")(f)
	for _, change := range changes {
		change(f)
	}
	return f
}

// is sets a condition.
func is(condition string, status metav1.ConditionStatus, reason, message string) func(*facts) {
	return func(f *facts) {
		meta.SetStatusCondition(&f.res.Status.Conditions, metav1.Condition{Type: condition, Status: status, Reason: reason, Message: message})
	}
}

// fails has a condition, and Ready with it, fail for a reason; who moves next is Reconciling or Stalled.
func fails(condition, reason, who string) func(*facts) {
	return func(f *facts) {
		for _, c := range []string{condition, v1alpha1.ConditionReady} {
			is(c, metav1.ConditionFalse, reason, "the message")(f)
		}
		is(who, metav1.ConditionTrue, reason, "the message")(f)
	}
}

func spec(change func(*v1alpha1.MedblocksWebhookEndpointSpec)) func(*facts) {
	return func(f *facts) { change(&f.res.Spec) }
}

func status(change func(*v1alpha1.MedblocksWebhookEndpointStatus)) func(*facts) {
	return func(f *facts) { change(&f.res.Status) }
}

// disabled at Medblocks for an hour.
func disabled(cause string) func(*facts) {
	return status(func(s *v1alpha1.MedblocksWebhookEndpointStatus) {
		s.Endpoint.Status = "disabled"
		s.Disabled = &v1alpha1.DisabledStatus{Since: metav1.NewTime(noon.Add(-time.Hour)), Cause: cause}
	})
}

func autoDisabled(who string, policy *v1alpha1.ReenablePolicy) func(*facts) {
	return func(f *facts) {
		disabled(v1alpha1.ReasonAutoDisabled)(f)
		fails(v1alpha1.ConditionEnabled, v1alpha1.ReasonAutoDisabled, who)(f)
		f.res.Spec.ReenablePolicy = policy
	}
}

func attempted(next time.Time, ago ...time.Duration) func(*facts) {
	return status(func(s *v1alpha1.MedblocksWebhookEndpointStatus) {
		s.Reenable = &v1alpha1.ReenableStatus{}
		for _, d := range ago {
			s.Reenable.Attempts = append(s.Reenable.Attempts, metav1.NewTime(noon.Add(-d)))
		}
		if !next.IsZero() {
			s.Reenable.NextAttempt = &metav1.Time{Time: next}
		}
	})
}

func undelivered(statusCode *int, states ...int) func(*facts) {
	return func(f *facts) {
		for _, attempts := range states {
			event := medblocks.EventRecord{ID: "evt_1", Attempts: attempts, LastStatusCode: statusCode, CreatedAt: medblocks.Timestamp{Time: noon.Add(-time.Hour)}}
			if attempts < medblocks.MaxAttempts {
				event.NextAttemptAt = &medblocks.Timestamp{Time: noon.Add(time.Hour)}
			}
			f.events = append(f.events, event)
		}
	}
}

func away(f *facts) { f.operator = OperatorStatus{State: operatorAway, Message: "no operator works"} }

const (
	reconciling = v1alpha1.ConditionReconciling
	stalled     = v1alpha1.ConditionStalled
)

func TestTheVerdictFollowsFromTheConditionsAndFromWhatMedblocksSays(t *testing.T) {
	for name, test := range map[string]struct {
		facts               *facts
		verdict             string
		delivering, healthy bool
	}{
		"all is well": {known(), "delivering", true, true},
		"never seen": {known(status(func(s *v1alpha1.MedblocksWebhookEndpointStatus) {
			*s = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}
		})), "not delivering: no operator has looked at this resource yet", false, false},
		"spec changed": {known(func(f *facts) { f.res.Generation = 4 }), "delivering; the operator has not taken up the last change of the spec yet", true, false},
		"spec changed, and no operator found": {
			known(func(f *facts) {
				f.res.Generation, f.operator = 4, OperatorStatus{State: operatorNotFound, Message: "none is here"}
			}),
			"delivering; the operator has not taken up the last change of the spec yet: none is here", true, false,
		},
		"operator away": {known(away), "delivering; and no operator works", true, false},
		"disabled by Medblocks": {
			known(autoDisabled(stalled, nil)), "not delivering: Medblocks disabled the endpoint 60m ago, after 9 failed attempts to deliver an event (the receiver did not answer)", false, false,
		},
		"disabled by Medblocks, with an answer": {
			known(autoDisabled(stalled, nil), status(func(s *v1alpha1.MedblocksWebhookEndpointStatus) { s.Disabled.LastStatusCode = ptr.To(int32(503)) })),
			"not delivering: Medblocks disabled the endpoint 60m ago, after 9 failed attempts to deliver an event (the receiver's last answer was 503)", false, false,
		},
		"disabled by a person": {
			known(disabled(v1alpha1.ReasonDisabledManually), fails(v1alpha1.ConditionEnabled, v1alpha1.ReasonDisabledManually, stalled)),
			"not delivering: a person disabled the endpoint at Medblocks (noticed 60m ago)", false, false,
		},
		"disabled by nobody knows whom": {
			known(disabled(v1alpha1.ReasonUnknown), fails(v1alpha1.ConditionEnabled, v1alpha1.ReasonUnknown, stalled)),
			"not delivering: the endpoint is disabled at Medblocks (noticed 60m ago), and its events do not tell by whom", false, false,
		},
		"disabled, and the key refused": {
			known(disabled(v1alpha1.ReasonDisabledManually), is(v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonDisabledManually, "by a person"),
				fails(v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidAPIKey, stalled)),
			"not delivering: a person disabled the endpoint at Medblocks (noticed 60m ago); besides, the message", false, false,
		},
		"disabled by spec": {
			known(disabled(v1alpha1.ReasonDisabledBySpec), is(v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonDisabledBySpec, "as asked"),
				spec(func(s *v1alpha1.MedblocksWebhookEndpointSpec) { s.State = v1alpha1.StateDisabled })),
			"not delivering: spec.state is Disabled, and so is the endpoint", false, true,
		},
		"to be disabled": {known(spec(func(s *v1alpha1.MedblocksWebhookEndpointSpec) { s.State = v1alpha1.StateDisabled })), "delivering, though spec.state is Disabled", true, false},
		"just disabled": {
			known(func(f *facts) { f.live = &medblocks.Endpoint{Status: medblocks.EndpointStatusDisabled} }),
			"not delivering: Medblocks has disabled the endpoint, or a person there, and the operator has not noticed yet", false, false,
		},
		"just enabled": {
			known(autoDisabled(stalled, nil), func(f *facts) { f.live = &medblocks.Endpoint{Status: medblocks.EndpointStatusActive} }),
			"delivering again: the endpoint is active at Medblocks, and the operator has not noticed yet", true, false,
		},
		"gone": {
			known(func(f *facts) { f.liveErr = &medblocks.APIError{StatusCode: 404, Envelope: true} }),
			"not delivering: Medblocks has no endpoint wh_1 in the workspace of this API key", false, false,
		},
		"active, and the key refused": {known(fails(v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidAPIKey, stalled)), "delivering, but not as the resource wants: the message", true, false},
		"active, and Medblocks away": {
			known(is(v1alpha1.ConditionSynced, metav1.ConditionUnknown, v1alpha1.ReasonAPIUnavailable, "no answer")),
			"delivering, and not looked after at the moment: no answer", true, true,
		},
		"never registered": {
			known(fails(v1alpha1.ConditionSynced, v1alpha1.ReasonQuotaExceeded, stalled),
				status(func(s *v1alpha1.MedblocksWebhookEndpointStatus) { s.EndpointID, s.Endpoint = "", nil })),
			"not delivering: the message", false, false,
		},
		"deliveries fail, as the operator sees": {
			known(is(v1alpha1.ConditionDeliveriesHealthy, metav1.ConditionFalse, v1alpha1.ReasonDeliveriesFailing, "3 events")),
			"active, but deliveries fail: 3 events", true, true,
		},
		"an event is tried again": {known(undelivered(nil, 2)), "active, but an event has not arrived yet and is tried again: the receiver did not answer the newest", true, true},
		"events are tried again": {
			known(undelivered(ptr.To(503), 2, 4, 9)), "active, but 2 events have not arrived yet and are tried again: the receiver answered the newest with 503", true, true,
		},
		"events were given up": {known(undelivered(nil, 9, 9)), "delivering", true, true},
		"being deleted": {
			known(func(f *facts) { f.res.DeletionTimestamp = &metav1.Time{Time: noon.Add(-time.Minute)} }), "being deleted for 60s", true, false,
		},
		"a deletion that cannot end": {
			known(func(f *facts) { f.res.DeletionTimestamp = &metav1.Time{Time: noon.Add(-time.Minute)} }, is(stalled, metav1.ConditionTrue, v1alpha1.ReasonCredentialsUnavailable, "no key")),
			"being deleted for 60s, which cannot end: no key", true, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			v := verdictOf(test.facts, noon)
			g.Expect(v.sentence).To(Equal(test.verdict))
			g.Expect(v.delivering).To(Equal(test.delivering), "delivering")
			g.Expect(v.healthy).To(Equal(test.healthy), "healthy")
		})
	}
}

func TestTheNextStepSaysWhoMovesAndWhen(t *testing.T) {
	always := &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
	healthy := &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableWhenHealthy}
	soon := noon.Add(190 * time.Second)
	rotated := func(interval time.Duration, window *v1alpha1.RotationWindow) func(*facts) {
		return func(f *facts) {
			f.res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: interval}, Window: window}}
			f.res.Status.SigningSecret = &v1alpha1.SigningSecretStatus{Name: "labs-signing-secret", LastRotated: &metav1.Time{Time: noon}}
		}
	}
	for name, test := range map[string]struct {
		facts     *facts
		who, what string
		short     string
		command   string
		at        time.Time
	}{
		"nothing": {facts: known(), who: nextNobody, what: "nothing is due", short: "-"},
		"a rotation": {
			facts: known(rotated(11*24*time.Hour, nil)), who: nextOperator,
			what: "the operator rotates the signing secret on 2026-12-01 (in 11d)", short: "rotates in 11d", at: noon.Add(11 * 24 * time.Hour),
		},
		"a rotation in its window": {
			facts: known(rotated(24*time.Hour, &v1alpha1.RotationWindow{Hours: "02:00-05:00"})), who: nextOperator,
			what: "the operator rotates the signing secret on 2026-11-22 (in 38h)", short: "rotates in 38h", at: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC),
		},
		"never": {
			facts: known(autoDisabled(stalled, nil)), who: nextYou, short: "you: repair the receiver, reenable",
			what:    "nothing happens by itself, because reenablePolicy.mode is Never: repair the receiver, then enable the endpoint",
			command: "kubectl medblocks reenable labs",
		},
		"in another namespace": {
			facts: known(autoDisabled(stalled, nil), func(f *facts) { f.namespaceFlag = " -n team-a" }), who: nextYou, short: "you: repair the receiver, reenable",
			what:    "nothing happens by itself, because reenablePolicy.mode is Never: repair the receiver, then enable the endpoint",
			command: "kubectl medblocks reenable labs -n team-a",
		},
		"backoff": {
			facts: known(autoDisabled(reconciling, always), attempted(soon, time.Hour)), who: nextOperator, at: soon,
			what: "the operator enables the endpoint in 3m10s, attempt 2 of 5", short: "re-enables in 3m10s, attempt 2 of 5",
		},
		"backoff, then a probe": {
			facts: known(autoDisabled(reconciling, healthy), attempted(soon)), who: nextOperator, at: soon,
			what:  "the operator enables the endpoint in 3m10s, attempt 1 of 5, once the receiver answers as it should (https://api.example.com/hook)",
			short: "re-enables in 3m10s, attempt 1 of 5",
		},
		"attempts before the window do not count": {
			facts: known(autoDisabled(reconciling, always), attempted(soon, 200*time.Hour, time.Hour)), who: nextOperator, at: soon,
			what: "the operator enables the endpoint in 3m10s, attempt 2 of 5", short: "re-enables in 3m10s, attempt 2 of 5",
		},
		"a probe at work": {
			facts: known(autoDisabled(reconciling, healthy), attempted(noon.Add(-time.Second)),
				is(v1alpha1.ConditionEnabled, metav1.ConditionFalse, v1alpha1.ReasonAutoDisabled, "so; it is re-enabled once the receiver is healthy: when last probed, it answered 503")),
			who: nextOperator, short: "probes the receiver",
			what: "the operator probes the receiver and enables the endpoint, attempt 1 of 5, once the receiver answers as it should (https://api.example.com/hook); when last probed, it answered 503",
		},
		"the budget is used up": {
			facts: known(autoDisabled(stalled, always), attempted(time.Time{}, 5*time.Hour, 4*time.Hour, 3*time.Hour, 2*time.Hour, time.Hour)), who: nextYou,
			what:    "the 5 attempts that reenablePolicy allows within 168h0m0s are used up, and the next one is in 6d19h: repair the receiver, then enable the endpoint",
			short:   "you: repair the receiver, reenable",
			command: "kubectl medblocks reenable labs", at: noon.Add(163 * time.Hour),
		},
		"suspended": {
			facts: known(spec(func(s *v1alpha1.MedblocksWebhookEndpointSpec) { s.Suspend = true })), who: nextYou, short: "you: set suspend to false",
			what: "set spec.suspend to false, and the operator goes on", command: "kubectl patch mwe labs --type=merge -p '{\"spec\":{\"suspend\":false}}'",
		},
		"no operator": {
			facts: known(away, autoDisabled(reconciling, always)), who: nextYou, short: "you: start the operator",
			what:    "start the operator: until then, nothing happens by itself",
			command: "kubectl get deployments --all-namespaces -l app.kubernetes.io/name=medblocks-webhook-operator",
		},
		"a change": {
			facts: known(func(f *facts) { f.res.Generation = 4 }), who: nextOperator, what: "the operator takes up the last change of the spec", short: "takes up the change",
		},
		"a change that nobody may see to": {
			facts: known(func(f *facts) { f.res.Generation, f.operator = 4, OperatorStatus{State: operatorNotFound} }), who: nextYou,
			what:    "if this lasts longer than a minute: see whether the operator runs, watches this namespace (--watch-namespaces), and selects this resource (--watch-label-selector)",
			short:   "you: see whether an operator watches it",
			command: "kubectl get deployments --all-namespaces -l app.kubernetes.io/name=medblocks-webhook-operator",
		},
		"disabled by spec": {
			facts: known(spec(func(s *v1alpha1.MedblocksWebhookEndpointSpec) { s.State = v1alpha1.StateDisabled })), who: nextNobody, short: "-",
			what: "nothing is due: the endpoint stays disabled until spec.state is Active",
		},
		"redelivery": {
			facts: known(status(func(s *v1alpha1.MedblocksWebhookEndpointStatus) {
				s.Redelivery = &v1alpha1.RedeliveryStatus{State: v1alpha1.RedeliveryRunning, Delivered: 2, Pending: 7}
			})), who: nextOperator, short: "redelivers what it missed",
			what: "the operator has the events redelivered that the endpoint has missed: 2 delivered, 7 to go",
		},
		"redelivery, refused": {
			facts: known(status(func(s *v1alpha1.MedblocksWebhookEndpointStatus) {
				s.Redelivery = &v1alpha1.RedeliveryStatus{State: v1alpha1.RedeliveryWaiting, NextTry: &metav1.Time{Time: soon}}
			})), who: nextOperator, short: "redelivers in 3m10s", at: soon,
			what: "the receiver did not take the events that the endpoint has missed; the operator tries again in 3m10s",
		},
		"a deletion that cannot end": {
			facts: known(func(f *facts) { f.res.DeletionTimestamp = &metav1.Time{Time: noon} }, is(stalled, metav1.ConditionTrue, v1alpha1.ReasonCredentialsUnavailable, "no key")),
			who:   nextYou, short: "you: see why it stays", what: "do what the message says; or give the endpoint up, which leaves it behind at Medblocks",
			command: "kubectl annotate mwe labs connect.medblocks.com/release=true",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			next := nextOf(test.facts, noon)
			g.Expect(next.Who).To(Equal(test.who))
			g.Expect(next.What).To(Equal(test.what))
			g.Expect(next.short).To(Equal(test.short))
			g.Expect(next.Command).To(Equal(test.command))
			if test.at.IsZero() {
				g.Expect(next.At).To(BeNil())
				return
			}
			g.Expect(next.At.Time).To(BeTemporally("==", test.at))
		})
	}
}

// reasonsOfTheAPI are the values of all constants of the API's package whose name begins with Reason.
func reasonsOfTheAPI(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "api", "v1alpha1", "conditions.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(node ast.Node) bool {
		if constant, ok := node.(*ast.ValueSpec); ok && strings.HasPrefix(constant.Names[0].Name, "Reason") {
			value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			reasons = append(reasons, value)
		}
		return true
	})
	return reasons
}

func TestEveryReasonToFailHasAnAnswer(t *testing.T) {
	g := NewWithT(t)
	content := []string{
		v1alpha1.ReasonRegistered, v1alpha1.ReasonPublished, v1alpha1.ReasonRotated, v1alpha1.ReasonRecovered, v1alpha1.ReasonActive, v1alpha1.ReasonDelivering,
	}
	reasons := reasonsOfTheAPI(t)
	g.Expect(len(reasons)).To(BeNumerically(">=", 31))
	var failing []string
	for reason := range remedies {
		failing = append(failing, reason)
	}
	g.Expect(reasons).To(ConsistOf(append(failing, content...)), "a reason is content, or has a remedy")
	for _, reason := range failing {
		for _, who := range []string{stalled, reconciling} {
			f := known(fails(v1alpha1.ConditionSynced, reason, who))
			next := nextOf(f, noon)
			g.Expect(next.What).NotTo(BeEmpty(), "%s, %s", reason, who)
			g.Expect(next.short).NotTo(BeEmpty(), "%s, %s", reason, who)
			g.Expect(next.Command).NotTo(ContainSubstring("NAME"), reason)
			g.Expect(next.Who).To(Equal(map[string]string{stalled: nextYou, reconciling: nextOperator}[who]), "%s, %s", reason, who)
		}
	}
	f := known(fails(v1alpha1.ConditionSynced, "OfALaterOperator", stalled))
	g.Expect(nextOf(f, noon)).To(Equal(NextStep{
		Who: nextYou, What: "do what the message of the condition says", Command: "kubectl describe mwe labs", short: "you: see its conditions",
	}))
}

func TestAReceiversURLIsShownWithoutItsQuery(t *testing.T) {
	NewWithT(t).Expect(judge(known(), noon).Receiver.URL).To(Equal("https://api.example.com/hook"))
}
