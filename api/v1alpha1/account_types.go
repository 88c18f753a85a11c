// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MedblocksAccount is one Medblocks API key for many teams. The key is in a
// Secret of the operator's own namespace, so that tenants need none;
// guardrails say which namespaces may use it, and for what. A
// MedblocksWebhookEndpoint uses it by spec.accountRef.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=medblocksaccounts,singular=medblocksaccount,scope=Cluster,shortName=mba,categories=medblocks
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Ready",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status",description="Whether the API key works and is of the right environment"
// +kubebuilder:printcolumn:name="Reason",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].reason",description="Why, in one word"
// +kubebuilder:printcolumn:name="Environment",type="string",JSONPath=".spec.environment",description="Environment that the API key has to be of"
// +kubebuilder:printcolumn:name="Resources",type="integer",JSONPath=".status.resources",description="Resources that use the account"
// +kubebuilder:printcolumn:name="Managed",type="integer",JSONPath=".status.endpoints.managed",description="Endpoints of an operator"
// +kubebuilder:printcolumn:name="Orphaned",type="integer",JSONPath=".status.endpoints.orphaned",description="Endpoints whose resource or cluster is gone"
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp",description="Age of the resource"
// +kubebuilder:printcolumn:name="Disabled",type="integer",priority=1,JSONPath=".status.endpoints.disabled",description="Endpoints that are disabled at Medblocks"
// +kubebuilder:printcolumn:name="Unmanaged",type="integer",priority=1,JSONPath=".status.endpoints.unmanaged",description="Endpoints that no operator has marked"
// +kubebuilder:printcolumn:name="Message",type="string",priority=1,JSONPath=".status.conditions[?(@.type=='Ready')].message",description="What is wrong and what to do"
type MedblocksAccount struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's standard metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the API key and what it may be used for.
	// +required
	Spec MedblocksAccountSpec `json:"spec,omitzero"`

	// status is what the operator last saw.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status MedblocksAccountStatus `json:"status,omitzero"`
}

// MedblocksAccountList is a list of MedblocksAccounts.
//
// +kubebuilder:object:root=true
type MedblocksAccountList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MedblocksAccount `json:"items"`
}

// MedblocksAccountSpec is an API key and what it may be used for. What is left
// out restricts nothing.
type MedblocksAccountSpec struct {
	// apiKeySecretRef names the Secret, in the operator's own namespace, that
	// holds the Medblocks API key.
	// +required
	APIKeySecretRef APIKeySecretReference `json:"apiKeySecretRef,omitzero"`

	// environment that the API key has to be of: Sandbox or Production. It is
	// checked by the key's prefix, before any call to Medblocks.
	// +optional
	// +kubebuilder:validation:Enum=Sandbox;Production
	Environment Environment `json:"environment,omitempty"`

	// namespaceSelector selects the namespaces, by their labels, whose resources
	// may use the account. Default: all.
	// +optional
	NamespaceSelector *NamespaceSelector `json:"namespaceSelector,omitempty"`

	// allowedURLHosts are the hosts that endpoints may have in their URL: exact
	// ones, or *.example.com for all below example.com. At most 64. Default: any.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	AllowedURLHosts []URLHost `json:"allowedURLHosts,omitempty"`

	// maxEndpointsPerNamespace is how many resources of one namespace may use the
	// account: those that have an endpoint, and then those that were created first. Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxEndpointsPerNamespace *int32 `json:"maxEndpointsPerNamespace,omitempty"`

	// orphans says what to do about endpoints whose resource or cluster is gone.
	// Default: report them.
	// +optional
	Orphans *OrphanPolicy `json:"orphans,omitempty"`
}

// Environment is a kind of Medblocks workspace.
type Environment string

const (
	// EnvironmentSandbox is that of keys which begin with mb_sk_sbx_.
	EnvironmentSandbox Environment = "Sandbox"
	// EnvironmentProduction is that of keys which begin with mb_sk_live_.
	EnvironmentProduction Environment = "Production"
)

// URLHost is a host, or *. and a domain for all hosts below it.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self.startsWith('*.') ? self.substring(2) : self).hasValue()",message="allowedURLHosts must hold hosts such as api.example.com or *.example.com: lower-case letters, digits, '-' and '.'; no scheme, no port, and international names in their ASCII form (xn--…)"
type URLHost string

// NamespaceSelector selects namespaces by their labels. All of its parts have
// to match; an empty one selects all namespaces.
type NamespaceSelector struct {
	// matchLabels are labels that a namespace must have, at most 32.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && !format.qualifiedName().validate(k).hasValue())",message="matchLabels must have valid label keys: an optional DNS prefix and '/', then up to 63 letters, digits, '-', '_' and '.'"
	MatchLabels map[string]LabelValue `json:"matchLabels,omitempty"`

	// matchExpressions are requirements on labels that a namespace must meet, at
	// most 16.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	MatchExpressions []NamespaceSelectorRequirement `json:"matchExpressions,omitempty"`
}

// NamespaceSelectorRequirement is a requirement on one label of a namespace.
//
// +kubebuilder:validation:XValidation:rule="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",message="values are needed for the operators In and NotIn, and for no other"
type NamespaceSelectorRequirement struct {
	// key of the label.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:XValidation:rule="!format.qualifiedName().validate(self).hasValue()",message="key must be a valid label key: an optional DNS prefix and '/', then up to 63 letters, digits, '-', '_' and '.'"
	Key string `json:"key,omitempty"`

	// operator is In, NotIn, Exists or DoesNotExist.
	// +required
	// +kubebuilder:validation:Enum=In;NotIn;Exists;DoesNotExist
	Operator string `json:"operator,omitempty"`

	// values for In and NotIn, at most 64.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Values []LabelValue `json:"values,omitempty"`
}

// OrphanAction says what to do about an orphaned endpoint.
type OrphanAction string

const (
	// OrphansReport counts and lists them. It is the default.
	OrphansReport OrphanAction = "Report"
	// OrphansDelete deletes them.
	OrphansDelete OrphanAction = "Delete"
)

// OrphanPolicy says what to do about orphans: endpoints with the owner mark of
// a resource of this cluster that does not exist, or with one that begins with
// ownerPrefix and is of another cluster. Endpoints without an owner mark are
// never touched.
//
// +kubebuilder:validation:XValidation:rule="!has(self.policy) || self.policy != 'Delete' || has(self.ownerPrefix)",fieldPath=".ownerPrefix",message="ownerPrefix is needed with policy Delete: say whose endpoints may be deleted, such as preview-7/ for all of the cluster preview-7"
type OrphanPolicy struct {
	// policy is Report (default), or Delete to delete those whose owner mark
	// begins with ownerPrefix.
	// +optional
	// +kubebuilder:validation:Enum=Report;Delete
	Policy OrphanAction `json:"policy,omitempty"`

	// ownerPrefix is how the owner mark of such an endpoint begins. Owner marks
	// are <cluster id>/<namespace>/<name>; the prefix holds at least a whole
	// cluster id and its slash. Endpoints of other clusters that match it count as
	// orphaned: name only clusters that are gone.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^/]+/')",message="ownerPrefix must hold a whole cluster id and a slash, such as preview-7/ or preview-7/team-a/"
	OwnerPrefix string `json:"ownerPrefix,omitempty"`

	// after is how long an endpoint has to be seen as orphaned before it is
	// deleted, at least 1h. Default: 24h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(\.[0-9]{1,9})?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,9})?(ms|s|m|h))+$') && duration(self) >= duration('1h') && duration(self) <= duration('8760h')",message="after must be a Go duration (units h, m, s and ms) between 1h and 8760h, such as 24h"
	After *metav1.Duration `json:"after,omitempty"`
}

// MedblocksAccountStatus is what the operator last saw. The numbers in it are
// written when they change, once a minute at most.
type MedblocksAccountStatus struct {
	// conditions of the account: Ready and, only while they are True, Reconciling
	// and Stalled.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about;
	// -1 before the first reconcile.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// endpoints counts the endpoints of the workspace; absent before the first
	// complete list.
	// +optional
	Endpoints *AccountEndpoints `json:"endpoints,omitempty"`

	// resources is how many MedblocksWebhookEndpoints name this account.
	// +optional
	Resources int32 `json:"resources"`

	// orphans are the orphaned endpoints and since when each has been seen as one:
	// the 100 that were seen first.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	Orphans []OrphanedEndpoint `json:"orphans,omitempty"`
}

// AccountEndpoints counts the endpoints of a workspace. Managed, unmanaged and
// orphaned ones are all there are.
type AccountEndpoints struct {
	// managed carry an owner mark, of this or another cluster, and are not
	// orphaned.
	// +required
	Managed int32 `json:"managed"`
	// disabled at Medblocks, whosever they are.
	// +required
	Disabled int32 `json:"disabled"`
	// unmanaged carry no owner mark.
	// +required
	Unmanaged int32 `json:"unmanaged"`
	// orphaned carry the owner mark of a resource or cluster that is gone.
	// +required
	Orphaned int32 `json:"orphaned"`
}

// OrphanedEndpoint is an endpoint whose owner is gone.
type OrphanedEndpoint struct {
	// id of the endpoint at Medblocks, wh_….
	// +required
	ID string `json:"id"`
	// owner mark of the endpoint, <cluster id>/<namespace>/<name>.
	// +required
	Owner string `json:"owner"`
	// since is when it was first seen as orphaned.
	// +required
	Since metav1.Time `json:"since"`
}
