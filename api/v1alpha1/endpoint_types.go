// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MedblocksWebhookEndpoint declares one webhook endpoint in a Medblocks
// workspace. The operator registers it, keeps it matching this manifest,
// stores its signing secret in a Secret, and shows in conditions whether
// events flow.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=medblockswebhookendpoints,singular=medblockswebhookendpoint,shortName=mwe,categories=medblocks
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Ready",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status",description="Whether the endpoint is in the wanted state and its signing secret is published"
// +kubebuilder:printcolumn:name="Reason",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].reason",description="Why, in one word"
// +kubebuilder:printcolumn:name="Endpoint",type="string",JSONPath=".status.endpoint.status",description="Status at Medblocks: active or disabled"
// +kubebuilder:printcolumn:name="URL",type="string",JSONPath=".spec.url",description="Receiver URL"
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp",description="Age of the resource"
// +kubebuilder:printcolumn:name="Endpoint ID",type="string",priority=1,JSONPath=".status.endpointID",description="Id of the endpoint at Medblocks"
// +kubebuilder:printcolumn:name="Events",type="string",priority=1,JSONPath=".spec.events",description="Subscribed event types"
// +kubebuilder:printcolumn:name="Secret",type="string",priority=1,JSONPath=".status.signingSecret.name",description="Secret that holds the signing secret"
// +kubebuilder:printcolumn:name="Message",type="string",priority=1,JSONPath=".status.conditions[?(@.type=='Ready')].message",description="What is wrong and what to do, or what was done"
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 238 || (has(self.spec.signingSecret) && has(self.spec.signingSecret.name))",message="metadata.name is longer than 238 characters, so the default name of the signing Secret (<name>-signing-secret) would exceed 253: set spec.signingSecret.name or choose a shorter name"
// +kubebuilder:validation:XValidation:rule="(has(self.spec.signingSecret) && has(self.spec.signingSecret.name)) || !has(self.spec.apiKeySecretRef) || self.spec.apiKeySecretRef.name != self.metadata.name + '-signing-secret'",fieldPath=".spec.apiKeySecretRef.name",message="apiKeySecretRef.name is the default name of this resource's signing Secret, which the operator owns: set spec.signingSecret.name or keep the API key in another Secret"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.adopt) || has(oldSelf.spec.adopt) || !has(self.status) || !has(self.status.endpointID) || size(self.status.endpointID) == 0 || self.spec.adopt.endpointID == self.status.endpointID",fieldPath=".spec.adopt.endpointID",message="adopt.endpointID must be status.endpointID, because this resource already manages that endpoint: create another resource for another endpoint"
type MedblocksWebhookEndpoint struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's standard metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted endpoint.
	// +required
	Spec MedblocksWebhookEndpointSpec `json:"spec,omitzero"`

	// status is what the operator last saw and did.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status MedblocksWebhookEndpointStatus `json:"status,omitzero"`
}

// MedblocksWebhookEndpointList is a list of MedblocksWebhookEndpoints.
//
// +kubebuilder:object:root=true
type MedblocksWebhookEndpointList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MedblocksWebhookEndpoint `json:"items"`
}

// MedblocksWebhookEndpointSpec is the wanted endpoint. Fields that are left
// out have the defaults named in their description; the operator resolves them
// and never writes them into the spec.
//
// +kubebuilder:validation:XValidation:rule="has(self.medblocksAPIVersion) == has(oldSelf.medblocksAPIVersion) && (!has(self.medblocksAPIVersion) || self.medblocksAPIVersion == oldSelf.medblocksAPIVersion)",fieldPath=".medblocksAPIVersion",message="medblocksAPIVersion cannot be changed, added or removed: Medblocks pins it at registration; delete this resource and create another one"
// +kubebuilder:validation:XValidation:rule="has(self.apiKeySecretRef) != has(self.accountRef)",fieldPath=".apiKeySecretRef",message="exactly one of apiKeySecretRef and accountRef is needed: name a Secret of this namespace that holds an API key, or a MedblocksAccount of this cluster, and remove the other"
// +kubebuilder:validation:XValidation:rule="!has(self.signingSecret) || !has(self.signingSecret.name) || !has(self.apiKeySecretRef) || self.signingSecret.name != self.apiKeySecretRef.name",fieldPath=".signingSecret.name",message="signingSecret.name must differ from apiKeySecretRef.name: the operator owns the signing Secret and only reads the API key"
type MedblocksWebhookEndpointSpec struct {
	// url is the receiver URL that Medblocks delivers events to. It must be https;
	// http is accepted for localhost, 127.0.0.1 and [::1] only. No userinfo, no
	// fragment, at most 2048 characters.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.contains('#') || self.matches(r'[\\pZ\\pC\\\\]') || (isURL(self) && url(self).getScheme() != '' && url(self).getHostname() != '')",message="url must be an absolute URL with a host, such as https://api.example.com/medblocks/webhook"
	// +kubebuilder:validation:XValidation:rule="!isURL(self) || url(self).getHostname() == '' || url(self).getScheme() in ['', 'https'] || (url(self).getScheme() == 'http' && url(self.lowerAscii()).getHostname() in ['localhost', '127.0.0.1', '::1'])",message="url must use https; http is accepted for localhost, 127.0.0.1 and [::1] only"
	// +kubebuilder:validation:XValidation:rule="!isURL(self) || url(self).getPort() == '' || (size(url(self).getPort()) <= 5 && int(url(self).getPort()) >= 1 && int(url(self).getPort()) <= 65535)",message="url must have a port between 1 and 65535, or none"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@')",message="url must not contain userinfo (user:password@): every reader of this resource would see it; let the receiver verify the signature instead"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="url must not contain a fragment (#…): it is never sent to a server"
	// +kubebuilder:validation:XValidation:rule="!self.matches(r'[\\pZ\\pC\\\\]')",message="url must not contain white space, control characters or backslashes: percent-encode them"
	URL string `json:"url,omitempty"`

	// events are the event types to subscribe to: one to four of the catalogue, or
	// "*" alone for all of them.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:XValidation:rule="!('*' in self) || size(self) == 1",message="events must be '*' alone or a list of event types: '*' already subscribes to all of them"
	Events []EventType `json:"events,omitempty"`

	// description is a note shown in the Medblocks dashboard, at most 500
	// characters. Left out, it is cleared.
	// +optional
	// +kubebuilder:validation:MaxLength=500
	Description string `json:"description,omitempty"`

	// metadata is the whole metadata map of the endpoint, at most 40 keys: keys
	// set elsewhere are removed. Keys that start with webhook-operator/ are
	// reserved for the operator.
	// +optional
	// +kubebuilder:validation:MaxProperties=40
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('webhook-operator/'))",message="metadata keys must not start with webhook-operator/: they are reserved for the operator"
	Metadata map[string]MetadataValue `json:"metadata,omitempty"`

	// medblocksAPIVersion is the API version (YYYY-MM-DD) that the endpoint is
	// registered with; every event sent to it carries that version. Default: the
	// operator's own version. It cannot be changed, added or removed later.
	// +optional
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="medblocksAPIVersion must be a date, YYYY-MM-DD, such as 2026-04-25"
	MedblocksAPIVersion string `json:"medblocksAPIVersion,omitempty"`

	// apiKeySecretRef names the Secret, in the namespace of this resource, that
	// holds the Medblocks API key. Exactly one of apiKeySecretRef and accountRef
	// is needed.
	// +optional
	APIKeySecretRef APIKeySecretReference `json:"apiKeySecretRef,omitzero"`

	// accountRef names the MedblocksAccount whose API key is used, instead of a
	// Secret of this namespace.
	// +optional
	AccountRef *AccountReference `json:"accountRef,omitempty"`

	// state is what you want the endpoint to be: Active (default) or Disabled.
	// +optional
	// +kubebuilder:validation:Enum=Active;Disabled
	State EndpointState `json:"state,omitempty"`

	// signingSecret configures the Secret that the operator writes the signing
	// secret to.
	// +optional
	SigningSecret *SigningSecretSpec `json:"signingSecret,omitempty"`

	// reenablePolicy says what to do when Medblocks disables the endpoint after
	// nine failed attempts to deliver one event. Default: nothing (mode Never). An
	// endpoint that a person disabled is never re-enabled by policy.
	// +optional
	ReenablePolicy *ReenablePolicy `json:"reenablePolicy,omitempty"`

	// adopt takes over an endpoint that already exists at Medblocks, whoever
	// created it, instead of registering one.
	// +optional
	Adopt *AdoptSpec `json:"adopt,omitempty"`

	// managementPolicy is Manage (default), or Observe to mirror status and report
	// drift without ever writing to Medblocks. Observe needs adopt.endpointID, or
	// an endpoint that was managed before.
	// +optional
	// +kubebuilder:validation:Enum=Manage;Observe
	ManagementPolicy ManagementPolicy `json:"managementPolicy,omitempty"`

	// deletionPolicy says what happens to the endpoint when this resource is
	// deleted: Delete (default) removes it and its signing Secret, Orphan leaves
	// both behind, without the operator's marks.
	// +optional
	// +kubebuilder:validation:Enum=Delete;Orphan
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// deliveryMonitoring checks the endpoint's undelivered events at an interval
	// and reports them in the condition DeliveriesHealthy, before Medblocks
	// disables the endpoint. Off by default.
	// +optional
	DeliveryMonitoring *DeliveryMonitoring `json:"deliveryMonitoring,omitempty"`

	// suspend stops reconciling this resource: nothing is written to Medblocks or
	// to the signing Secret until it is false again. Deletion still works.
	// Default: false.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// EventType is an event type of the Medblocks events catalogue (API version
// 2026-04-25), or "*" for all of them.
//
// +kubebuilder:validation:Enum=patient_flow.completed;connection.token_refresh_failed;records.sync.completed;records.sync.failed;*
type EventType string

// The events catalogue.
const (
	EventPatientFlowCompleted         EventType = "patient_flow.completed"
	EventConnectionTokenRefreshFailed EventType = "connection.token_refresh_failed"
	EventRecordsSyncCompleted         EventType = "records.sync.completed"
	EventRecordsSyncFailed            EventType = "records.sync.failed"
	EventAll                          EventType = "*"
)

// MetadataValue is a value of the endpoint's metadata.
//
// +kubebuilder:validation:MaxLength=4096
type MetadataValue string

// AccountReference names a MedblocksAccount of the cluster.
type AccountReference struct {
	// name of the MedblocksAccount.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be the name of a MedblocksAccount: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`
}

// APIKeySecretReference names a key in a Secret: of the resource's own
// namespace or, in a MedblocksAccount, of the operator's.
type APIKeySecretReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be the name of a Secret: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// key in the Secret whose value is the API key. Default: MEDBLOCKS_API_KEY.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="key must be a key of a Secret: letters, digits, '-', '_' and '.'"
	Key string `json:"key,omitempty"`
}

// EndpointState is what the user wants the endpoint to be.
type EndpointState string

const (
	// StateActive wants Medblocks to deliver events. It is the default.
	StateActive EndpointState = "Active"
	// StateDisabled wants Medblocks to skip deliveries.
	StateDisabled EndpointState = "Disabled"
)

// ManagementPolicy says how much the operator may do at Medblocks.
type ManagementPolicy string

const (
	// ManagementManage lets the operator write. It is the default.
	ManagementManage ManagementPolicy = "Manage"
	// ManagementObserve mirrors status and never writes.
	ManagementObserve ManagementPolicy = "Observe"
)

// DeletionPolicy says what the deletion of the resource does to the endpoint.
type DeletionPolicy string

const (
	// DeletionDelete deletes the endpoint and the signing Secret. It is the
	// default.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionOrphan leaves both behind, without the operator's marks.
	DeletionOrphan DeletionPolicy = "Orphan"
)

// SigningSecretSpec configures the Secret that holds the signing secret.
type SigningSecretSpec struct {
	// name of the Secret. Default: <name of this resource>-signing-secret. A
	// Secret that exists and does not belong to this resource is never
	// overwritten. A changed name moves the Secret.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be a valid name of a Secret: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// labels to set on the Secret, at most 32. app.kubernetes.io/managed-by is
	// reserved for the operator.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="!('app.kubernetes.io/managed-by' in self)",message="labels must not set app.kubernetes.io/managed-by: the operator finds its Secrets by it"
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && !format.qualifiedName().validate(k).hasValue())",message="labels must have valid label keys: an optional DNS prefix and '/', then up to 63 letters, digits, '-', '_' and '.'"
	Labels map[string]LabelValue `json:"labels,omitempty"`

	// annotations to set on the Secret, at most 32. Keys under
	// connect.medblocks.com/ are reserved for the operator.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('connect.medblocks.com/'))",message="annotations must not use keys under connect.medblocks.com/: they are reserved for the operator"
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && !format.qualifiedName().validate(k.lowerAscii()).hasValue())",message="annotations must have valid annotation keys: an optional DNS prefix and '/', then up to 63 letters, digits, '-', '_' and '.'"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`

	// rotation asks for a new signing secret at an interval. Off by default.
	// +optional
	Rotation *SecretRotation `json:"rotation,omitempty"`
}

// LabelValue is the value of a Kubernetes label.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$`
type LabelValue string

// AnnotationValue is the value of a Kubernetes annotation.
//
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// AdoptSpec takes over an endpoint that exists. Its signing secret cannot be
// read from Medblocks, so exactly one of existingSecretRef and rotateSecret
// says where it comes from. Ignored once the endpoint carries this resource's
// mark.
//
// +kubebuilder:validation:XValidation:rule="has(self.existingSecretRef) != (has(self.rotateSecret) && self.rotateSecret)",message="adopt needs exactly one of existingSecretRef and rotateSecret: true, because Medblocks never shows a signing secret again: copy it from a Secret of yours, or consent to a new one"
type AdoptSpec struct {
	// endpointID of the endpoint to take over, wh_…. It cannot be changed.
	// +required
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^wh_[0-9A-Za-z]+$')",message="endpointID must be the id of a webhook endpoint, wh_…"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="endpointID cannot be changed: delete this resource with deletionPolicy Orphan and create another one"
	EndpointID string `json:"endpointID,omitempty"`

	// existingSecretRef names the Secret of yours that holds the endpoint's
	// signing secret. It is read, now and then again, and never written.
	// +optional
	ExistingSecretRef *SecretKeyReference `json:"existingSecretRef,omitempty"`

	// rotateSecret consents to a new signing secret: the old one stops signing at
	// once.
	// +optional
	RotateSecret bool `json:"rotateSecret,omitempty"`
}

// SecretKeyReference names a key in a Secret of the resource's own namespace.
type SecretKeyReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="name must be the name of a Secret: lower-case letters, digits, '-' and '.'"
	Name string `json:"name,omitempty"`

	// key in the Secret.
	// +required
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="key must be a key of a Secret: letters, digits, '-', '_' and '.'"
	Key string `json:"key,omitempty"`
}
