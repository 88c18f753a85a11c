// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StatusReport is the result of status.
type StatusReport struct {
	metav1.TypeMeta `json:",inline"`
	Operator        OperatorStatus   `json:"operator"`
	Resources       []ResourceStatus `json:"resources"`
}

// OperatorStatus says whether an operator is at work.
type OperatorStatus struct {
	// State is Working; Away: there is one, and it does not run; NotFound: none is in the operator's namespace; Unknown: the user may not
	// look.
	State string `json:"state"`
	// Message says how that is known, and what to do.
	Message string `json:"message"`
}

// States of the operator.
const (
	operatorWorking  = "Working"
	operatorAway     = "Away"
	operatorNotFound = "NotFound"
	operatorUnknown  = "Unknown"
)

// ResourceStatus is a MedblocksWebhookEndpoint and all that belongs to it.
type ResourceStatus struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Ready is the status of the condition, and Reason its reason; Unknown and empty before there is one.
	Ready  string `json:"ready"`
	Reason string `json:"reason,omitempty"`
	// Healthy: it is Ready, and nothing else that was seen contradicts.
	Healthy bool `json:"healthy"`
	// Delivering: the endpoint is active at Medblocks. Verdict is the whole truth in one sentence.
	Delivering bool   `json:"delivering"`
	Verdict    string `json:"verdict"`

	NextStep      NextStep            `json:"nextStep"`
	Conditions    []ConditionStatus   `json:"conditions"`
	APIKey        APIKeyStatus        `json:"apiKey"`
	Endpoint      EndpointStatus      `json:"endpoint"`
	SigningSecret SigningSecretStatus `json:"signingSecret"`
	Receiver      ReceiverStatus      `json:"receiver"`
	Deliveries    DeliveriesStatus    `json:"deliveries"`
	// History is what the operator did at Medblocks, newest first.
	History []HistoryStatus `json:"history,omitempty"`
}

// NextStep is what happens next, and who does it.
type NextStep struct {
	// Who is Operator: it goes on by itself; You: it waits for a person; or Nobody: nothing is due.
	Who string `json:"who"`
	// What in one sentence.
	What string `json:"what"`
	// Command that does it, where one does.
	Command string `json:"command,omitempty"`
	// At is when, where that is known.
	At *metav1.Time `json:"at,omitempty"`

	// short is What for a table.
	short string
}

// Who moves next.
const (
	nextOperator = "Operator"
	nextYou      = "You"
	nextNobody   = "Nobody"
)

// ConditionStatus is a condition of the resource.
type ConditionStatus struct {
	Type    string      `json:"type"`
	Status  string      `json:"status"`
	Reason  string      `json:"reason"`
	Message string      `json:"message"`
	Since   metav1.Time `json:"since"`
}

// APIKeyStatus says where the API key is. The key itself is nowhere in a result.
type APIKeyStatus struct {
	keyRef `json:",inline"`
	// Problem says why it could not be used from here.
	Problem string `json:"problem,omitempty"`
}

// EndpointStatus is the endpoint at Medblocks.
type EndpointStatus struct {
	ID string `json:"id,omitempty"`
	// Status is active or disabled.
	Status string `json:"status,omitempty"`
	// Live: Status was just read from Medblocks. Otherwise it is what the operator last saw.
	Live bool   `json:"live"`
	URL  string `json:"url,omitempty"`
	// DisabledSince is when the operator noticed, Cause why it is disabled, and LastStatusCode the receiver's last answer.
	DisabledSince  *metav1.Time `json:"disabledSince,omitempty"`
	Cause          string       `json:"cause,omitempty"`
	LastStatusCode *int32       `json:"lastStatusCode,omitempty"`
	// Problem says why it could not be read.
	Problem string `json:"problem,omitempty"`

	gone bool // Medblocks says that there is none
}

// SigningSecretStatus is the Secret that receivers verify with.
type SigningSecretStatus struct {
	Name string `json:"name"`
	// Exists, and HoldsEndpoint: it names the endpoint that the resource has. Both are absent where the Secret could not be read.
	Exists        *bool        `json:"exists,omitempty"`
	HoldsEndpoint *bool        `json:"holdsEndpoint,omitempty"`
	LastRotated   *metav1.Time `json:"lastRotated,omitempty"`
	RotationDue   *metav1.Time `json:"rotationDue,omitempty"`
	// Problem says why it could not be read.
	Problem string `json:"problem,omitempty"`
}

// ReceiverStatus is where events go.
type ReceiverStatus struct {
	// URL without its query, which may hold what is nobody's business.
	URL string `json:"url"`
}

// DeliveriesStatus are the newest events that were not delivered.
type DeliveriesStatus struct {
	// Known: Medblocks was asked.
	Known bool `json:"known"`
	// Failed counts those of the last seven days that were tried and not delivered; More: there are more than were looked at.
	Failed int  `json:"failed"`
	More   bool `json:"more,omitempty"`
	// Last are the newest of them.
	Last []Delivery `json:"last,omitempty"`
	// Problem says why Medblocks could not be asked.
	Problem string `json:"problem,omitempty"`
}

// HistoryStatus is one thing that the operator did at Medblocks.
type HistoryStatus struct {
	Time    metav1.Time `json:"time"`
	Action  string      `json:"action"`
	Trigger string      `json:"trigger"`
}
