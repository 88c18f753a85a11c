// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReenablePolicy says what to do when Medblocks disables the endpoint.
// Whatever it says, an endpoint that a person disabled stays disabled until
// the annotation connect.medblocks.com/reenable-requested-at asks for it.
type ReenablePolicy struct {
	// mode is Never (default: report it and leave it to a person), WhenHealthy
	// (re-enable once the receiver answers a probe) or Always (re-enable after the
	// backoff, whatever the receiver does).
	// +optional
	// +kubebuilder:validation:Enum=Never;WhenHealthy;Always
	Mode ReenableMode `json:"mode,omitempty"`

	// backoff between two attempts to re-enable. The first attempt waits for its
	// initial delay too.
	// +optional
	Backoff *ReenableBackoff `json:"backoff,omitempty"`

	// maxAttempts is how many times the endpoint may be re-enabled per window, 1
	// to 20. Default: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=20
	MaxAttempts *int32 `json:"maxAttempts,omitempty"`

	// window is the rolling period that maxAttempts counts in, 1h to 8760h, as a
	// Go duration. Default: 168h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(\.[0-9]{1,9})?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,9})?(ms|s|m|h))+$') && duration(self) >= duration('1h') && duration(self) <= duration('8760h')",message="window must be a Go duration (units h, m, s and ms) between 1h and 8760h, such as 168h"
	Window *metav1.Duration `json:"window,omitempty"`

	// probe says how to tell that the receiver is healthy, for mode WhenHealthy.
	// Default: GET spec.url; healthy is two answers in a row, 15 s apart, below
	// 500 and not 404.
	// +optional
	Probe *ReceiverProbe `json:"probe,omitempty"`

	// redelivery says whether events that were not delivered are sent again after
	// a re-enable. Default: mode None.
	// +optional
	Redelivery *RedeliveryPolicy `json:"redelivery,omitempty"`
}

// ReenableMode names a re-enable policy.
type ReenableMode string

const (
	// ReenableNever leaves a disabled endpoint disabled. It is the default.
	ReenableNever ReenableMode = "Never"
	// ReenableWhenHealthy re-enables once the receiver answers a probe.
	ReenableWhenHealthy ReenableMode = "WhenHealthy"
	// ReenableAlways re-enables after the backoff.
	ReenableAlways ReenableMode = "Always"
)

// ReenableBackoff is the delay before an attempt to re-enable: initial,
// doubled with each attempt in the window, at most max.
//
// +kubebuilder:validation:XValidation:rule="(has(self.initial) && !self.initial.matches('^([0-9]{1,6}([.][0-9]{1,9})?(ms|s|m|h))+$')) || (has(self.max) && !self.max.matches('^([0-9]{1,6}([.][0-9]{1,9})?(ms|s|m|h))+$')) || (has(self.initial) ? duration(self.initial) : duration('1m')) <= (has(self.max) ? duration(self.max) : duration('6h'))",message="backoff.initial (default 1m) must not exceed backoff.max (default 6h): lower initial or raise max"
type ReenableBackoff struct {
	// initial delay, 1s to 168h, as a Go duration. Default: 1m.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(\.[0-9]{1,9})?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,9})?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('168h')",message="initial must be a Go duration (units h, m, s and ms) between 1s and 168h, such as 90s"
	Initial *metav1.Duration `json:"initial,omitempty"`

	// max is the longest delay, 1s to 168h, as a Go duration. Default: 6h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(\.[0-9]{1,9})?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,9})?(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('168h')",message="max must be a Go duration (units h, m, s and ms) between 1s and 168h, such as 6h"
	Max *metav1.Duration `json:"max,omitempty"`
}

// ReceiverProbe says how to tell that the receiver is healthy.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.url) && has(self.serviceRef))",message="probe must name at most one of url and serviceRef: remove one of them"
type ReceiverProbe struct {
	// url to GET, http or https. Default: spec.url.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.contains('#') || self.matches(r'[\\pZ\\pC\\\\]') || (isURL(self) && url(self).getHostname() != '' && url(self).getScheme() in ['http', 'https'])",message="probe.url must be an absolute http or https URL, such as https://api.example.com/healthz"
	// +kubebuilder:validation:XValidation:rule="!isURL(self) || url(self).getPort() == '' || (size(url(self).getPort()) <= 5 && int(url(self).getPort()) >= 1 && int(url(self).getPort()) <= 65535)",message="probe.url must have a port between 1 and 65535, or none"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@')",message="probe.url must not contain userinfo (user:password@): every reader of this resource would see it"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="probe.url must not contain a fragment (#…): it is never sent to a server"
	// +kubebuilder:validation:XValidation:rule="!self.matches(r'[\\pZ\\pC\\\\]')",message="probe.url must not contain white space, control characters or backslashes: percent-encode them"
	URL string `json:"url,omitempty"`

	// serviceRef names a Service of the resource's own namespace to probe instead
	// of a URL.
	// +optional
	ServiceRef *ProbeServiceReference `json:"serviceRef,omitempty"`

	// expectedStatuses are the status codes that count as healthy, at most 20.
	// Default: any below 500, except 404.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:Minimum=100
	// +kubebuilder:validation:items:Maximum=599
	ExpectedStatuses []int32 `json:"expectedStatuses,omitempty"`
}

// ProbeServiceReference names a Service of the resource's own namespace.
type ProbeServiceReference struct {
	// name of the Service.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1035Label().validate(self).hasValue()",message="name must be the name of a Service: lower-case letters, digits and '-', starting with a letter"
	Name string `json:"name,omitempty"`

	// port of the Service, 1 to 65535.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// path to GET. Default: /.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.startsWith('/') && !self.contains('#') && !self.matches(r'[\\pZ\\pC\\\\]')",message="path must start with / and must not contain a fragment (#…), white space, control characters or backslashes"
	Path string `json:"path,omitempty"`

	// scheme is HTTP (default) or HTTPS.
	// +optional
	// +kubebuilder:validation:Enum=HTTP;HTTPS
	Scheme string `json:"scheme,omitempty"`
}

// RedeliveryPolicy says which events are sent again after a re-enable.
type RedeliveryPolicy struct {
	// mode is None (default) or Undelivered: events that were not delivered are
	// redelivered, oldest first, once the endpoint is active again. Receivers get
	// the same event id again and have to dedupe by it.
	// +optional
	// +kubebuilder:validation:Enum=None;Undelivered
	Mode RedeliveryMode `json:"mode,omitempty"`

	// maxAge of an event that is redelivered, at the time of the re-enable, 1m to
	// 8760h, as a Go duration. Default: 96h. Medblocks tries an event for some 87
	// hours before it disables the endpoint: choose as much plus the longest
	// outage of your receiver that no event may be lost in.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(\.[0-9]{1,9})?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,9})?(ms|s|m|h))+$') && duration(self) >= duration('1m') && duration(self) <= duration('8760h')",message="maxAge must be a Go duration (units h, m, s and ms) between 1m and 8760h, such as 96h"
	MaxAge *metav1.Duration `json:"maxAge,omitempty"`

	// maxEvents is how many events are redelivered at most after a re-enable, 1 to
	// 10000. Default: 1000.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxEvents *int32 `json:"maxEvents,omitempty"`
}

// RedeliveryMode names a redelivery policy.
type RedeliveryMode string

const (
	// RedeliveryNone redelivers nothing. It is the default.
	RedeliveryNone RedeliveryMode = "None"
	// RedeliveryUndelivered redelivers what was not delivered.
	RedeliveryUndelivered RedeliveryMode = "Undelivered"
)
