// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"math/rand/v2"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// happening is something that befalls a resource, before its first reconcile or between two.
type happening struct {
	name string
	// blocks: what follows may need a person.
	blocks bool
	// happens tells false where it cannot happen as things are.
	happens func(m *model) bool
}

// randomModel is a resource in a random state, with what befalls it later and what fails.
func randomModel(rng *rand.Rand) (m *model, adversary map[int]func()) {
	from := settled()
	if rng.IntN(2) == 0 {
		from = unregistered()
	}
	m = newModel(rng, from)
	if m.res.Status.EndpointID == "" && rng.IntN(2) == 0 {
		m.happen(adoptHappenings[rng.IntN(2)]) // it is born with that wish
		if rng.IntN(3) == 0 {
			m.happen(rivalHappenings[rng.IntN(3)])
		}
	}
	for range rng.IntN(4) {
		m.befall()
	}
	if rng.IntN(4) == 0 {
		m.restart()
	}
	for range rng.IntN(4) {
		m.faults[1+rng.IntN(12)] = 1 + fault(rng.IntN(int(faultKinds)-1))
	}
	adversary = map[int]func(){}
	for range rng.IntN(3) {
		adversary[rng.IntN(6)] = m.befall
	}
	return m, adversary
}

// befall lets one random thing happen.
func (m *model) befall() {
	m.happen(happenings()[m.rng.IntN(len(happenings()))])
}

func (m *model) happen(h happening) {
	if h.happens(m) {
		m.told = append(m.told, h.name)
		m.blocked = m.blocked || h.blocks
	}
}

func happenings() []happening {
	return slices.Concat(specHappenings, vendorHappenings, secretHappenings, accountHappenings, annotationHappenings, lifeHappenings,
		adoptHappenings, sourceHappenings, observeHappenings, renameHappenings, rivalHappenings, errandHappenings)
}

var specHappenings = []happening{
	{"the URL is changed", false, func(m *model) bool {
		m.res.Spec.URL = "https://example.com/" + m.unique("hook")
		return m.specChanged()
	}},
	{"the description is changed", false, func(m *model) bool { m.res.Spec.Description = m.unique("text"); return m.specChanged() }},
	{"the metadata is changed", false, func(m *model) bool {
		m.res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": v1alpha1.MetadataValue(m.unique("team"))}
		return m.specChanged()
	}},
	{"the events are changed", false, func(m *model) bool {
		m.res.Spec.Events = []v1alpha1.EventType{v1alpha1.EventRecordsSyncFailed, v1alpha1.EventRecordsSyncCompleted}
		return m.specChanged()
	}},
	{"it is to be disabled", false, func(m *model) bool { m.res.Spec.State = v1alpha1.StateDisabled; return m.specChanged() }},
	{"it is to be active", true, func(m *model) bool { m.res.Spec.State = v1alpha1.StateActive; return m.specChanged() }},
	{"it is suspended", true, func(m *model) bool { m.res.Spec.Suspend = true; return m.specChanged() }},
	{"it is not suspended", false, func(m *model) bool { m.res.Spec.Suspend = false; return m.specChanged() }},
	{"the secret is to be rotated every hour", false, func(m *model) bool {
		m.res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{
			Name: m.res.SigningSecretName(), Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: time.Hour}},
		}
		return m.specChanged()
	}},
	{"what Medblocks disables is to be enabled", false, func(m *model) bool {
		m.res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
		return m.specChanged()
	}},
}

func (m *model) specChanged() bool {
	m.res.Generation++
	return true
}

var accountHappenings = []happening{
	{"the key is replaced by another of its workspace", false, func(m *model) bool {
		if _, known := m.here()[m.res.Status.EndpointID]; !known {
			return false // what the new key does not see proves nothing, as for one of another workspace
		}
		m.keyHash = "v1:new"
		return true
	}},
	{"the key is replaced by one of another workspace", true, func(m *model) bool { m.keyHash = "v1:other"; return true }},
	{"the key is missing", true, func(m *model) bool {
		m.credentials = &account.CredentialsError{Message: "no key"}
		if len(m.res.Status.KeyHash) == 0 {
			m.keyHash = ""
		}
		return true
	}},
	{"the key is back", true, func(m *model) bool { m.credentials, m.keyHash = nil, "v1:key"; return true }},
	{"Medblocks refuses the key", true, func(m *model) bool { m.refused = &medblocks.APIError{StatusCode: 401, Envelope: true}; return true }},
	{"the account is paused", false, func(m *model) bool { m.pausedUntil = m.clock.Now().Add(time.Minute); return true }},
	{"many endpoints vanish from a list", false, func(m *model) bool {
		if len(m.ours()) > 1 {
			return false
		}
		m.snapshot.suspect = true
		clear(m.snapshot.endpoints)
		return true
	}},
	{"a list is taken", false, func(m *model) bool { m.list(); return true }},
	{"the operator is restarted", false, func(m *model) bool { m.restart(); return true }},
	{"the operator is read-only", true, func(m *model) bool { m.readOnly = true; return true }},
	{"the namespace is going", false, func(m *model) bool { m.terminating = true; return true }},
}

var annotationHappenings = []happening{
	{"a rotation is asked for", false, func(m *model) bool { return m.ask(v1alpha1.AnnotationRotateSecretRequestedAt) }},
	{"a re-enable is asked for", false, func(m *model) bool { return m.ask(v1alpha1.AnnotationReenableRequestedAt) }},
	{"a registration is asked for", false, func(m *model) bool { return m.ask(v1alpha1.AnnotationReregisterRequestedAt) }},
	{"a reconcile is asked for", false, func(m *model) bool { return m.ask(v1alpha1.AnnotationReconcileRequestedAt) }},
	{"its intent is damaged", false, func(m *model) bool { m.res.Annotations[v1alpha1.AnnotationRegistration] = `{"uid":`; return true }},
	{"it has the intent of another resource", false, func(m *model) bool {
		m.res.Annotations[v1alpha1.AnnotationRegistration] = intent{UID: "uid-7", Nonce: "N", Attempt: 3}.encode()
		return true
	}},
	{"a POST with another key was attempted", true, func(m *model) bool {
		if m.res.Status.EndpointID != "" {
			return false
		}
		m.res.Annotations[v1alpha1.AnnotationRegistration] = intent{UID: m.res.UID, Nonce: "N", KeyHash: "v1:other"}.encode()
		return true
	}},
}

func (m *model) ask(annotation string) bool {
	m.res.Annotations[annotation] = m.unique("token")
	return true
}

var lifeHappenings = []happening{
	{"the finalizer is taken away", false, func(m *model) bool {
		m.res.Finalizers, m.stripped = nil, m.res.DeletionTimestamp != nil
		return true
	}},
	{"its status is wiped", false, func(m *model) bool {
		if !m.marked() || m.isCloned() {
			return false
		}
		m.res.Status, m.mem = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}, &memory{uid: m.res.UID}
		return true
	}},
	{"it is restored from a backup", false, func(m *model) bool {
		if !m.marked() || m.res.DeletionTimestamp != nil || len(m.late) > 0 {
			return false
		}
		m.res.UID += "-restored"
		m.res.Status, m.res.Annotations = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}, map[string]string{}
		m.restart()
		return true
	}},
	{"it is deleted", false, func(m *model) bool { return m.delete(v1alpha1.DeletionDelete) }},
	{"it is deleted and its endpoint is to be left", false, func(m *model) bool { return m.delete(v1alpha1.DeletionOrphan) }},
	{"it is released", true, func(m *model) bool { m.res.Annotations[v1alpha1.AnnotationRelease] = "true"; return true }},
}

// isCloned tells whether another incarnation has taken over an endpoint of this owner mark: without a status, nothing tells whose it is.
func (m *model) isCloned() bool {
	for _, other := range m.others {
		if other.endpoint.Metadata[v1alpha1.MarkOwner] == testOwner {
			return true
		}
	}
	return false
}

// secretIsKnown tells whether there is no Secret but under the wanted name: one that neither spec nor status names is known to
// nobody.
func (m *model) secretIsKnown() bool {
	for name, s := range m.secrets {
		if s.view.owned && name != m.res.SigningSecretName() {
			return false
		}
	}
	s := m.res.Status.SigningSecret
	return len(m.secrets) == 0 || (s != nil && s.Name == m.res.SigningSecretName())
}

// marked tells whether the marks are where a resource without a past would look for them.
func (m *model) marked() bool {
	e, known := m.here()[m.res.Status.EndpointID]
	return m.secretIsKnown() && (!known || e.Metadata[v1alpha1.MarkOwner] == testOwner && e.Metadata[v1alpha1.MarkIncarnation] == string(m.res.UID))
}

func (m *model) delete(policy v1alpha1.DeletionPolicy) bool {
	if len(m.res.Finalizers) == 0 || m.res.DeletionTimestamp != nil {
		return false
	}
	m.res.Spec.DeletionPolicy, m.res.DeletionTimestamp = policy, new(seconds(m.clock.Now()))
	return m.specChanged()
}
