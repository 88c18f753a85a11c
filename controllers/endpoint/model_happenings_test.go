// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

var vendorHappenings = []happening{
	{"the endpoint is changed at Medblocks", false, func(m *model) bool {
		return m.withOurs(func(e *medblocks.Endpoint) { e.URL, e.Description = "https://evil.example.com", m.unique("text") })
	}},
	{"the events come in another order", false, func(m *model) bool {
		return m.withOurs(func(e *medblocks.Endpoint) { slices.Reverse(e.Events) })
	}},
	{"the owner mark is removed", false, func(m *model) bool {
		return m.withNamed(func(e *medblocks.Endpoint) { delete(e.Metadata, v1alpha1.MarkOwner) })
	}},
	{"all marks are removed", false, func(m *model) bool {
		return m.withNamed(func(e *medblocks.Endpoint) { e.Metadata = map[string]string{} })
	}},
	{"another owner takes the endpoint over", true, func(m *model) bool {
		return m.takenOver(v1alpha1.MarkOwner, "other/shop/orders")
	}},
	{"another incarnation takes the endpoint over", true, func(m *model) bool {
		return m.res.Status.EndpointID != "" && m.takenOver(v1alpha1.MarkIncarnation, "uid-2")
	}},
	{"the endpoint is deleted at Medblocks", false, func(m *model) bool {
		return m.keyHash == m.res.Status.KeyHash && m.withOurs(func(e *medblocks.Endpoint) { delete(m.here(), e.ID) })
	}},
	{"there is an older duplicate", false, func(m *model) bool { return m.duplicate(-2 * time.Hour) }},
	{"there is a younger duplicate", false, func(m *model) bool { return m.duplicate(time.Minute) }},
	{"somebody else has an endpoint", false, func(m *model) bool {
		m.stranger(map[string]string{v1alpha1.MarkOwner: "other/shop/orders", v1alpha1.MarkIncarnation: "uid-9"})
		return true
	}},
	{"somebody has an endpoint without marks", false, func(m *model) bool { m.stranger(nil); return true }},
	{"Medblocks disables the endpoint", true, (*model).disableByVendor},
	{"Medblocks disables the endpoint although it is to be enabled", true, func(m *model) bool {
		m.res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
		return m.specChanged() && m.disableByVendor()
	}},
	{"a person disables the endpoint", true, func(m *model) bool {
		return m.withOurs(func(e *medblocks.Endpoint) {
			if e.Status == medblocks.EndpointStatusActive && len(m.exhausted[e.ID]) == 0 && m.res.Status.Disabled == nil {
				e.Status, m.byPerson[e.ID] = medblocks.EndpointStatusDisabled, true
			}
		})
	}},
	{"a person enables what Medblocks has disabled, and disables it again", true, func(m *model) bool {
		is := m.res.Status.Disabled
		return is != nil && is.EndpointUpdatedAt != "" && len(m.faults) == 0 && m.withOurs(func(e *medblocks.Endpoint) {
			if e.Status == medblocks.EndpointStatusDisabled && e.ID == m.res.Status.EndpointID {
				e.UpdatedAt.Time, m.byPerson[e.ID] = m.clock.Now(), true
			}
		})
	}},
	{"Medblocks knows a new status", true, func(m *model) bool {
		return m.withOurs(func(e *medblocks.Endpoint) { e.Status = "paused" })
	}},
	{"Medblocks stores URLs in a form of its own", false, func(m *model) bool { m.normalises = true; return true }},
}

func (m *model) disableByVendor() bool {
	return m.withOurs(func(e *medblocks.Endpoint) {
		if e.Status == medblocks.EndpointStatusActive {
			e.Status, e.UpdatedAt.Time = medblocks.EndpointStatusDisabled, m.clock.Now()
			m.exhausted[e.ID] = append(m.exhausted[e.ID], medblocks.EventRecord{
				ID: m.unique("evt"), Attempts: 9, CreatedAt: medblocks.Timestamp{Time: m.clock.Now().Add(-90 * time.Hour)},
			})
		}
	})
}

// withOurs changes one endpoint with our marks.
func (m *model) withOurs(change func(*medblocks.Endpoint)) bool {
	var ours []*medblocks.Endpoint
	for _, e := range m.here() {
		if e.Metadata[v1alpha1.MarkOwner] == testOwner && e.Metadata[v1alpha1.MarkIncarnation] == string(m.res.UID) {
			ours = append(ours, e)
		}
	}
	if len(ours) == 0 {
		return false
	}
	slices.SortFunc(ours, func(a, b *medblocks.Endpoint) int { return account.OlderFirst(*a, *b) })
	change(ours[m.rng.IntN(len(ours))])
	return true
}

// withNamed changes the endpoint that the status names, where the Secret holds its secret: an endpoint that nobody names
// any more, or whose secret is lost too, is more than one fault at a time.
func (m *model) withNamed(change func(*medblocks.Endpoint)) bool {
	e, known := m.here()[m.res.Status.EndpointID]
	s, exists := m.secrets[m.res.SigningSecretName()]
	if !known || !exists || len(m.late) > 0 || e.Metadata[v1alpha1.MarkOwner] != testOwner || e.Metadata[v1alpha1.MarkIncarnation] != string(m.res.UID) ||
		!s.view.holds(e.Metadata[v1alpha1.MarkSecretGeneration]) || string(s.view.value) != m.inForce[e.ID] {
		return false
	}
	change(e)
	return true
}

// takenOver has somebody else mark an endpoint of ours. What is in flight by then would still reach it, and an adoption that is
// pending would take it back.
func (m *model) takenOver(mark, by string) bool {
	pending := m.res.Spec.Adopt != nil && m.res.Status.EndpointID == ""
	return len(m.late) == 0 && !pending && m.withOurs(func(e *medblocks.Endpoint) {
		e.Metadata[mark] = by
		m.inForce[e.ID] = "whsec_other"
		m.leaveAlone(e)
	})
}

// bystander is an endpoint of somebody else's, and the secret that it signs with.
type bystander struct {
	endpoint medblocks.Endpoint
	secret   string
}

func (m *model) leaveAlone(e *medblocks.Endpoint) {
	m.others[e.ID] = bystander{endpoint: clone(e), secret: m.inForce[e.ID]}
}

func (m *model) stranger(marks map[string]string) {
	e := &medblocks.Endpoint{
		ID: m.unique("wh_OTHER"), URL: m.res.Spec.URL, Events: []string{"*"}, Status: medblocks.EndpointStatusActive,
		Metadata: marks, CreatedAt: medblocks.Timestamp{Time: testTime.Add(-time.Hour)},
	}
	m.endpoints["A"][e.ID] = e
	m.inForce[e.ID] = "whsec_other"
	m.leaveAlone(e)
}

// duplicate is the fruit of a POST of ours whose answer was lost.
func (m *model) duplicate(age time.Duration) bool {
	e := (&scenario{res: m.res}).endpoint(m.unique("wh_TWICE"))
	e.Metadata[v1alpha1.MarkSecretGeneration] = m.unique("nonce")
	e.CreatedAt.Time = e.CreatedAt.Add(age)
	if workspaces[m.snapshot.key] != "A" {
		return false
	}
	m.endpoints["A"][e.ID], m.inForce[e.ID] = &e, m.unique("whsec_")
	m.snapshot.endpoints[e.ID] = clone(&e) // the list that closed the intent has shown it
	return true
}

var secretHappenings = []happening{
	{"the Secret is deleted", false, func(m *model) bool {
		return m.withSecret(func(s *storedSecret) { delete(m.secrets, s.view.name) })
	}},
	{"the Secret is tampered with", false, func(m *model) bool {
		return m.withSecret(func(s *storedSecret) { s.view.value, s.view.intact = []byte("tampered"), false })
	}},
	{"the Secret loses its label", false, func(m *model) bool {
		return m.withSecret(func(s *storedSecret) { s.hidden = true })
	}},
	{"an old copy of the Secret is put back", false, func(m *model) bool {
		return m.withSecret(func(s *storedSecret) {
			s.view.value, s.view.nonce, s.view.intact = []byte("old"), "OLD", true
		})
	}},
	{"the Secret is somebody else's", true, func(m *model) bool {
		return m.withSecret(func(s *storedSecret) { s.view.owned, s.view.value = false, []byte("theirs") })
	}},
	{"somebody else has a Secret of that name", true, func(m *model) bool {
		name := m.res.SigningSecretName()
		if _, exists := m.secrets[name]; exists {
			return false
		}
		m.secrets[name] = &storedSecret{hidden: true, view: secretView{name: name, exists: true, value: []byte("theirs")}}
		return true
	}},
	{"the Secret is made immutable", true, func(m *model) bool {
		return m.withSecret(func(s *storedSecret) { s.locked = errors.New("immutable") })
	}},
	{"the quota for Secrets is used up", true, func(m *model) bool { m.quota = errors.New("quota"); return true }},
}

func (m *model) withSecret(change func(*storedSecret)) bool {
	s, exists := m.secrets[m.res.SigningSecretName()]
	for _, e := range m.ours() {
		if exists && e.Metadata[v1alpha1.MarkSecretGeneration] == "" {
			exists = false // a missing mark and a lost Secret are more than one fault at a time
		}
	}
	if e, known := m.here()[m.res.Status.EndpointID]; known && e.Metadata[v1alpha1.MarkSecretGeneration] == "" {
		exists = false
	}
	if exists && s.view.owned {
		change(s)
	}
	return exists
}
