// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

const aToken = "2026-04-25T14:30:00Z-abcdef"

// now is when these tests take place, and deadline when their requests run out.
var (
	now      = time.Date(2026, 4, 25, 14, 30, 0, 0, time.UTC)
	deadline = now.Add(2 * time.Minute)
)

// judged is a resource that is registered and well, and has seen the request, unless a tweak says otherwise.
func judged(tweaks ...tweak) *v1alpha1.MedblocksWebhookEndpoint {
	res := &v1alpha1.MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "patients", Generation: 3},
		Status: v1alpha1.MedblocksWebhookEndpointStatus{
			ObservedGeneration: 3, EndpointID: "wh_01", LastHandledReconcileRequestedAt: aToken,
			SigningSecret: &v1alpha1.SigningSecretStatus{Name: "patients-signing-secret"},
		},
	}
	for _, is := range []func(*v1alpha1.MedblocksWebhookEndpoint){
		condition(v1alpha1.ConditionReady, "True", "Registered", "it is well"),
		condition(v1alpha1.ConditionSigningSecretReady, "True", "Published", "the Secret holds it"),
		condition(v1alpha1.ConditionEnabled, "True", "Active", "events flow"),
	} {
		is(res)
	}
	for _, change := range tweaks {
		change(res)
	}
	return res
}

func condition(kind, status, reason, message string) tweak {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		conditions := []metav1.Condition{{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, Message: message}}
		for _, c := range res.Status.Conditions {
			if c.Type != kind {
				conditions = append(conditions, c)
			}
		}
		res.Status.Conditions = conditions
	}
}

func unseen(res *v1alpha1.MedblocksWebhookEndpoint) { res.Status.LastHandledReconcileRequestedAt = "" }

func servedRotation(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.Status.LastHandledRotateSecretAt = aToken
}

func servedReenable(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.Status.LastHandledReenableAt = aToken
}

func suspended(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.Suspend = true }

func observing(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.Spec.ManagementPolicy = v1alpha1.ManagementObserve
}

func unregistered(res *v1alpha1.MedblocksWebhookEndpoint) { res.Status.EndpointID = "" }

func disabledBySpec(res *v1alpha1.MedblocksWebhookEndpoint) { res.Spec.State = v1alpha1.StateDisabled }

func deleting(res *v1alpha1.MedblocksWebhookEndpoint) {
	res.DeletionTimestamp = &metav1.Time{Time: now}
}

func outdated(res *v1alpha1.MedblocksWebhookEndpoint) { res.Generation++ }

func attemptAt(at time.Time) tweak {
	return func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Status.Reenable = &v1alpha1.ReenableStatus{NextAttempt: &metav1.Time{Time: at}}
	}
}

// stuck, working and byHand are conditions that come together.
func stuck(res *v1alpha1.MedblocksWebhookEndpoint) {
	condition(v1alpha1.ConditionReady, "False", "WorkspaceChanged", "the key was changed")(res)
	condition(v1alpha1.ConditionStalled, "True", "WorkspaceChanged", "the key was changed")(res)
}

func working(res *v1alpha1.MedblocksWebhookEndpoint) {
	condition(v1alpha1.ConditionReady, "False", "Pending", "not yet")(res)
	condition(v1alpha1.ConditionReconciling, "True", "Pending", "not yet")(res)
}

func byHand(res *v1alpha1.MedblocksWebhookEndpoint) {
	condition(v1alpha1.ConditionEnabled, "False", "DisabledManually", "a person did it")(res)
}

func TestTheOutcomeOfARequestIsReadFromTheResource(t *testing.T) {
	for name, c := range map[string]struct {
		kind    requestKind
		res     *v1alpha1.MedblocksWebhookEndpoint
		before  *v1alpha1.MedblocksWebhookEndpoint // nil: well
		outcome string                             // empty: still to come
		message string
	}{
		"reconcile: nobody has answered":             {kind: reconcileRequest, res: judged(unseen)},
		"reconcile: an old stall is no answer":       {kind: reconcileRequest, res: judged(unseen, stuck)},
		"reconcile: done":                            {kind: reconcileRequest, res: judged(), outcome: outcomeDone, message: "it is well"},
		"reconcile: for an older spec":               {kind: reconcileRequest, res: judged(outdated)},
		"reconcile: the operator is at work":         {kind: reconcileRequest, res: judged(working)},
		"reconcile: stalled":                         {kind: reconcileRequest, res: judged(stuck), outcome: outcomeNotReady, message: "WorkspaceChanged: the key was changed"},
		"reconcile: an attempt is due in time":       {kind: reconcileRequest, res: judged(working, attemptAt(now.Add(time.Minute)))},
		"reconcile: an attempt is due later":         {kind: reconcileRequest, res: judged(working, attemptAt(now.Add(time.Hour))), outcome: outcomeNotReady, message: "2026-04-25T15:30:00Z"},
		"reconcile: suspended":                       {kind: reconcileRequest, res: judged(suspended), outcome: outcomeRefused, message: "spec.suspend is true"},
		"reconcile: being deleted":                   {kind: reconcileRequest, res: judged(deleting), outcome: outcomeRefused, message: "being deleted"},
		"reconcile: under Observe":                   {kind: reconcileRequest, res: judged(observing, unregistered), outcome: outcomeDone},
		"rotate: nobody has answered":                {kind: rotateRequest, res: judged(unseen)},
		"rotate: seen, and not served":               {kind: rotateRequest, res: judged()},
		"rotate: seen, and stalled":                  {kind: rotateRequest, res: judged(stuck), outcome: outcomeRefused, message: "WorkspaceChanged: the key was changed"},
		"rotate: done":                               {kind: rotateRequest, res: judged(servedRotation), outcome: outcomeDone, message: `Secret "patients-signing-secret" holds a new signing secret; the one before it is kept as MEDBLOCKS_WEBHOOK_SECRET_PREVIOUS`},
		"rotate: done, where there was none":         {kind: rotateRequest, res: judged(servedRotation), before: judged(condition(v1alpha1.ConditionSigningSecretReady, "False", "Contested", "")), outcome: outcomeDone, message: "holds a new signing secret"},
		"rotate: the Secret is not ready":            {kind: rotateRequest, res: judged(servedRotation, condition(v1alpha1.ConditionSigningSecretReady, "False", "WaitingForSecret", ""))},
		"rotate: under Observe":                      {kind: rotateRequest, res: judged(servedRotation, observing), outcome: outcomeRefused, message: "managementPolicy is Observe"},
		"rotate: not registered":                     {kind: rotateRequest, res: judged(unregistered, working), outcome: outcomeRefused, message: "no endpoint at Medblocks yet: Pending: not yet"},
		"rotate: suspended":                          {kind: rotateRequest, res: judged(suspended), outcome: outcomeRefused, message: `kubectl patch mwe patients -n team --type=merge -p '{"spec":{"suspend":false}}'`},
		"reenable: seen, and still at work":          {kind: reenableRequest, res: judged(byHand, working)},
		"reenable: done":                             {kind: reenableRequest, res: judged(servedReenable), before: judged(byHand), outcome: outcomeDone, message: "enabled: events flow"},
		"reenable: it was enabled":                   {kind: reenableRequest, res: judged(servedReenable), outcome: outcomeDone, message: "it was enabled already"},
		"reenable: not believed before it is active": {kind: reenableRequest, res: judged(servedReenable, byHand)},
		"reenable: disabled by the spec":             {kind: reenableRequest, res: judged(disabledBySpec), outcome: outcomeRefused, message: "spec.state is Disabled"},
		"reenable: stalled":                          {kind: reenableRequest, res: judged(byHand, stuck), outcome: outcomeRefused, message: "the operator cannot do it"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			if c.before == nil {
				c.before = judged(unseen)
			}
			is := judgeRequest(c.kind, c.res, c.before, aToken, deadline)
			if c.outcome == "" {
				g.Expect(is).To(BeNil())
				return
			}
			g.Expect(is).NotTo(BeNil())
			g.Expect(is.outcome).To(Equal(c.outcome), is.message)
			g.Expect(is.message).To(ContainSubstring(c.message))
		})
	}
}

func TestNothingIsSaidOfAPreviousValueWhereTheSecretWasLost(t *testing.T) {
	lost := judged(condition(v1alpha1.ConditionSigningSecretReady, "False", v1alpha1.ReasonContested, ""))
	NewWithT(t).Expect(judgeRequest(rotateRequest, judged(servedRotation), lost, aToken, deadline).message).NotTo(ContainSubstring("PREVIOUS"))
}

func TestProgressIsWhatIsNew(t *testing.T) {
	entry := func(second int, action string) v1alpha1.HistoryEntry {
		return v1alpha1.HistoryEntry{Time: metav1.NewTime(now.Add(time.Duration(second) * time.Second)), Action: action, Trigger: "Spec"}
	}
	history := func(entries ...v1alpha1.HistoryEntry) tweak {
		return func(res *v1alpha1.MedblocksWebhookEndpoint) { res.Status.History = entries }
	}
	for name, c := range map[string]struct {
		was, is *v1alpha1.MedblocksWebhookEndpoint
		lines   []string
	}{
		"nothing":                {was: judged(), is: judged()},
		"a token is no news":     {was: judged(unseen), is: judged()},
		"the first entry":        {was: judged(), is: judged(history(entry(1, "RotateSecret"))), lines: []string{"RotateSecret (Spec)"}},
		"one more entry":         {was: judged(history(entry(1, "A"))), is: judged(history(entry(1, "A"), entry(2, "B"))), lines: []string{"B (Spec)"}},
		"the first has left":     {was: judged(history(entry(1, "A"), entry(2, "B"))), is: judged(history(entry(2, "B"), entry(3, "C"))), lines: []string{"C (Spec)"}},
		"all have left":          {was: judged(history(entry(1, "A"))), is: judged(history(entry(2, "B"))), lines: []string{"B (Spec)"}},
		"the same twice":         {was: judged(history(entry(1, "A"))), is: judged(history(entry(1, "A"), entry(1, "A"))), lines: []string{"A (Spec)"}},
		"a condition":            {was: judged(), is: judged(byHand), lines: []string{"Enabled is False, DisabledManually: a person did it"}},
		"derived conditions":     {was: judged(), is: judged(stuck)},
		"an attempt is put off":  {was: judged(), is: judged(attemptAt(now)), lines: []string{"next attempt of the re-enable policy at 2026-04-25T14:30:00Z"}},
		"the same attempt":       {was: judged(attemptAt(now)), is: judged(attemptAt(now))},
		"the deletion has begun": {was: judged(), is: judged(deleting), lines: []string{"is being deleted"}},
		"an attempt": {was: judged(), is: judged(func(res *v1alpha1.MedblocksWebhookEndpoint) {
			res.Status.Reenable = &v1alpha1.ReenableStatus{Attempts: []metav1.Time{metav1.NewTime(now)}}
		}), lines: []string{"attempt 1 of the re-enable policy"}},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(progress(c.was, c.is)).To(Equal(c.lines))
		})
	}
}
