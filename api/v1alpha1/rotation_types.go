// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SecretRotation says when the signing secret is rotated.
type SecretRotation struct {
	// interval between two rotations, at least 1h, as a Go duration such as 720h.
	// After a rotation the previous value stays in the Secret, so that receivers
	// can accept both.
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^([0-9]{1,6}(\.[0-9]{1,9})?(ms|s|m|h))+$`
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,6}([.][0-9]{1,9})?(ms|s|m|h))+$') && duration(self) >= duration('1h') && duration(self) <= duration('87600h')",message="interval must be a Go duration (units h, m, s and ms) between 1h and 87600h, such as 720h"
	Interval metav1.Duration `json:"interval"`

	// window says on which days and at which hours (UTC) a rotation that the
	// interval asks for may happen. It waits for the next window. Default: at any
	// time. The annotation connect.medblocks.com/rotate-secret-requested-at is
	// served at once.
	// +optional
	Window *RotationWindow `json:"window,omitempty"`
}

// RotationWindow is a time of the week, in UTC.
//
// +kubebuilder:validation:XValidation:rule="has(self.days) || has(self.hours)",message="window needs days, hours or both: without them, leave the window out"
type RotationWindow struct {
	// days of the week on which the window begins: Monday to Sunday. Default:
	// every day.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	Days []Weekday `json:"days,omitempty"`

	// hours of the day, HH:MM-HH:MM in UTC, such as 02:00-05:00. Where the end is
	// not after the beginning, it is on the next day: 22:00-04:00. Default: the
	// whole day.
	// +optional
	// +kubebuilder:validation:MaxLength=11
	// +kubebuilder:validation:XValidation:rule="self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$')",message="hours must be HH:MM-HH:MM in UTC, such as 02:00-05:00"
	Hours string `json:"hours,omitempty"`
}

// Weekday is a day of the week, by its English name.
//
// +kubebuilder:validation:Enum=Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday
type Weekday string
