// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// perform does one step to the model, and to the memory and the observation what the operator's own perform does.
func (m *model) perform(w *work, s step) error {
	switch s.Action {
	case actionAddFinalizer, actionRemoveFinalizer, actionWriteIntent:
		return m.write(func() { m.writeMetadata(w, s) })
	case actionRecordDisable, actionRecordAttempt, actionRecordEvents, actionRecordKey, actionRecordTry:
		return m.write(func() { m.writeAhead(w, s) })
	case actionRegister:
		return m.register(w, s)
	case actionRotate:
		return m.rotate(w, s)
	case actionDelete, actionDeleteDuplicate:
		return m.remove(w, s)
	case actionPublishSecret, actionCopySecret, actionMoveSecret, actionDressSecret, actionDeleteSecret:
		return m.writeSecret(w, s)
	default:
		return m.update(w, s)
	}
}

func (m *model) writeMetadata(w *work, s step) {
	m.res.Finalizers = slices.DeleteFunc(m.res.Finalizers, func(f string) bool { return f == v1alpha1.Finalizer })
	if s.Action != actionRemoveFinalizer {
		m.res.Finalizers = append(m.res.Finalizers, v1alpha1.Finalizer)
	}
	if s.Action == actionWriteIntent {
		next := intentOf(m.res).next(m.res, s.Nonce, w.obs.keyHash, seconds(m.clock.Now()))
		m.res.Annotations[v1alpha1.AnnotationRegistration] = next.encode()
		w.obs.intent = &next
	}
}

func (m *model) writeAhead(w *work, s step) {
	m.res.Status = *ahead(m.res, w.obs, s, seconds(m.clock.Now()))
}

func (m *model) register(w *work, s step) error {
	mem := w.mem
	mem.nonce, mem.since, mem.refused, mem.registered = s.Nonce, m.clock.Now(), false, ""
	var created medblocks.Endpoint
	home := m.here()
	err := m.call(s.Action, func() {
		e := &medblocks.Endpoint{
			ID: m.unique("wh_NEW"), URL: s.Create.URL, Events: slices.Clone(s.Create.Events), Status: medblocks.EndpointStatusActive,
			Metadata: s.Create.Metadata, CreatedAt: medblocks.Timestamp{Time: m.clock.Now()},
		}
		if s.Create.Description != nil {
			e.Description = *s.Create.Description
		}
		m.normalise(e)
		home[e.ID], m.inForce[e.ID], created = e, m.unique("whsec_"), clone(e)
	})
	if err != nil {
		mem.refused, mem.since = medblocks.IsRejected(err) || isPaused(err), m.clock.Now()
		if mem.refused {
			w.obs.intent.Refused = true
			m.res.Annotations[v1alpha1.AnnotationRegistration] = w.obs.intent.encode()
		}
		return err
	}
	mem.registered, mem.failure, w.obs.registered = created.ID, nil, created.ID
	m.judge.keepSecret(w, created, s, medblocks.Secret(m.inForce[created.ID]))
	m.judge.accepted(w, projectionOf(&created), &created)
	m.wrote(w, s, &created)
	return nil
}

func (m *model) rotate(w *work, s step) error {
	var rotated *medblocks.Endpoint
	home := m.here()
	err := m.call(s.Action, func() {
		if e, known := home[s.EndpointID]; known {
			m.inForce[s.EndpointID] = m.unique("whsec_")
			is := clone(e)
			rotated = &is
		}
	})
	if err == nil && rotated == nil {
		err = notFound(s)
	}
	if err != nil {
		if !medblocks.IsRejected(err) && !isPaused(err) {
			w.mem.sightAt(sightOfMark(s.Nonce), m.clock.Now())
		}
		return err
	}
	m.judge.keepSecret(w, *rotated, s, medblocks.Secret(m.inForce[s.EndpointID]))
	w.mem.clobbered = ""
	if rotated.Metadata[v1alpha1.MarkSecretGeneration] != s.Nonce {
		w.mem.clobbered = rotated.ID
	}
	w.obs.clobbered = w.mem.clobbered
	m.wrote(w, s, rotated)
	return nil
}

func (m *model) remove(w *work, s step) error {
	home := m.here()
	if err := m.call(s.Action, func() { delete(home, s.EndpointID) }); err != nil {
		return err
	}
	delete(m.snapshot.endpoints, s.EndpointID)
	w.obs.live[s.EndpointID], w.obs.disposed[s.EndpointID] = nil, true
	if s.Action == actionDelete {
		w.mem.deleted = s.EndpointID
	}
	w.performed[deed{s.Action, s.EndpointID}] = true
	return nil
}

func (m *model) update(w *work, s step) error {
	var updated *medblocks.Endpoint
	home := m.here()
	err := m.call(s.Action, func() {
		if e, known := home[s.EndpointID]; known {
			m.patch(e, s.Update)
			is := clone(e)
			updated = &is
		}
	})
	if s.Action == actionMarkRotation || s.Action == actionAdopt {
		w.mem.sightAt(sightOfMark(s.Nonce), time.Time{})
	}
	if err == nil && updated == nil {
		err = notFound(s)
	}
	if err != nil {
		w.mem.lost(s, m.clock.Now(), modelFlight)
		return err
	}
	w.obs.seeOwnUpdate(updated.ID)
	before := w.obs.endpoint(updated.ID)
	w.obs.live[updated.ID] = updated
	switch s.Action {
	case actionUpdate, actionAdopt:
		m.judge.accepted(w, projectionOf(before).taking(s.Update, projectionOf(updated)), updated)
	case actionOrphan:
		w.obs.disposed[updated.ID] = true
	default:
	}
	m.wrote(w, s, updated)
	return nil
}

func notFound(s step) error {
	return &vendorError{action: s.Action, err: &medblocks.APIError{StatusCode: 404, Envelope: true}}
}

func (m *model) patch(e *medblocks.Endpoint, update *medblocks.UpdateEndpointRequest) {
	if update.URL != nil {
		e.URL = *update.URL
	}
	if update.Events != nil {
		e.Events = slices.Clone(update.Events)
	}
	if update.Description != nil {
		e.Description = *update.Description
	}
	if update.Metadata != nil {
		e.Metadata = update.Metadata
	}
	e.UpdatedAt.Time = m.clock.Now()
	if update.Status != nil {
		e.Status = *update.Status
		delete(m.byPerson, e.ID)
	}
	m.normalise(e)
}

// normalise is what a vendor may do to what it is sent.
func (m *model) normalise(e *medblocks.Endpoint) {
	if m.normalises && e.URL[len(e.URL)-1] != '/' {
		e.URL += "/"
	}
}

func (m *model) wrote(w *work, s step, e *medblocks.Endpoint) {
	m.snapshot.endpoints[e.ID] = clone(e)
	w.performed[deed{s.Action, s.EndpointID}] = true
}

// conclude stores the status, where it differs.
func (m *model) conclude(w *work, p plan, failure *hold) (changed bool, err error) {
	status := conclude(m.res, w.obs, p, failure, m.clock.Now())
	if equality.Semantic.DeepEqual(status, &m.res.Status) {
		return false, nil
	}
	err = m.write(func() {
		m.res.Status = *status
		m.mem.stored = storedHashes{endpointID: status.EndpointID, applied: status.AppliedHash, accepted: status.AcceptedHash}
	})
	return true, err
}

// writeSecret does to the Secret what the operator's own does.
func (m *model) writeSecret(w *work, s step) error {
	view := w.obs.secret
	if s.Action == actionDeleteSecret {
		return m.write(func() { m.dropSecret(w, s.Secret) })
	}
	stored, exists := m.secrets[s.Secret]
	if exists != view.exists || (exists && !stored.view.owned) {
		return errSecretMoved
	}
	content, err := w.contentFor(s)
	if err != nil {
		return err
	}
	return m.write(func() {
		next := storedSecret{view: secretView{
			name: s.Secret, exists: true, owned: true, intact: true, dressed: true, live: true, nonce: content.nonce,
			endpointID: content.endpointID, rotatedAt: content.rotatedAt.Truncate(time.Second), rotatedFor: content.rotatedFor,
			value: content.value, last: content.previous, healedAt: content.healedAt, copiedFrom: content.copiedFrom,
		}}
		m.secrets[s.Secret], w.obs.secret = &next, next.view
		m.counts[s.Action]++
		if s.Action == actionPublishSecret {
			w.mem.held, w.obs.held = nil, nil
		}
		if s.Action == actionCopySecret {
			m.judge.copied(w, s)
		}
	})
}

func (m *model) dropSecret(w *work, name string) {
	delete(m.secrets, name)
	for _, view := range w.obs.secrets() {
		if view.name == name {
			view.exists = false
		}
	}
}
