// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types of a MedblocksWebhookEndpoint.
const (
	// ConditionReady is True when Synced and SigningSecretReady are, and the endpoint is in the wanted state. It is
	// derived from the other conditions and takes the reason and message of the first one that fails.
	ConditionReady = "Ready"
	// ConditionSynced is True when the endpoint exists at Medblocks and matches the spec.
	ConditionSynced = "Synced"
	// ConditionSigningSecretReady is True when the Secret holds the secret that Medblocks signs with.
	ConditionSigningSecretReady = "SigningSecretReady"
	// ConditionEnabled is True when the endpoint is active at Medblocks, that is, when events are delivered.
	ConditionEnabled = "Enabled"
	// ConditionDeliveriesHealthy is True when no event is undelivered past its third attempt (opt-in).
	ConditionDeliveriesHealthy = "DeliveriesHealthy"
	// ConditionReconciling is present, and True, while the operator is working or waiting to work (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present, and True, while only a change from outside can help (kstatus).
	ConditionStalled = "Stalled"
)

// Reasons of Synced. Ready, Reconciling and Stalled repeat the reason of the condition that they follow.
const (
	// ReasonRegistered: the endpoint exists and matches the spec.
	ReasonRegistered = "Registered"
	// ReasonPending: the operator has not finished yet.
	ReasonPending = "Pending"
	// ReasonSuspended: spec.suspend is true.
	ReasonSuspended = "Suspended"
	// ReasonDrifted: the endpoint differs from the spec and the operator may not change it.
	ReasonDrifted = "Drifted"
	// ReasonInvalidRequest: Medblocks, or this version of the operator, refuses what the spec asks for.
	ReasonInvalidRequest = "InvalidRequest"
	// ReasonCredentialsUnavailable: the API key Secret, or the key in it, is missing or empty.
	ReasonCredentialsUnavailable = "CredentialsUnavailable"
	// ReasonWrongEnvironment: the API key is of another environment (Sandbox, Production) than the MedblocksAccount or the
	// operator allows. It is not used for any call.
	ReasonWrongEnvironment = "WrongEnvironment"
	// ReasonNotAllowed: the resource violates a guardrail of the MedblocksAccount that it names.
	ReasonNotAllowed = "NotAllowed"
	// ReasonInvalidAPIKey: Medblocks refuses the API key (401).
	ReasonInvalidAPIKey = "InvalidAPIKey"
	// ReasonForbidden: the API key is valid and not allowed to do this (403).
	ReasonForbidden = "Forbidden"
	// ReasonRateLimited: Medblocks asks the account to slow down (429).
	ReasonRateLimited = "RateLimited"
	// ReasonAPIUnavailable: Medblocks did not answer, or not with what its documentation promises.
	ReasonAPIUnavailable = "APIUnavailable"
	// ReasonQuotaExceeded: the workspace has no room for another endpoint.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonConflict: somebody else writes to this endpoint in this resource's name, or another resource has the older claim
	// to the endpoint or to the signing Secret.
	ReasonConflict = "Conflict"
	// ReasonOwnershipLost: the endpoint carries the mark of another owner.
	ReasonOwnershipLost = "OwnershipLost"
	// ReasonWorkspaceChanged: the API key was exchanged for one that cannot see the endpoint.
	ReasonWorkspaceChanged = "WorkspaceChanged"
	// ReasonAdoptionTargetNotFound: the endpoint to adopt does not exist in the key's workspace.
	ReasonAdoptionTargetNotFound = "AdoptionTargetNotFound"
)

// Reasons of SigningSecretReady.
const (
	// ReasonPublished: the Secret holds the secret from the registration.
	ReasonPublished = "Published"
	// ReasonRotated: the Secret holds the secret of a rotation that was asked for.
	ReasonRotated = "Rotated"
	// ReasonRecovered: the secret was lost and a rotation has healed it.
	ReasonRecovered = "Recovered"
	// ReasonWaitingForSecret: there is no secret to publish yet, or the Secret cannot be written.
	ReasonWaitingForSecret = "WaitingForSecret"
	// ReasonNotOwned: a Secret of that name exists and belongs to somebody else.
	ReasonNotOwned = "NotOwned"
	// ReasonContested: another controller keeps changing the Secret.
	ReasonContested = "Contested"
)

// Reasons of Enabled. All but Active and ReasonUnknown are also causes in status.disabled.
const (
	// ReasonActive: the endpoint is active at Medblocks.
	ReasonActive = "Active"
	// ReasonAutoDisabled: Medblocks disabled it because an event failed nine times.
	ReasonAutoDisabled = "AutoDisabled"
	// ReasonDisabledManually: a person disabled it.
	ReasonDisabledManually = "DisabledManually"
	// ReasonDisabledBySpec: spec.state is Disabled.
	ReasonDisabledBySpec = "DisabledBySpec"
	// ReasonUnknown: the endpoint's status, or why it is disabled, is not known.
	ReasonUnknown = "Unknown"
)

// Reasons of DeliveriesHealthy. Before the first look it is Unknown with ReasonPending.
const (
	// ReasonDelivering: no event has failed several times.
	ReasonDelivering = "Delivering"
	// ReasonDeliveriesFailing: events have failed several times, and Medblocks will disable the endpoint if that goes on.
	ReasonDeliveriesFailing = "DeliveriesFailing"
	// ReasonNotDelivering: the endpoint is not active.
	ReasonNotDelivering = "NotDelivering"
)

// Annotations that a user sets on the resource, each with a token (a time, say) that is handled once.
const (
	// AnnotationReconcileRequestedAt asks for a reconcile that reads the endpoint from Medblocks.
	AnnotationReconcileRequestedAt = Group + "/reconcile-requested-at"
	// AnnotationFluxReconcileRequestedAt is Flux's annotation for the same (flux reconcile).
	AnnotationFluxReconcileRequestedAt = "reconcile.fluxcd.io/requestedAt"
	// AnnotationRotateSecretRequestedAt asks for a new signing secret.
	AnnotationRotateSecretRequestedAt = Group + "/rotate-secret-requested-at"
	// AnnotationReenableRequestedAt re-enables the endpoint whatever the policy and the cause, and resets the attempts.
	AnnotationReenableRequestedAt = Group + "/reenable-requested-at"
	// AnnotationReregisterRequestedAt answers WorkspaceChanged: register the endpoint in the new key's workspace.
	AnnotationReregisterRequestedAt = Group + "/reregister-requested-at"
	// AnnotationRelease set to "true" lets a deletion finish without calling Medblocks.
	AnnotationRelease = Group + "/release"
)

// Written by the operator.
const (
	// Finalizer keeps the resource until its endpoint is gone or released.
	Finalizer = Group + "/endpoint"
	// AnnotationRegistration is the intent that is written before an endpoint is registered.
	AnnotationRegistration = Group + "/registration"
	// AnnotationSecretNames is where the operator notes names of signing Secrets, if it may not list Secrets (--secret-access=get).
	AnnotationSecretNames = Group + "/signing-secret-names"

	// LabelManagedBy marks the Secrets that the operator writes.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedBy is its value.
	ManagedBy = "medblocks-webhook-operator"
	// AnnotationOwner on a signing Secret names the resource, <namespace>/<name>.
	AnnotationOwner = Group + "/owner"
	// AnnotationSecretGeneration on a signing Secret is the nonce that the endpoint carries in its metadata too.
	AnnotationSecretGeneration = Group + "/secret-generation"
	// AnnotationSecretRotatedAt on a signing Secret is when its value was issued.
	AnnotationSecretRotatedAt = Group + "/rotated-at"
	// AnnotationSecretRotatedFor on a signing Secret is the token of the request that its value was rotated for.
	AnnotationSecretRotatedFor = Group + "/rotated-for"
	// AnnotationSecretHealedAt on a signing Secret is when its value was issued, if it replaces one that was lost.
	AnnotationSecretHealedAt = Group + "/healed-at"
	// AnnotationSecretName on a signing Secret is the Secret's own name: a copy that somebody made under another name is theirs.
	AnnotationSecretName = Group + "/secret-name"
	// AnnotationCopiedFrom on a signing Secret names the Secret and the key that its value was copied from, <name>/<key>.
	AnnotationCopiedFrom = Group + "/copied-from"
	// AnnotationSecretHash on a signing Secret is the SHA-256 of the value, to notice a change by somebody else.
	AnnotationSecretHash = Group + "/secret-sha256"
	// AnnotationSecretApplied on a signing Secret names the labels and annotations that spec.signingSecret asked for.
	AnnotationSecretApplied = Group + "/applied-metadata"
)

// Keys of the signing Secret; they are names of environment variables, so that envFrom just works.
const (
	// SecretKeyValue holds the signing secret, whsec_….
	SecretKeyValue = "MEDBLOCKS_WEBHOOK_SECRET"
	// SecretKeyPrevious holds the value that was published before the last rotation.
	SecretKeyPrevious = "MEDBLOCKS_WEBHOOK_SECRET_PREVIOUS"
	// SecretKeyEndpointID holds the id of the endpoint, wh_….
	SecretKeyEndpointID = "MEDBLOCKS_WEBHOOK_ID"
)

// DefaultAPIKeySecretKey is the key of the API key Secret where apiKeySecretRef names none.
const DefaultAPIKeySecretKey = "MEDBLOCKS_API_KEY"

// Marks are the reserved keys in the endpoint's metadata at Medblocks.
const (
	// MarkPrefix is reserved for the operator.
	MarkPrefix = "webhook-operator/"
	// MarkOwner is the identity: <clusterID>/<namespace>/<name>.
	MarkOwner = MarkPrefix + "owner"
	// MarkIncarnation is the resource's UID: a fence, not an identity.
	MarkIncarnation = MarkPrefix + "incarnation"
	// MarkSecretGeneration is a nonce, also in the Secret: equal means that the Secret holds the secret in force.
	MarkSecretGeneration = MarkPrefix + "secret-generation"
)
