// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// The annotations that ask for something carry a token that is handled once. A token is pending while the status does
// not name it as handled.

func pending(res *v1alpha1.MedblocksWebhookEndpoint, annotation, handled string) bool {
	token := res.Annotations[annotation]
	return token != "" && token != handled
}

func reconcileRequested(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return pending(res, v1alpha1.AnnotationFluxReconcileRequestedAt, res.Status.LastHandledReconcileAt) ||
		pending(res, v1alpha1.AnnotationReconcileRequestedAt, res.Status.LastHandledReconcileRequestedAt)
}

// pendingSinceRegistration: what a resource is born with, or restored with, counts as handled (see markAllHandled).
func pendingSinceRegistration(res *v1alpha1.MedblocksWebhookEndpoint, annotation, handled string) bool {
	return res.Status.EndpointID != "" && pending(res, annotation, handled)
}

func rotateRequested(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return pendingSinceRegistration(res, v1alpha1.AnnotationRotateSecretRequestedAt, res.Status.LastHandledRotateSecretAt)
}

func reenableRequested(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return pendingSinceRegistration(res, v1alpha1.AnnotationReenableRequestedAt, res.Status.LastHandledReenableAt)
}

func reregisterRequested(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return pending(res, v1alpha1.AnnotationReregisterRequestedAt, res.Status.LastHandledReregisterAt) // it may be about the first registration
}

// released tells whether a person lets the deletion finish without the API.
func released(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return res.Annotations[v1alpha1.AnnotationRelease] == "true"
}

// markReconcileHandled keeps that the requests for a reconcile were served.
func markReconcileHandled(res *v1alpha1.MedblocksWebhookEndpoint, status *v1alpha1.MedblocksWebhookEndpointStatus) {
	own, flux := res.Annotations[v1alpha1.AnnotationReconcileRequestedAt], res.Annotations[v1alpha1.AnnotationFluxReconcileRequestedAt]
	if own != "" {
		status.LastHandledReconcileRequestedAt = own
	}
	// The Flux CLI waits for its own token in this field.
	if flux != "" {
		status.LastHandledReconcileAt = flux
	} else if own != "" {
		status.LastHandledReconcileAt = own
	}
}

// markAllHandled keeps every token that is there: those that a resource is born with, or restored with, ask for
// nothing.
func markAllHandled(res *v1alpha1.MedblocksWebhookEndpoint, status *v1alpha1.MedblocksWebhookEndpointStatus) {
	markReconcileHandled(res, status)
	status.LastHandledRotateSecretAt = res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt]
	status.LastHandledReenableAt = res.Annotations[v1alpha1.AnnotationReenableRequestedAt]
	status.LastHandledReregisterAt = res.Annotations[v1alpha1.AnnotationReregisterRequestedAt]
}
