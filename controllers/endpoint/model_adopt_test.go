// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// The first two are what a resource may be born with.
var adoptHappenings = []happening{
	{"it is to adopt an endpoint that nobody has marked", false, func(m *model) bool { return m.adopts(nil) }},
	{"it is to adopt an endpoint of another owner", false, func(m *model) bool {
		return m.adopts(map[string]string{
			v1alpha1.MarkOwner: "other/shop/orders", v1alpha1.MarkIncarnation: "uid-9", v1alpha1.MarkSecretGeneration: "THEIRS",
		})
	}},
	{"it is to adopt nothing any more", false, func(m *model) bool {
		if m.res.Spec.Adopt == nil {
			return false
		}
		m.res.Spec.Adopt = nil
		return m.specChanged()
	}},
	{"it is to get the secret in the other way", false, func(m *model) bool {
		if m.res.Spec.Adopt == nil {
			return false
		}
		m.copies(m.res.Spec.Adopt.RotateSecret)
		return m.specChanged()
	}},
	{"the endpoint to adopt is deleted", false, func(m *model) bool {
		e := m.toAdopt()
		if e == nil || m.adopted(e) {
			return false
		}
		delete(m.here(), e.ID)
		delete(m.others, e.ID)
		return true
	}},
}

// adopts has a resource without an endpoint take one over that has a past: other fields, and perhaps exhausted events.
func (m *model) adopts(marks map[string]string) bool {
	if m.res.Status.EndpointID != "" || m.res.Spec.Adopt != nil || m.res.DeletionTimestamp != nil {
		return false
	}
	e := &medblocks.Endpoint{
		ID: m.unique("wh_ADOPT"), URL: m.res.Spec.URL, Description: "theirs", Events: []string{"*"}, Status: medblocks.EndpointStatusActive,
		Metadata: map[string]string{"team": "billing"}, CreatedAt: medblocks.Timestamp{Time: testTime.Add(-time.Hour)},
	}
	maps.Copy(e.Metadata, marks)
	m.endpoints["A"][e.ID], m.inForce[e.ID] = e, m.unique("whsec_")
	if m.rng.IntN(2) == 0 {
		m.exhausted[e.ID] = []medblocks.EventRecord{{ID: m.unique("evt"), Attempts: medblocks.MaxAttempts}}
	}
	m.res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: e.ID}
	m.copies(m.rng.IntN(2) == 0)
	return m.specChanged()
}

// copies has the adoption copy the secret that is in force, or rotate it.
func (m *model) copies(yes bool) {
	adopt := m.res.Spec.Adopt
	adopt.RotateSecret, adopt.ExistingSecretRef = !yes, nil
	if yes {
		adopt.ExistingSecretRef = &v1alpha1.SecretKeyReference{Name: "theirs", Key: "secret"}
		m.source = m.inForce[adopt.EndpointID]
	}
}

// toAdopt is the endpoint that spec.adopt names; nil: it is not there.
func (m *model) toAdopt() *medblocks.Endpoint { return m.here()[specAdopts(m.res)] }

func (m *model) adopted(e *medblocks.Endpoint) bool {
	return e.Metadata[v1alpha1.MarkOwner] == testOwner
}

// isCopied tells whether the secret of the endpoint is, or is going to be, a copy of what is in the user's Secret.
func (m *model) isCopied() bool {
	e := m.toAdopt()
	return e != nil && sourceOf(m.res) != nil && (!m.adopted(e) || isCopy(e.Metadata[v1alpha1.MarkSecretGeneration]))
}

var sourceHappenings = []happening{
	{"the user's Secret is deleted", false, func(m *model) bool {
		if e := m.toAdopt(); !m.isCopied() || (m.adopted(e) && !m.isKept(e)) {
			return false // the value would be nowhere any more
		}
		m.source = ""
		return true
	}},
	{"the user's Secret is there again", false, func(m *model) bool {
		if !m.isCopied() {
			return false
		}
		m.source = m.inForce[m.toAdopt().ID]
		return true
	}},
	{"the user changes the secret, at Medblocks and in the Secret", false, func(m *model) bool {
		if !m.isCopied() || len(m.late) > 0 {
			return false
		}
		e := m.toAdopt()
		m.source = m.unique("whsec_")
		m.inForce[e.ID] = m.source
		if is, known := m.others[e.ID]; known {
			is.secret = m.source
			m.others[e.ID] = is
		}
		return true
	}},
	{"an older copy of the user's secret is put back", false, func(m *model) bool {
		return m.source != "" && m.isCopied() && m.withSecret(func(s *storedSecret) { s.view.value = []byte("older") })
	}},
}

// isKept tells whether a Secret of the resource has what the endpoint signs with.
func (m *model) isKept(e *medblocks.Endpoint) bool {
	for _, s := range m.secrets {
		if s.view.holds(e.Metadata[v1alpha1.MarkSecretGeneration]) && string(s.view.value) == m.inForce[e.ID] {
			return true
		}
	}
	return false
}

// readSource is what the operator's own observeSource does, of the model.
func (m *model) readSource(w *work) {
	now := m.clock.Now()
	w.obs.source = &sourceView{value: medblocks.Secret(m.source), readAt: now}
	if m.source == "" {
		w.obs.source.problem = "the user's Secret is not there"
	}
	w.mem.source = sourceRead{name: nameOfSource(sourceOf(w.res)), at: now}
	w.obs.sourceDue = now.Add(pollInterval)
}

var observeHappenings = []happening{
	{"it is observed", false, func(m *model) bool {
		m.res.Spec.ManagementPolicy = v1alpha1.ManagementObserve
		return m.specChanged()
	}},
	{"it is managed again", false, func(m *model) bool {
		m.res.Spec.ManagementPolicy = v1alpha1.ManagementManage
		return m.specChanged()
	}},
}

// verifyObserved: nothing is claimed, and what is said to be well is.
func (m *model) verifyObserved(p plan) error {
	e, known := m.here()[p.EndpointID]
	switch {
	case len(m.res.Finalizers) > 0:
		return errors.New("it is only observed, and the finalizer is left")
	case !known:
		return fmt.Errorf("endpoint %q is observed, and does not exist", p.EndpointID)
	case m.res.WantsDisabled() == (e.Status == medblocks.EndpointStatusActive):
		return fmt.Errorf("the endpoint that is observed is %s, and nothing is said about it", e.Status)
	}
	is, want := projectionOf(e), desiredOf(m.res, testOwner)
	is.Metadata, want.Metadata = unmarked(is.Metadata), unmarked(want.Metadata)
	if m.normalises {
		is.URL = strings.TrimSuffix(is.URL, "/")
	}
	if !is.equal(want) {
		return fmt.Errorf("the endpoint that is observed is %+v, wanted is %+v, and nothing is said about it", is, want)
	}
	return nil
}

var renameHappenings = []happening{
	{"the Secret is renamed", false, (*model).rename},
	{"the Secret is renamed, and again when the operator has died", false, func(m *model) bool {
		if !m.rename() {
			return false
		}
		m.faults[m.writes+1+m.rng.IntN(4)] = []fault{crashBefore, crashAfter, crashDuring}[m.rng.IntN(3)]
		m.afterCrash = func() {
			if m.rename() {
				m.told = append(m.told, "the Secret is renamed again")
			}
		}
		return true
	}},
}

// rename gives the signing Secret another name, unless a Secret would be known to nobody after that.
func (m *model) rename() bool {
	published := m.res.Status.SigningSecret
	for name, s := range m.secrets {
		if s.view.owned && s.hidden && (published == nil || published.Name != name) {
			return false
		}
	}
	spec := &v1alpha1.SigningSecretSpec{}
	if m.res.Spec.SigningSecret != nil {
		spec = m.res.Spec.SigningSecret.DeepCopy()
	}
	spec.Name = m.unique("secret")
	m.res.Spec.SigningSecret = spec
	return m.specChanged()
}

// die ends one life of the operator, and begins the next.
func (m *model) die() {
	m.restart()
	if happens := m.afterCrash; happens != nil {
		m.afterCrash = nil
		happens()
	}
}

// isTrue tells whether a hold says what is the case, and only people or time can change it.
func (m *model) isTrue(h hold) bool {
	e, pending := m.toAdopt(), m.res.Spec.Adopt != nil && m.res.Status.EndpointID == ""
	switch h.Reason {
	case v1alpha1.ReasonAdoptionTargetNotFound:
		return e == nil && len(m.ours()) == 0
	case v1alpha1.ReasonConflict:
		another := slices.ContainsFunc(m.ours(), func(other *medblocks.Endpoint) bool { return other != e })
		return m.secretIsOfRival(m.res.SigningSecretName()) || (pending && e != nil && (another || m.isOfRival(e)))
	case v1alpha1.ReasonWaitingForSecret:
		return m.source == "" && m.isCopied() && (!m.adopted(e) || !m.isKept(e))
	}
	return false
}
