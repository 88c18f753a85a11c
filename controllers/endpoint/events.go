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
	w.events = append(w.events, announcement{kind: kind, reason: reason, note: fmt.Sprintf(format, args...)})
}

// announceWrite tells people what was done at Medblocks. What hints at trouble is a warning.
func (w *work) announceWrite(s step, id string) {
	const normal, warning = corev1.EventTypeNormal, corev1.EventTypeWarning
	switch s.Action {
	case actionRegister:
		if s.Trigger == triggerGone {
			w.announce(warning, "Reregistered", "Endpoint %s was deleted at Medblocks; registered %s in its place", w.res.Status.EndpointID, id)
			return
		}
		w.announce(normal, "Registered", "Registered endpoint %s", id)
	case actionUpdate:
		if s.Trigger == triggerDrift {
			w.announce(warning, "DriftCorrected", "Endpoint %s was changed at Medblocks; put back: %s", id, changedFields(s.Update))
			return
		}
		w.announce(normal, "Updated", "Updated endpoint %s: %s", id, changedFields(s.Update))
	case actionRepairMarks:
		w.announce(warning, "MarksRepaired", "The operator's marks were missing on endpoint %s and have been put back", id)
	case actionRotate:
		if s.Trigger == triggerLostSecret {
			w.announce(warning, "SecretRecovered", "The signing secret of endpoint %s was lost; rotated it to get a new one", id)
			return
		}
		w.announce(normal, "SecretRotated", "Rotated the signing secret of endpoint %s", id)
	case actionDisable:
		w.announce(normal, "Disabled", "Disabled endpoint %s, as spec.state asks for", id)
	case actionEnable:
		w.announce(normal, "Reenabled", "Enabled endpoint %s (%s)", id, s.Trigger)
	case actionDeleteDuplicate:
		w.announce(warning, "DuplicateRemoved", "Deleted endpoint %s, a duplicate left by a registration whose answer was lost", id)
	case actionDelete:
		w.announce(normal, "Deleted", "Deleted endpoint %s", id)
	case actionOrphan:
		w.announce(normal, "Orphaned", "Left endpoint %s behind, without the operator's marks", id)
	default:
	}
}

// announceTrouble warns when a condition takes on a new reason to fail. Repeating it every time would only be noise.
func (w *work) announceTrouble(before, after []metav1.Condition) {
	for _, t := range []string{v1alpha1.ConditionSynced, v1alpha1.ConditionSigningSecretReady, v1alpha1.ConditionEnabled} {
		was, is := meta.FindStatusCondition(before, t), meta.FindStatusCondition(after, t)
		if is == nil || is.Status == metav1.ConditionTrue || (was != nil && was.Reason == is.Reason) {
			continue
		}
		switch is.Reason {
		case v1alpha1.ReasonPending, v1alpha1.ReasonSuspended, v1alpha1.ReasonWaitingForSecret, v1alpha1.ReasonUnknown, v1alpha1.ReasonDisabledBySpec:
			if t != v1alpha1.ConditionSigningSecretReady || is.Status != metav1.ConditionFalse {
				continue
			}
		}
		w.announce(corev1.EventTypeWarning, is.Reason, "%s", is.Message)
	}
}

func changedFields(update *medblocks.UpdateEndpointRequest) string {
	var fields []string
	for name, changed := range map[string]bool{
		"url": update.URL != nil, "events": update.Events != nil, "description": update.Description != nil, "metadata": update.Metadata != nil,
	} {
		if changed {
			fields = append(fields, name)
		}
	}
	return strings.Join(sorted(fields), ", ")
}
