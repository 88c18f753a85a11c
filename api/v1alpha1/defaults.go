// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultSigningSecretSuffix makes a resource's name that of its signing Secret, where the spec does not name one.
const DefaultSigningSecretSuffix = "-signing-secret"

// Defaults of the re-enable policy.
const (
	DefaultReenableBackoffInitial = time.Minute
	DefaultReenableBackoffMax     = 6 * time.Hour
	DefaultReenableMaxAttempts    = 5
	DefaultReenableWindow         = 168 * time.Hour
	DefaultRedeliveryMaxAge       = 96 * time.Hour
	DefaultRedeliveryMaxEvents    = 1000
)

// The defaults are resolved here and not in the schema: a default that the API server writes into the spec shows up
// as drift in GitOps tools.

// WantsDisabled tells whether the user wants the endpoint disabled.
func (e *MedblocksWebhookEndpoint) WantsDisabled() bool {
	return e.Spec.State == StateDisabled
}

// Observes tells whether the endpoint is only looked at.
func (e *MedblocksWebhookEndpoint) Observes() bool {
	return e.Spec.ManagementPolicy == ManagementObserve
}

// SigningSecretName is the name of the Secret that holds the signing secret.
func (e *MedblocksWebhookEndpoint) SigningSecretName() string {
	if s := e.Spec.SigningSecret; s != nil && s.Name != "" {
		return s.Name
	}
	return e.Name + DefaultSigningSecretSuffix
}

// RotationInterval is the interval between two rotations of the signing secret; 0 means never.
func (e *MedblocksWebhookEndpoint) RotationInterval() time.Duration {
	if s := e.Spec.SigningSecret; s != nil && s.Rotation != nil {
		return s.Rotation.Interval.Duration
	}
	return 0
}

// RotationWindow is when a rotation that the interval asks for may happen; nil: at any time.
func (e *MedblocksWebhookEndpoint) RotationWindow() *RotationWindow {
	if s := e.Spec.SigningSecret; s != nil && s.Rotation != nil {
		return s.Rotation.Window
	}
	return nil
}

// MonitoringInterval is the time between two checks of the endpoint's undelivered events; 0: there are none.
func (e *MedblocksWebhookEndpoint) MonitoringInterval() time.Duration {
	if m := e.Spec.DeliveryMonitoring; m != nil {
		return m.Interval.Duration
	}
	return 0
}

// OrphansEndpoint tells whether a deletion leaves the endpoint behind.
func (e *MedblocksWebhookEndpoint) OrphansEndpoint() bool {
	return e.Spec.DeletionPolicy == DeletionOrphan
}

// KeyOrDefault is the key of the Secret that holds the API key.
func (r APIKeySecretReference) KeyOrDefault() string {
	if r.Key != "" {
		return r.Key
	}
	return DefaultAPIKeySecretKey
}

// ModeOrDefault is the mode of the policy; a nil policy never re-enables.
func (p *ReenablePolicy) ModeOrDefault() ReenableMode {
	if p == nil || p.Mode == "" {
		return ReenableNever
	}
	return p.Mode
}

// MaxAttemptsOrDefault is how many attempts a window may hold.
func (p *ReenablePolicy) MaxAttemptsOrDefault() int {
	if p == nil || p.MaxAttempts == nil {
		return DefaultReenableMaxAttempts
	}
	return int(*p.MaxAttempts)
}

// WindowOrDefault is the rolling window of the attempts.
func (p *ReenablePolicy) WindowOrDefault() time.Duration {
	if p == nil {
		return DefaultReenableWindow
	}
	return durationOr(p.Window, DefaultReenableWindow)
}

// BackoffOrDefault is the first and the longest delay before an attempt.
func (p *ReenablePolicy) BackoffOrDefault() (initial, longest time.Duration) {
	if p == nil || p.Backoff == nil {
		return DefaultReenableBackoffInitial, DefaultReenableBackoffMax
	}
	return durationOr(p.Backoff.Initial, DefaultReenableBackoffInitial), durationOr(p.Backoff.Max, DefaultReenableBackoffMax)
}

// ProbeOrDefault is how to tell that the receiver is healthy.
func (p *ReenablePolicy) ProbeOrDefault() ReceiverProbe {
	if p == nil || p.Probe == nil {
		return ReceiverProbe{}
	}
	return *p.Probe
}

// Redelivers tells whether events that were not delivered are sent again after a re-enable.
func (p *ReenablePolicy) Redelivers() bool {
	return p != nil && p.Redelivery != nil && p.Redelivery.Mode == RedeliveryUndelivered
}

// RedeliveryMaxAgeOrDefault is how old an event may be that is redelivered.
func (p *ReenablePolicy) RedeliveryMaxAgeOrDefault() time.Duration {
	if p == nil || p.Redelivery == nil {
		return DefaultRedeliveryMaxAge
	}
	return durationOr(p.Redelivery.MaxAge, DefaultRedeliveryMaxAge)
}

// RedeliveryMaxEventsOrDefault is how many events are redelivered at most.
func (p *ReenablePolicy) RedeliveryMaxEventsOrDefault() int {
	if p == nil || p.Redelivery == nil || p.Redelivery.MaxEvents == nil {
		return DefaultRedeliveryMaxEvents
	}
	return int(*p.Redelivery.MaxEvents)
}

func durationOr(d *metav1.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.Duration
}
