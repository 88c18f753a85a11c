// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// writeSecret writes the signing Secret. A refusal by the API server is told apart from one that may pass.
func (r *Reconciler) writeSecret(ctx context.Context, w *work, s step) error {
	err := r.performSecret(ctx, w, s)
	if err == nil || isUnclear(err) {
		return err
	}
	return &unwritableError{name: s.Secret, err: err}
}

func (r *Reconciler) performSecret(ctx context.Context, w *work, s step) error {
	if s.Action == actionDeleteSecret {
		return r.dropSecret(ctx, w, s.Secret)
	}
	content, err := w.contentFor(s)
	if err != nil {
		return err
	}
	written, err := writeSecret(ctx, r.Client, w.res, w.obs.secret, content, false)
	if err != nil {
		return err
	}
	w.obs.secret = written
	if s.Action == actionPublishSecret {
		w.mem.held, w.obs.held = nil, nil
	}
	if s.Action == actionCopySecret {
		r.copied(w, s)
	}
	if s.Action == actionDressSecret {
		w.mem.dressings.note(dressing(w.res, s.EndpointID), r.Clock.Now())
		w.obs.dressings = w.mem.dressings
	}
	return nil
}

// copied tells of a copy, and counts those that were lost.
func (r *Reconciler) copied(w *work, s step) {
	if s.Trigger == triggerLostSecret {
		w.mem.copies.note(s.EndpointID, r.Clock.Now())
		w.obs.copies = w.mem.copies
		secretsRecovered.Inc()
	}
	w.announce(corev1.EventTypeNormal, "SecretCopied", "Copied the signing secret of endpoint %s from %s (Secret/key) to Secret %s (%s)",
		s.EndpointID, w.obs.secret.copiedFrom, s.Secret, s.Trigger)
}

// contentFor is what a step puts into the Secret.
func (w *work) contentFor(s step) (secretContent, error) {
	view, held := w.obs.secret, w.mem.held
	switch {
	case s.Action == actionMoveSecret:
		return contentOf(*w.obs.formerHolding(s.Nonce), s.EndpointID), nil
	case s.Action == actionCopySecret:
		return view.replacedBy(secretContent{
			value: []byte(w.obs.source.value.Reveal()), endpointID: s.EndpointID, nonce: s.Nonce,
			rotatedAt: w.copiedAt(s), rotatedFor: view.rotatedFor, copiedFrom: nameOfSource(sourceOf(w.res)),
		}), nil
	case s.Action != actionPublishSecret:
		return contentOf(view, s.EndpointID), nil
	case held == nil:
		return secretContent{}, fmt.Errorf("no signing secret is held for %s", s.Secret) // the plan never asks for this
	}
	content := secretContent{
		value: []byte(held.value.Reveal()), endpointID: held.endpointID, nonce: held.nonce,
		rotatedAt: held.issued, rotatedFor: held.rotatedFor,
	}
	if held.healed {
		content.healedAt = held.issued
	}
	return view.replacedBy(content), nil
}

// copiedAt is when a copied value is taken to have been issued: when it was first read. One that was merely lost is not new.
func (w *work) copiedAt(s step) time.Time {
	if was := w.res.Status.SigningSecret; s.Trigger == triggerLostSecret && was != nil && was.LastRotated != nil {
		return was.LastRotated.Time
	}
	return w.obs.source.readAt
}

// replacedBy is the content that takes the place of what the Secret holds, which becomes the previous value.
func (s *secretView) replacedBy(content secretContent) secretContent {
	content.previous = s.last
	if s.owned && s.intact && !bytes.Equal(s.value, content.value) {
		content.previous = s.value // the last published value
	}
	if s.owned && content.healedAt.IsZero() {
		content.healedAt = s.healedAt
	}
	return content
}

// contentOf is what a Secret holds, to be written again.
func contentOf(view secretView, endpointID string) secretContent {
	return secretContent{
		value: view.value, previous: view.last, endpointID: endpointID, nonce: view.nonce,
		rotatedAt: view.rotatedAt, rotatedFor: view.rotatedFor, healedAt: view.healedAt, copiedFrom: view.copiedFrom,
	}
}

// dropSecret deletes the Secret of that name: the current one or one that it was renamed from.
func (r *Reconciler) dropSecret(ctx context.Context, w *work, name string) error {
	for _, view := range w.obs.secrets() {
		if view.name != name || !view.exists {
			continue
		}
		if err := deleteSecret(ctx, r.Client, w.res, *view); err != nil {
			return err
		}
		view.exists = false
	}
	return nil
}
