// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// verdict is the whole truth about an endpoint.
type verdict struct {
	delivering bool
	healthy    bool
	sentence   string
}

// verdictOf derives it from the conditions and, where Medblocks could be asked, from what it says now.
func verdictOf(f *facts, now time.Time) verdict {
	ready := f.condition(v1alpha1.ConditionReady)
	switch {
	case !f.res.DeletionTimestamp.IsZero():
		return f.deleting(now)
	case f.res.Status.ObservedGeneration < 0 || ready == nil:
		return f.unseen()
	case medblocks.IsNotFound(f.liveErr) || medblocks.IsNotFound(f.eventsErr):
		return notDelivering("Medblocks has no endpoint %s in the workspace of this API key%s", endpointID(f.res), f.besides(ready))
	case f.isDisabled():
		return f.disabled(ready, now)
	case !f.isActive():
		return notDelivering("%s", ready.Message)
	}
	return f.active(ready)
}

func notDelivering(format string, args ...any) verdict {
	return verdict{sentence: "not delivering: " + fmt.Sprintf(format, args...)}
}

// condition is nil where there is none of that type.
func (f *facts) condition(kind string) *metav1.Condition {
	return meta.FindStatusCondition(f.res.Status.Conditions, kind)
}

// endpointStatus is what Medblocks says now, or else what the operator last saw.
func (f *facts) endpointStatus() string {
	switch {
	case f.live != nil:
		return string(f.live.Status)
	case f.res.Status.Endpoint != nil:
		return f.res.Status.Endpoint.Status
	}
	return ""
}

func (f *facts) isActive() bool { return f.endpointStatus() == string(medblocks.EndpointStatusActive) }

func (f *facts) isDisabled() bool {
	return f.endpointStatus() == string(medblocks.EndpointStatusDisabled)
}

func (f *facts) deleting(now time.Time) verdict {
	since := age(now, f.res.DeletionTimestamp.Time)
	if stalled := f.condition(v1alpha1.ConditionStalled); stalled != nil {
		return verdict{delivering: f.isActive(), sentence: fmt.Sprintf("being deleted for %s, which cannot end: %s", since, stalled.Message)}
	}
	return verdict{delivering: f.isActive(), sentence: "being deleted for " + since}
}

// unseen is a resource that no operator has looked at.
func (f *facts) unseen() verdict {
	if f.operator.State == operatorAway || f.operator.State == operatorNotFound {
		return notDelivering("no operator has looked at this resource yet: %s", f.operator.Message)
	}
	return notDelivering("no operator has looked at this resource yet")
}

func (f *facts) disabled(ready *metav1.Condition, now time.Time) verdict {
	why := "Medblocks has disabled the endpoint, or a person there, and the operator has not noticed yet"
	if d := f.res.Status.Disabled; d != nil {
		why = because(d, now)
	}
	if !f.res.WantsDisabled() {
		return notDelivering("%s%s", why, f.besides(ready))
	}
	is := notDelivering("spec.state is Disabled, and so is the endpoint%s", f.besides(ready))
	is.healthy = f.isSettled(ready)
	return is
}

// because says since when and why an endpoint is disabled.
func because(d *v1alpha1.DisabledStatus, now time.Time) string {
	since := age(now, d.Since.Time)
	switch d.Cause {
	case v1alpha1.ReasonAutoDisabled:
		answer := "the receiver did not answer"
		if d.LastStatusCode != nil {
			answer = fmt.Sprintf("the receiver's last answer was %d", *d.LastStatusCode)
		}
		return fmt.Sprintf("Medblocks disabled the endpoint %s ago, after %d failed attempts to deliver an event (%s)", since, medblocks.MaxAttempts, answer)
	case v1alpha1.ReasonDisabledManually:
		return fmt.Sprintf("a person disabled the endpoint at Medblocks (noticed %s ago)", since)
	case v1alpha1.ReasonDisabledBySpec:
		return "the endpoint is still disabled, as spec.state asked for before"
	}
	return fmt.Sprintf("the endpoint is disabled at Medblocks (noticed %s ago), and its events do not tell by whom", since)
}

// besides is what else keeps the resource from being Ready, where that is not the endpoint's state.
func (f *facts) besides(ready *metav1.Condition) string {
	enabled := f.condition(v1alpha1.ConditionEnabled)
	if ready.Status == metav1.ConditionTrue || (enabled != nil && enabled.Status != metav1.ConditionTrue && enabled.Reason == ready.Reason) {
		return f.reservation()
	}
	return "; besides, " + ready.Message + f.reservation()
}

// active is an endpoint that Medblocks delivers to, which does not say that all is well.
func (f *facts) active(ready *metav1.Condition) verdict {
	is := verdict{delivering: true, healthy: f.isSettled(ready), sentence: "delivering"}
	synced, deliveries := f.condition(v1alpha1.ConditionSynced), f.condition(v1alpha1.ConditionDeliveriesHealthy)
	switch {
	case f.res.WantsDisabled():
		is.sentence, is.healthy = "delivering, though spec.state is Disabled", false
	case f.res.Status.Disabled != nil:
		is.sentence, is.healthy = "delivering again: the endpoint is active at Medblocks, and the operator has not noticed yet", false
	case ready.Status != metav1.ConditionTrue:
		is.sentence = "delivering, but not as the resource wants: " + ready.Message
	case synced != nil && synced.Status != metav1.ConditionTrue:
		is.sentence = "delivering, and not looked after at the moment: " + synced.Message
	case deliveries != nil && deliveries.Status == metav1.ConditionFalse:
		is.sentence = "active, but deliveries fail: " + deliveries.Message
	default:
		is.sentence = f.flow()
	}
	is.sentence += f.reservation()
	return is
}

// flow says whether events arrive, by the newest ones that did not.
func (f *facts) flow() string {
	failing, answer := 0, ""
	for i := range f.events {
		d := deliveryOf(f.events[i])
		if d.State != deliveryRetrying || d.Attempts == 0 {
			continue
		}
		if failing++; failing == 1 {
			answer = "the receiver did not answer the newest"
			if d.LastStatusCode != nil {
				answer = fmt.Sprintf("the receiver answered the newest with %d", *d.LastStatusCode)
			}
		}
	}
	switch failing {
	case 0:
		return "delivering"
	case 1:
		return "active, but an event has not arrived yet and is tried again: " + answer
	}
	return fmt.Sprintf("active, but %d events have not arrived yet and are tried again: %s", failing, answer)
}

// reservation is why what the conditions say may be out of date; empty: nothing speaks for that.
func (f *facts) reservation() string {
	switch {
	case f.operator.State == operatorAway:
		return "; and " + f.operator.Message
	case f.res.Status.ObservedGeneration == f.res.Generation:
		return ""
	case f.operator.State == operatorNotFound:
		return "; the operator has not taken up the last change of the spec yet: " + f.operator.Message
	}
	return "; the operator has not taken up the last change of the spec yet"
}

// isSettled tells whether the operator is content, up to date and at work.
func (f *facts) isSettled(ready *metav1.Condition) bool {
	return ready.Status == metav1.ConditionTrue && f.res.Status.ObservedGeneration == f.res.Generation && f.operator.State != operatorAway
}
