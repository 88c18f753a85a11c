// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// nextOf says what happens next to a resource, and who does it. It is derived from the conditions and the status alone, as the operator
// has written them.
func nextOf(f *facts, now time.Time) NextStep {
	stalled, reconciling := f.condition(v1alpha1.ConditionStalled), f.condition(v1alpha1.ConditionReconciling)
	switch {
	case f.operator.State == operatorAway:
		return f.you(remedy{
			short: "start the operator", what: "start the operator: until then, nothing happens by itself",
			command: fmt.Sprintf("kubectl get deployments --all-namespaces -l %s=%s", operatorLabel, operatorName),
		})
	case !f.res.DeletionTimestamp.IsZero():
		return f.deletion(stalled)
	case f.res.Status.ObservedGeneration < 0 || f.condition(v1alpha1.ConditionReady) == nil:
		return f.firstLook()
	case f.res.Status.ObservedGeneration != f.res.Generation:
		return f.change()
	case f.res.Spec.Suspend:
		return f.you(remedyFor(v1alpha1.ReasonSuspended, f))
	case stalled != nil:
		return f.afterStall(stalled, now)
	case reconciling != nil && reconciling.Reason == v1alpha1.ReasonAutoDisabled:
		return f.reenabling(now)
	case reconciling != nil:
		return f.goingOn(reconciling)
	}
	return f.atRest(now)
}

func (f *facts) you(r remedy) NextStep {
	return NextStep{Who: nextYou, What: r.what, Command: r.command, short: "you: " + r.short}
}

func (f *facts) itself(short, format string, args ...any) NextStep {
	return NextStep{Who: nextOperator, What: fmt.Sprintf(format, args...), short: short}
}

func (f *facts) deletion(stalled *metav1.Condition) NextStep {
	if stalled == nil {
		return f.itself("is deleted", "the operator deletes the endpoint at Medblocks, and then the resource goes")
	}
	return f.you(remedy{
		short: "see why it stays", what: "do what the message says; or give the endpoint up, which leaves it behind at Medblocks",
		command: f.command("kubectl annotate mwe NAME " + v1alpha1.AnnotationRelease + "=true"),
	})
}

// change is a change of the spec that the operator has not looked at.
func (f *facts) change() NextStep {
	if f.operator.State == operatorNotFound {
		return f.firstLook()
	}
	return f.itself("takes up the change", "the operator takes up the last change of the spec")
}

// firstLook is due to a resource, or a change of one, that no operator has looked at.
func (f *facts) firstLook() NextStep {
	return f.you(remedy{
		short:   "see whether an operator watches it",
		what:    "if this lasts longer than a minute: see whether the operator runs, watches this namespace (--watch-namespaces), and selects this resource (--watch-label-selector)",
		command: fmt.Sprintf("kubectl get deployments --all-namespaces -l %s=%s", operatorLabel, operatorName),
	})
}

// afterStall is a person's turn, but where the attempts are used up, the policy goes on by itself some day.
func (f *facts) afterStall(stalled *metav1.Condition, now time.Time) NextStep {
	next := f.you(remedyFor(stalled.Reason, f))
	policy := f.res.Spec.ReenablePolicy
	if stalled.Reason != v1alpha1.ReasonAutoDisabled {
		return next
	}
	if policy.ModeOrDefault() == v1alpha1.ReenableNever {
		next.What = "nothing happens by itself, because reenablePolicy.mode is Never: " + next.What
		return next
	}
	attempts := f.attempts(now)
	if len(attempts) == 0 {
		return next
	}
	at := metav1.NewTime(attempts[0].Add(policy.WindowOrDefault()))
	next.At = &at
	next.What = fmt.Sprintf("the %d attempts that reenablePolicy allows within %s are used up, and the next one is %s: %s",
		policy.MaxAttemptsOrDefault(), policy.WindowOrDefault(), in(now, at.Time), next.What)
	return next
}

// attempts are those within the window, oldest first.
func (f *facts) attempts(now time.Time) []metav1.Time {
	is := f.res.Status.Reenable
	if is == nil {
		return nil
	}
	start := now.Add(-f.res.Spec.ReenablePolicy.WindowOrDefault())
	for i := range is.Attempts {
		if is.Attempts[i].After(start) {
			return is.Attempts[i:]
		}
	}
	return nil
}

// reenabling is the policy at work.
func (f *facts) reenabling(now time.Time) NextStep {
	policy := f.res.Spec.ReenablePolicy
	attempt := fmt.Sprintf("attempt %d of %d", len(f.attempts(now))+1, policy.MaxAttemptsOrDefault())
	condition := ""
	if policy.ModeOrDefault() == v1alpha1.ReenableWhenHealthy {
		condition = ", once the receiver answers as it should (" + probed(f.res) + ")"
	}
	at := f.nextAttempt()
	if at == nil || !at.After(now) {
		if condition == "" {
			return f.itself("re-enables now", "the operator enables the endpoint now, %s", attempt)
		}
		next := f.itself("probes the receiver", "the operator probes the receiver and enables the endpoint, %s%s%s", attempt, condition, f.lastProbe())
		return next
	}
	next := f.itself("re-enables "+in(now, at.Time)+", "+attempt, "the operator enables the endpoint %s, %s%s", in(now, at.Time), attempt, condition)
	next.At = at
	return next
}

func (f *facts) nextAttempt() *metav1.Time {
	if f.res.Status.Reenable == nil {
		return nil
	}
	return f.res.Status.Reenable.NextAttempt
}

// lastProbe is what the operator says about it, in the condition's message.
func (f *facts) lastProbe() string {
	enabled := f.condition(v1alpha1.ConditionEnabled)
	if enabled == nil {
		return ""
	}
	_, last, found := strings.Cut(enabled.Message, "it is re-enabled once the receiver is healthy: ")
	if !found {
		return ""
	}
	return "; " + last
}

// probed is what the operator asks to see whether a receiver is well.
func probed(res *v1alpha1.MedblocksWebhookEndpoint) string {
	switch probe := res.Spec.ReenablePolicy.ProbeOrDefault(); {
	case probe.ServiceRef != nil:
		return fmt.Sprintf("Service %s, port %d", probe.ServiceRef.Name, probe.ServiceRef.Port)
	case probe.URL != "":
		return endpoint.WithoutQuery(probe.URL)
	}
	return endpoint.WithoutQuery(res.Spec.URL)
}

func (f *facts) goingOn(reconciling *metav1.Condition) NextStep {
	if waits := remedies[reconciling.Reason].waits; waits != "" {
		return f.itself("goes on by itself", "%s", waits)
	}
	return f.itself("goes on by itself", "the operator goes on by itself: %s", reconciling.Message)
}

// atRest is a resource with which all is well, or which is at least as it is to be.
func (f *facts) atRest(now time.Time) NextStep {
	if c := f.condition(v1alpha1.ConditionDeliveriesHealthy); c != nil && c.Reason == v1alpha1.ReasonDeliveriesFailing {
		return f.you(remedyFor(c.Reason, f))
	}
	if next, found := f.redelivering(now); found {
		return next
	}
	if due := rotationDue(f.res); due != nil {
		next := f.itself("rotates "+in(now, due.Time), "the operator rotates the signing secret on %s (%s)", due.UTC().Format(time.DateOnly), in(now, due.Time))
		next.At = due
		return next
	}
	if f.res.WantsDisabled() {
		return NextStep{Who: nextNobody, What: "nothing is due: the endpoint stays disabled until spec.state is Active", short: "-"}
	}
	return NextStep{Who: nextNobody, What: "nothing is due", short: "-"}
}

// redelivering is what becomes of the events that an endpoint has missed while it was disabled.
func (f *facts) redelivering(now time.Time) (NextStep, bool) {
	is := f.res.Status.Redelivery
	if is == nil {
		return NextStep{}, false
	}
	switch is.State {
	case v1alpha1.RedeliveryRunning:
		return f.itself("redelivers what it missed", "the operator has the events redelivered that the endpoint has missed: %d delivered, %d to go", is.Delivered, is.Pending), true
	case v1alpha1.RedeliveryWaiting, v1alpha1.RedeliveryStopped:
		if is.NextTry == nil {
			return NextStep{}, false
		}
		next := f.itself("redelivers "+in(now, is.NextTry.Time), "the receiver did not take the events that the endpoint has missed; the operator tries again %s", in(now, is.NextTry.Time))
		next.At = is.NextTry
		return next, true
	}
	return NextStep{}, false
}

// rotationDue is when the signing secret is rotated next, as far as the status tells; nil: never.
func rotationDue(res *v1alpha1.MedblocksWebhookEndpoint) *metav1.Time {
	interval, s := res.RotationInterval(), res.Status.SigningSecret
	if interval == 0 || s == nil || s.LastRotated == nil || res.Observes() {
		return nil
	}
	due := metav1.NewTime(res.RotationWindow().Next(s.LastRotated.Add(interval)))
	return &due
}
