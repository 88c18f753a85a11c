// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// maxEvidencePages bounds what a disable costs to judge: 500 pages of 100 events each. An exhausted event is days old
// and the newest come first, so a busy endpoint's evidence can lie far back.
const maxEvidencePages = 500

// evidenceTime bounds how long that takes.
const evidenceTime = time.Minute

// deepen observes what a plan asked for: the only reads that cost something.
func (r *Reconciler) deepen(ctx context.Context, w *work, n needs) error {
	if err := r.observeEndpoints(ctx, w, n.endpoints); err != nil {
		return err
	}
	for _, wanted := range []struct {
		needed  bool
		observe func(context.Context, *work) error
	}{
		{n.secret, r.observeSecretLive},
		{n.source, r.observeSource}, // after the Secret: what was copied meanwhile is not overwritten with an older value
		{n.rivals, r.observeRivalsForEndpoint},
		{n.namespace, r.observeNamespace},
	} {
		if wanted.needed {
			if err := wanted.observe(ctx, w); err != nil {
				return err
			}
		}
	}
	if n.evidence != "" {
		e := r.gatherEvidence(ctx, w, n.evidence)
		if account.MustWait(e.err) {
			return &vendorError{action: actionRead, err: e.err} // that says nothing about the events
		}
		w.obs.evidence = e
	}
	if n.deliveries != nil {
		r.observeDeliveries(ctx, w, *n.deliveries)
	}
	if n.since != "" {
		w.obs.since[n.since] = w.mem.sighted(n.since, r.Clock.Now())
	}
	return nil
}

func (r *Reconciler) observeEndpoints(ctx context.Context, w *work, ids []string) error {
	for _, id := range ids {
		endpoint, err := w.account.GetEndpoint(ctx, id)
		switch {
		case medblocks.IsNotFound(err):
			w.obs.live[id] = nil
		case err != nil:
			return &vendorError{action: actionRead, err: err}
		default:
			w.obs.live[id] = &endpoint
			w.obs.seeUpdate(&endpoint)
		}
	}
	return nil
}

// confirm reads the resource live before the first write of a reconcile: what a cache shows may be the wish of yesterday, or
// that of another resource of this name, and neither Medblocks nor a Secret would refuse it. A patch of the resource's own metadata
// would be refused, and so proves as much: that which notes the name of a Secret, too.
func (r *Reconciler) confirm(ctx context.Context, w *work, first step) error {
	if err := r.noteSecretName(ctx, w); err != nil {
		return err
	}
	if w.confirmed || first.Action == actionAddFinalizer || first.Action == actionWriteIntent {
		return nil
	}
	var live v1alpha1.MedblocksWebhookEndpoint
	err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(w.res), &live)
	switch {
	case apierrors.IsNotFound(err):
		return errStale
	case err != nil:
		return fmt.Errorf("reading the resource live: %w", err)
	case live.UID != w.base.UID || live.ResourceVersion != w.base.ResourceVersion:
		return errStale
	}
	w.confirmed = true
	return nil
}

func (r *Reconciler) observeSecretLive(ctx context.Context, w *work) error {
	view, err := readSecret(ctx, r.APIReader, w.res, w.obs.secret.name)
	if err != nil {
		return err
	}
	view.live = true
	switch toProve := w.res.DeletionTimestamp.IsZero() && !w.res.Observes() && (!view.exists || view.owned); {
	case toProve && r.previews:
		w.unproven = view.name
	case toProve:
		view.unwritable = proveWritable(ctx, r.Client, w.res, view)
		if isUnclear(view.unwritable) {
			return fmt.Errorf("proving that the signing Secret can be written: %w", view.unwritable)
		}
	}
	w.obs.secret = view
	for i, former := range w.obs.former {
		view, err := readSecret(ctx, r.APIReader, w.res, former.name)
		if err != nil {
			return err
		}
		view.live = true
		w.obs.former[i] = &view
	}
	return r.observeRivalsForSecret(ctx, w)
}

// isUnclear tells whether a failed write says nothing about the Secret itself.
func isUnclear(err error) bool {
	if err == nil {
		return false
	}
	reason := apierrors.ReasonForError(err)
	return reason == "" || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err)
}

// gatherEvidence reads the undelivered events, newest first, until it has seen enough exhausted ones.
func (r *Reconciler) gatherEvidence(ctx context.Context, w *work, id string) *evidence {
	undelivered := false
	e, seen, news := &evidence{}, 0, false
	reading, cancel := context.WithTimeout(ctx, evidenceTime)
	defer cancel()
	for event, err := range w.account.ListEvents(reading, id, medblocks.ListEventsOptions{Delivered: &undelivered}) {
		switch {
		case err != nil && reading.Err() != nil && seen > 0:
			return e // there are more than can be read
		case err != nil:
			e.err = err
			return e
		}
		if event.Attempts >= medblocks.MaxAttempts && event.DeliveredAt == nil {
			e.exhausted = append(e.exhausted, event)
			news = news || provesDisable(w.res.Status.Reenable, event, r.Clock.Now())
		}
		if seen++; seen >= maxEvidencePages*medblocks.DefaultPageSize || (news && len(e.exhausted) > maxAccounted) {
			return e
		}
	}
	e.complete = true
	return e
}

// observeNamespace finds out whether the namespace is going: then no API key can appear in it any more.
func (r *Reconciler) observeNamespace(ctx context.Context, w *work) error {
	var namespace corev1.Namespace
	err := r.APIReader.Get(ctx, client.ObjectKey{Name: w.res.Namespace}, &namespace)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading namespace %s: %w", w.res.Namespace, err)
	}
	gone := apierrors.IsNotFound(err)
	going := gone || !namespace.DeletionTimestamp.IsZero()
	w.obs.namespaceTerminating = &going
	return nil
}
