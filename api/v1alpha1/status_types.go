// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MedblocksWebhookEndpointStatus is what the operator last saw and did. It
// changes only when something happened: there is no time of the last check in
// it (a metric has that).
type MedblocksWebhookEndpointStatus struct {
	// conditions of the resource: Ready, Synced, SigningSecretReady, Enabled,
	// DeliveriesHealthy, and, only while they are True, Reconciling and Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about;
	// -1 before the first reconcile.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// endpointID is the id of the endpoint at Medblocks, wh_….
	// +optional
	EndpointID string `json:"endpointID,omitempty"`

	// endpoint is what was last seen at Medblocks.
	// +optional
	Endpoint *ObservedEndpoint `json:"endpoint,omitempty"`

	// appliedHash is a hash of what the operator last asked Medblocks for.
	// +optional
	AppliedHash string `json:"appliedHash,omitempty"`

	// acceptedHash is a hash of Medblocks' answer to that. Where the endpoint
	// differs from it, somebody changed it.
	// +optional
	AcceptedHash string `json:"acceptedHash,omitempty"`

	// keyHash tells which API key last saw the endpoint. The key cannot be derived
	// from it.
	// +optional
	KeyHash string `json:"keyHash,omitempty"`

	// disabled is set while the endpoint is disabled at Medblocks.
	// +optional
	Disabled *DisabledStatus `json:"disabled,omitempty"`

	// reenable is the record of the re-enable policy.
	// +optional
	Reenable *ReenableStatus `json:"reenable,omitempty"`

	// signingSecret is the Secret that the signing secret was published in.
	// +optional
	SigningSecret *SigningSecretStatus `json:"signingSecret,omitempty"`

	// redelivery is the progress of the redelivery that follows a re-enable.
	// +optional
	Redelivery *RedeliveryStatus `json:"redelivery,omitempty"`

	// lastHandledReconcileAt is the last handled value of the annotation
	// reconcile.fluxcd.io/requestedAt or, where that is not set, of
	// connect.medblocks.com/reconcile-requested-at.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// lastHandledReconcileRequestedAt is the last handled value of
	// connect.medblocks.com/reconcile-requested-at.
	// +optional
	LastHandledReconcileRequestedAt string `json:"lastHandledReconcileRequestedAt,omitempty"`

	// lastHandledRotateSecretAt is the last handled value of
	// connect.medblocks.com/rotate-secret-requested-at.
	// +optional
	LastHandledRotateSecretAt string `json:"lastHandledRotateSecretAt,omitempty"`

	// lastHandledReenableAt is the last handled value of
	// connect.medblocks.com/reenable-requested-at.
	// +optional
	LastHandledReenableAt string `json:"lastHandledReenableAt,omitempty"`

	// lastHandledReregisterAt is the last handled value of
	// connect.medblocks.com/reregister-requested-at.
	// +optional
	LastHandledReregisterAt string `json:"lastHandledReregisterAt,omitempty"`

	// history is the last ten things that the operator did at Medblocks, newest
	// last.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	History []HistoryEntry `json:"history,omitempty"`
}

// ObservedEndpoint is the endpoint as last seen at Medblocks.
type ObservedEndpoint struct {
	// status at Medblocks: active or disabled.
	// +optional
	Status string `json:"status,omitempty"`
	// url at Medblocks.
	// +optional
	URL string `json:"url,omitempty"`
	// events subscribed to at Medblocks, sorted.
	// +optional
	// +listType=atomic
	Events []string `json:"events,omitempty"`
	// apiVersion that Medblocks pinned at registration.
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`
	// createdAt is when the endpoint was registered.
	// +optional
	CreatedAt *metav1.Time `json:"createdAt,omitempty"`
}

// DisabledStatus says since when and why the endpoint is disabled.
type DisabledStatus struct {
	// since is when the operator noticed.
	// +required
	Since metav1.Time `json:"since"`
	// cause is AutoDisabled, DisabledManually, DisabledBySpec or Unknown.
	// +required
	Cause string `json:"cause"`
	// lastStatusCode is the status code of the receiver's last answer to the event
	// that led to the disable; absent where it did not answer.
	// +optional
	LastStatusCode *int32 `json:"lastStatusCode,omitempty"`
	// endpointUpdatedAt is the endpoint's updated_at at Medblocks when Medblocks
	// was found to have disabled it. Where it is another one at an attempt to
	// re-enable, somebody has changed the endpoint since, and who disabled it is
	// found out anew.
	// +optional
	EndpointUpdatedAt string `json:"endpointUpdatedAt,omitempty"`
}

// ReenableStatus is the record of the re-enable policy.
type ReenableStatus struct {
	// attempts are the times of the attempts within the window, oldest first. An
	// attempt is written before it is made.
	// +optional
	// +listType=atomic
	Attempts []metav1.Time `json:"attempts,omitempty"`
	// nextAttempt is when the endpoint will be re-enabled; absent while nothing is
	// due.
	// +optional
	NextAttempt *metav1.Time `json:"nextAttempt,omitempty"`
	// accountedEvents are ids of events whose nine failed attempts explain an
	// earlier disable. They stay undelivered for ever and never explain another
	// one. At most 100.
	// +optional
	// +listType=atomic
	AccountedEvents []string `json:"accountedEvents,omitempty"`
	// accountedBefore extends accountedEvents when there were more than 100:
	// events created before it are accounted for.
	// +optional
	AccountedBefore *metav1.Time `json:"accountedBefore,omitempty"`
	// baselineDue is true while the resource is suspended, and until the events
	// that were exhausted meanwhile are accounted for.
	// +optional
	BaselineDue bool `json:"baselineDue,omitempty"`
}

// SigningSecretStatus is the Secret that the signing secret was published in.
type SigningSecretStatus struct {
	// name of the Secret.
	// +required
	Name string `json:"name"`
	// lastRotated is when Medblocks last issued a new signing secret to the
	// operator.
	// +optional
	LastRotated *metav1.Time `json:"lastRotated,omitempty"`
	// lastHealed is when a lost or changed Secret was last healed by a rotation;
	// that is done once an hour at most.
	// +optional
	LastHealed *metav1.Time `json:"lastHealed,omitempty"`
	// deliveries says, after a rotation and where deliveryMonitoring is on, what
	// the receiver makes of deliveries signed with the new secret: Awaited,
	// Accepted or Refused.
	// +optional
	Deliveries string `json:"deliveries,omitempty"`
}

// HistoryEntry is one thing that the operator did at Medblocks.
type HistoryEntry struct {
	// time of the call, to the second.
	// +required
	Time metav1.Time `json:"time"`
	// action is RegisterEndpoint, AdoptEndpoint, UpdateEndpoint, DisableEndpoint,
	// EnableEndpoint, RepairMarks, RotateSecret or DeleteDuplicate.
	// +required
	Action string `json:"action"`
	// trigger says why it was done.
	// +required
	Trigger string `json:"trigger"`
}
