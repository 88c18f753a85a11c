// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func isMonitored(status *v1alpha1.MedblocksWebhookEndpointStatus) bool {
	return meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionDeliveriesHealthy) != nil
}

// deliveriesHealthy keeps what was seen last until something else is seen. It is no part of Ready: events that fail are the receiver's
// affair, and the endpoint is as it should be.
func (c *conclusion) deliveriesHealthy() {
	const condition = v1alpha1.ConditionDeliveriesHealthy
	switch {
	case c.res.MonitoringInterval() == 0:
		meta.RemoveStatusCondition(&c.status.Conditions, condition)
	case c.target == nil:
	case c.target.Status != medblocks.EndpointStatusActive:
		c.set(condition, metav1.ConditionUnknown, v1alpha1.ReasonNotDelivering, "the endpoint is not active: nothing is delivered to it")
	case c.obs.deliveries != nil && c.obs.deliveries.err == nil:
		c.healthOf(c.obs.deliveries.health())
	case !isMonitored(c.status):
		c.set(condition, metav1.ConditionUnknown, v1alpha1.ReasonPending, "the endpoint's events have not been looked at yet")
	default:
		c.keepHealth()
	}
}

// keepHealth repeats what was said before, about the present spec; what an endpoint that was not active made of it is over.
func (c *conclusion) keepHealth() {
	was := meta.FindStatusCondition(c.status.Conditions, v1alpha1.ConditionDeliveriesHealthy)
	if was.Reason == v1alpha1.ReasonNotDelivering {
		c.set(was.Type, metav1.ConditionUnknown, v1alpha1.ReasonPending, "the endpoint's events have not been looked at yet")
		return
	}
	c.set(was.Type, was.Status, was.Reason, was.Message)
}

func (c *conclusion) healthOf(is health) {
	const condition = v1alpha1.ConditionDeliveriesHealthy
	switch {
	case is.failing > 0:
		answer := "the receiver did not answer"
		if is.answer != nil {
			answer = fmt.Sprintf("the receiver's last answer was %d", *is.answer)
		}
		c.set(condition, metav1.ConditionFalse, v1alpha1.ReasonDeliveriesFailing, fmt.Sprintf(
			"events that could not be delivered in %d attempts or more: %d (%s). If nothing changes, Medblocks disables the endpoint on %s: repair the receiver",
			earlyWarning, is.failing, answer, is.lastAt.UTC().Format("2006-01-02 at 15h UTC")))
	case is.backlog:
		c.set(condition, metav1.ConditionFalse, v1alpha1.ReasonDeliveriesFailing, fmt.Sprintf(
			"%d events or more could not be delivered at the first attempt: repair the receiver", medblocks.DefaultPageSize))
	case is.known:
		c.set(condition, metav1.ConditionTrue, v1alpha1.ReasonDelivering, fmt.Sprintf("no event has failed %d times or more", earlyWarning))
	default:
		c.keepHealth()
	}
}

// sinceRotation says what the receiver makes of the last rotation. Without monitoring nobody knows.
func (c *conclusion) sinceRotation(was *v1alpha1.SigningSecretStatus, is *v1alpha1.SigningSecretStatus) {
	switch {
	case c.res.MonitoringInterval() == 0 || is.LastRotated == nil:
		is.Deliveries = ""
		return
	case was != nil && was.LastRotated != nil && !was.LastRotated.Equal(is.LastRotated):
		is.Deliveries = v1alpha1.DeliveriesAwaited
		return
	case was != nil:
		is.Deliveries = was.Deliveries
	}
	if seen := c.obs.deliveries; seen != nil && seen.err == nil && isRotationUnproven(is) {
		accepted, refusal := seen.sinceRotation(is.LastRotated.Time)
		switch {
		case accepted:
			is.Deliveries = v1alpha1.DeliveriesAccepted
		case refusal != nil:
			is.Deliveries = v1alpha1.DeliveriesRefused
		}
	}
}

// addDeliveries adds to the condition of a Secret what the receiver makes of it.
func (c *conclusion) addDeliveries(h *hold) {
	if c.status.SigningSecret == nil {
		return
	}
	switch c.status.SigningSecret.Deliveries {
	case v1alpha1.DeliveriesAwaited:
		h.Message += "; no delivery that was signed with it has been accepted yet"
	case v1alpha1.DeliveriesRefused:
		h.Message += "; " + secretRefused(c.res, c.obs.secret.name)
	case v1alpha1.DeliveriesAccepted:
		h.Reason = v1alpha1.ReasonPublished
		h.Message = fmt.Sprintf("Secret %q holds the signing secret, and the receiver accepts deliveries signed with it", c.obs.secret.name)
	}
}

// secretRefused names the receiver that has not learned of a rotation.
func secretRefused(res *v1alpha1.MedblocksWebhookEndpoint, secret string) string {
	return fmt.Sprintf("the receiver %s refuses deliveries signed with the secret of the last rotation: let it read %s and %s from Secret %q and accept both",
		WithoutQuery(res.Spec.URL), v1alpha1.SecretKeyValue, v1alpha1.SecretKeyPrevious, secret)
}
