// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

var rivalHappenings = []happening{
	{"an older resource wants the endpoint too", false, func(m *model) bool { return m.rivalFor("first", true) }},
	{"a younger resource wants the endpoint too", false, func(m *model) bool { return m.rivalFor("second", false) }},
	{"a resource that wants the endpoint too adopts it", false, (*model).rivalAdopts},
	{"the resources that want the endpoint go", false, func(m *model) bool {
		m.endpointRivals = nil
		delete(m.others, specAdopts(m.res))
		return true
	}},
	{"an older resource has the same signing Secret", false, func(m *model) bool {
		return m.rivalForSecret(m.res.SigningSecretName(), rivalNamed("first", true))
	}},
	{"a younger resource has the same signing Secret", false, func(m *model) bool {
		return m.rivalForSecret(m.res.SigningSecretName(), rivalNamed("second", false))
	}},
	{"another resource has published in the Secret", false, (*model).rivalPublishes},
	{"the Secret is renamed to one of another resource", false, func(m *model) bool { return m.rename() && m.rivalPublishes() }},
	{"the resources that have the same signing Secret go", false, func(m *model) bool {
		for name, is := range m.secretRivals {
			if s, exists := m.secrets[name]; exists && s.view.owner == is.who.String() {
				delete(m.secrets, name)
			}
		}
		clear(m.secretRivals)
		return true
	}},
}

func (m *model) rivalFor(name string, older bool) bool {
	is := rivalNamed(name, older)
	if m.res.Spec.Adopt == nil || slices.Contains(m.endpointRivals, is) {
		return false
	}
	m.endpointRivals = append(m.endpointRivals, is)
	return true
}

// rivalAdopts has another resource mark the endpoint that this one has yet to adopt. It copies the secret. A call of this one
// that is in flight would still reach the endpoint.
func (m *model) rivalAdopts() bool {
	e := m.toAdopt()
	if e == nil || m.adopted(e) || len(m.late) > 0 {
		return false
	}
	if len(m.endpointRivals) == 0 {
		m.rivalFor("second", false)
	}
	is := m.endpointRivals[m.rng.IntN(len(m.endpointRivals))]
	e.Metadata[v1alpha1.MarkOwner], e.Metadata[v1alpha1.MarkIncarnation] = is.owner, "uid-"+is.who.Name
	e.Metadata[v1alpha1.MarkSecretGeneration] = m.unique(copyPrefix)
	m.leaveAlone(e)
	return true
}

func (m *model) rivalForSecret(name string, is rival) bool {
	if _, claimed := m.secretRivals[name]; claimed {
		return false
	}
	m.secretRivals[name] = is
	return true
}

// rivalPublishes has another resource hold the signing Secret that this one wants, or have lost it.
func (m *model) rivalPublishes() bool {
	name, is := m.res.SigningSecretName(), rivalNamed("second", false)
	is.published = true
	if _, exists := m.secrets[name]; exists || !m.rivalForSecret(name, is) {
		return false
	}
	if m.rng.IntN(2) == 0 {
		return true
	}
	m.secrets[name] = &storedSecret{view: secretView{name: name, exists: true, owner: is.who.String(), value: []byte("theirs")}}
	return true
}

// observeSecretRivals is what the operator's own observeRivalsForSecret does, of the model.
func (m *model) observeSecretRivals(obs *observation) {
	obs.secretRivals = nil
	if is, claimed := m.secretRivals[obs.secret.name]; claimed && !obs.secret.owned {
		obs.secretRivals = []rival{is}
	}
}

// isOfRival tells whether the endpoint to adopt is another resource's: it has adopted it, or its claim is older.
func (m *model) isOfRival(e *medblocks.Endpoint) bool {
	return slices.ContainsFunc(m.endpointRivals, func(is rival) bool {
		return is.older || is.owner == e.Metadata[v1alpha1.MarkOwner]
	})
}

// secretIsOfRival tells whether a signing Secret is another resource's: it holds it or, where it is gone, has published there or
// has the older claim.
func (m *model) secretIsOfRival(name string) bool {
	is, claimed := m.secretRivals[name]
	stored, exists := m.secrets[name]
	s := m.res.Status.SigningSecret
	published := s != nil && s.Name == name
	switch {
	case !claimed:
		return false
	case exists:
		return stored.view.owner == is.who.String()
	case is.published != published:
		return is.published
	}
	return is.older
}
