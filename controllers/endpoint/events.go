// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// announcement is a Kubernetes event, published once the status that it belongs to is stored.
type announcement struct {
	kind, reason, note string
}

func (w *work) announce(kind, reason, format string, args ...any) {
	w.mem.events = append(w.mem.events, announcement{kind: kind, reason: reason, note: fmt.Sprintf(format, args...)})
}

// announceWrite tells people what was done at Medblocks. What hints at trouble is a warning.
func (w *work) announceWrite(s step, id string) {
	const normal, warning = corev1.EventTypeNormal, corev1.EventTypeWarning
	type cause struct {
		action  action
		trigger trigger
	}
	switch (cause{s.Action, s.Trigger}) {
	case cause{actionRegister, triggerGone}:
		w.announce(warning, "Reregistered", "Endpoint %s was deleted at Medblocks; registered %s in its place", w.res.Status.EndpointID, id)
		return
	case cause{actionUpdate, triggerDrift}:
		w.announce(warning, "DriftCorrected", "Endpoint %s was changed at Medblocks; put back: %s", id, changedFields(s.Update))
		return
	case cause{actionRotate, triggerLostSecret}:
		w.announce(warning, "SecretRecovered", "The signing secret of endpoint %s was lost; rotated it to get a new one", id)
		return
	}
	switch s.Action {
	case actionUpdate:
		w.announce(normal, "Updated", "Updated endpoint %s: %s", id, changedFields(s.Update))
	case actionEnable:
		w.announce(normal, "Reenabled", "Enabled endpoint %s (%s)", id, s.Trigger)
	default:
		if a, ok := writeAnnouncements[s.Action]; ok {
			w.announce(a.kind, a.reason, a.note, id)
		}
	}
}

// writeAnnouncements are those that need no more than the endpoint's id.
var writeAnnouncements = map[action]announcement{
	actionRegister:        {corev1.EventTypeNormal, "Registered", "Registered endpoint %s"},
	actionAdopt:           {corev1.EventTypeNormal, "Adopted", "Took over endpoint %s, as spec.adopt asks for"},
	actionRepairMarks:     {corev1.EventTypeWarning, "MarksRepaired", "The operator's marks were missing on endpoint %s and have been put back"},
	actionRotate:          {corev1.EventTypeNormal, "SecretRotated", "Rotated the signing secret of endpoint %s"},
	actionDisable:         {corev1.EventTypeNormal, "Disabled", "Disabled endpoint %s, as spec.state asks for"},
	actionDeleteDuplicate: {corev1.EventTypeWarning, "DuplicateRemoved", "Deleted endpoint %s, a duplicate left by a registration whose answer was lost"},
	actionDelete:          {corev1.EventTypeNormal, "Deleted", "Deleted endpoint %s"},
	actionOrphan:          {corev1.EventTypeNormal, "Orphaned", "Left endpoint %s behind, without the operator's marks"},
}

// announceTrouble warns when a condition takes on a new reason to fail. Repeating it every time would only be noise.
func (w *work) announceTrouble(before, after []metav1.Condition) {
	for _, t := range []string{v1alpha1.ConditionSynced, v1alpha1.ConditionSigningSecretReady, v1alpha1.ConditionEnabled, v1alpha1.ConditionDeliveriesHealthy} {
		was, is := meta.FindStatusCondition(before, t), meta.FindStatusCondition(after, t)
		if is == nil || is.Status == metav1.ConditionTrue || (was != nil && was.Reason == is.Reason) {
			continue
		}
		switch is.Reason {
		case v1alpha1.ReasonPending, v1alpha1.ReasonSuspended, v1alpha1.ReasonWaitingForSecret, v1alpha1.ReasonUnknown, v1alpha1.ReasonDisabledBySpec,
			v1alpha1.ReasonNotDelivering:
			if t != v1alpha1.ConditionSigningSecretReady || is.Status != metav1.ConditionFalse {
				continue
			}
		}
		w.announce(corev1.EventTypeWarning, is.Reason, "%s", is.Message)
	}
}

// announceRedelivery tells what became of what an endpoint had missed.
func (w *work) announceRedelivery(before, after *v1alpha1.RedeliveryStatus) {
	const warning = corev1.EventTypeWarning
	switch {
	case after == nil && before != nil && before.State != v1alpha1.RedeliveryCompleted:
		w.announce(warning, "RedeliveryInterrupted", "%s; %d were left, because the endpoint is not active any more or the spec has changed", redeliverySummary(before), before.Pending)
		return
	case after == nil || (before != nil && before.State == after.State):
		return
	}
	switch after.State {
	case v1alpha1.RedeliveryCompleted:
		w.announceRedelivered(after)
	case v1alpha1.RedeliveryWaiting:
		w.announce(warning, "RedeliveryFailed", "%s; it is tried again at the time in status.redelivery.nextTry", w.redeliveryFailure())
	case v1alpha1.RedeliveryStopped:
		w.announce(warning, "RedeliveryStopped", "%s, and %s", w.redeliveryFailure(), budgetUsedUp)
	}
}

// announceRedelivered sums a redelivery up. What was not delivered is a warning.
func (w *work) announceRedelivered(is *v1alpha1.RedeliveryStatus) {
	kind, note := corev1.EventTypeNormal, redeliverySummary(is)
	if is.Failed > 0 {
		kind = corev1.EventTypeWarning
	}
	if g := w.obs.courier; g != nil && g.Omitted > 0 {
		kind = corev1.EventTypeWarning
		note += fmt.Sprintf("; %d more are beyond redelivery.maxEvents and were left out", g.Omitted)
	}
	w.announce(kind, "Redelivered", "%s", note)
}

// announceRefusal warns when a receiver turns out not to accept the secret of the last rotation.
func (w *work) announceRefusal(before, after *v1alpha1.SigningSecretStatus) {
	if after != nil && after.Deliveries == v1alpha1.DeliveriesRefused && (before == nil || before.Deliveries != after.Deliveries) {
		w.announce(corev1.EventTypeWarning, "ReceiverRefusesSecret", "%s", secretRefused(w.res, after.Name))
	}
}

func redeliverySummary(is *v1alpha1.RedeliveryStatus) string {
	return fmt.Sprintf("Redelivered %d events that the endpoint had missed; the receiver refused %d", is.Delivered, is.Failed)
}

func (w *work) redeliveryFailure() string {
	answer := "it did not accept it"
	if g := w.obs.courier; g != nil && g.Answer != "" {
		answer = g.Answer
	}
	return "The receiver was sent an event that it had missed, and " + answer
}

func changedFields(update *medblocks.UpdateEndpointRequest) string {
	var fields []string
	for _, field := range []struct {
		name    string
		changed bool
	}{
		{"description", update.Description != nil}, {"events", update.Events != nil},
		{"metadata", update.Metadata != nil}, {"url", update.URL != nil},
	} {
		if field.changed {
			fields = append(fields, field.name)
		}
	}
	return strings.Join(fields, ", ")
}
