// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// act carries out the steps in order, up to the first that fails. It is the only place that writes to Medblocks or to
// the Secret. What a step taught goes into the observation, so that the next plan builds on it.
func (r *Reconciler) act(ctx context.Context, w *work, steps []step) error {
	for _, s := range steps {
		if err := r.perform(ctx, w, s); err != nil {
			if vendor := (*vendorError)(nil); errors.As(err, &vendor) && mayBeAtWork(vendor.err) {
				w.unclear[s.EndpointID] = r.Clock.Now().Add(r.APITimeout)
			}
			return err
		}
	}
	return nil
}

func (r *Reconciler) perform(ctx context.Context, w *work, s step) error {
	switch s.Action {
	case actionAddFinalizer, actionRemoveFinalizer, actionWriteIntent:
		return r.writeMetadata(ctx, w, s)
	case actionRecordDisable, actionRecordAttempt, actionRecordEvents, actionRecordKey:
		return r.writeAhead(ctx, w, s)
	case actionRegister:
		return r.register(ctx, w, s)
	case actionRotate:
		return r.rotate(ctx, w, s)
	case actionDelete, actionDeleteDuplicate:
		return r.delete(ctx, w, s)
	case actionPublishSecret, actionCopySecret, actionMoveSecret, actionDressSecret, actionDeleteSecret:
		return r.writeSecret(ctx, w, s)
	default:
		return r.update(ctx, w, s)
	}
}

// register sends the POST. It is never repeated here: only a clear refusal proves that nothing was created.
func (r *Reconciler) register(ctx context.Context, w *work, s step) error {
	if r.outdated(w) {
		return errStale
	}
	ctx, cancel := r.whileAwaited(ctx, w)
	defer cancel()
	mem := w.mem
	mem.nonce, mem.since, mem.refused, mem.registered = s.Nonce, r.Clock.Now(), false, ""
	w.obs.intentSince = mem.since
	endpoint, secret, err := w.account.CreateEndpoint(ctx, *s.Create)
	if err != nil {
		mem.refused = !mayBeAtWork(err)
		mem.since = r.Clock.Now() // the vendor may still be at work on it
		if mem.refused {
			r.refuseIntent(ctx, w, s)
		}
		return &vendorError{action: s.Action, err: err}
	}
	r.takeTurn(w, endpoint.ID) // it is new: nobody else knows of it
	mem.registered, mem.failure = endpoint.ID, nil
	w.obs.registered = endpoint.ID
	r.keepSecret(w, endpoint, s, secret)
	if w.obs.isLive(endpoint.ID) {
		r.accepted(w, projectionOf(&endpoint), &endpoint)
	}
	r.logWrite(ctx, w, s, endpoint.ID, endpoint.RequestID)
	return nil
}

// mayBeAtWork tells whether the vendor may still carry out a call that failed: only a clear refusal, or a call that was never
// made, proves that it does not.
func mayBeAtWork(err error) bool {
	return !medblocks.IsRejected(err) && !isPaused(err) && !errors.Is(err, account.ErrNotSent)
}

// outdated tells whether what was written ahead is so old that nobody waits for what it announced any more: this process was
// paused in between, and another one may have taken its place.
func (r *Reconciler) outdated(w *work) bool {
	return r.Clock.Now().Sub(w.announced) >= r.APITimeout
}

// whileAwaited bounds a call that was announced: whoever finds the announcement waits for the API timeout, and the account's turn
// may be long in coming.
func (r *Reconciler) whileAwaited(ctx context.Context, w *work) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, r.APITimeout-r.Clock.Now().Sub(w.announced))
}

// keepSecret holds a new signing secret in memory until it is stored. An answer that holds little more than the secret is
// not the endpoint's state; that is read again then.
func (r *Reconciler) keepSecret(w *work, endpoint medblocks.Endpoint, s step, secret medblocks.Secret) {
	w.mem.held = &heldSecret{
		endpointID: endpoint.ID, nonce: s.Nonce, value: secret, issued: r.Clock.Now(), healed: s.Trigger == triggerLostSecret,
		over: w.obs.secret.nonce,
	}
	if s.Action == actionRotate { // any rotation serves the request
		w.mem.held.rotatedFor = w.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt]
	}
	w.obs.held = w.mem.held
	delete(w.obs.live, endpoint.ID)
	if account.IsComplete(&endpoint) {
		w.obs.live[endpoint.ID] = &endpoint
	}
}

// accepted keeps what was asked for, and what Medblocks made of it: of the fields that were sent, that is; the others
// may have been changed by somebody else meanwhile.
func (r *Reconciler) accepted(w *work, form desired, endpoint *medblocks.Endpoint) {
	want := desiredOf(w.res, w.obs.owner)
	w.obs.appliedHash, w.obs.acceptedHash = want.hash(), form.hash()
	if differs := want.diff(endpoint); !differs.IsEmpty() {
		w.announce(corev1.EventTypeNormal, "Normalized", "Medblocks stores %s in another form than it was sent; that form is accepted", changedFields(&differs))
	}
}

func (r *Reconciler) update(ctx context.Context, w *work, s step) error {
	begun := r.Clock.Now()
	endpoint, err := w.account.UpdateEndpoint(ctx, s.EndpointID, *s.Update)
	if s.Action == actionMarkRotation || s.Action == actionAdopt {
		w.announced = begun
		w.mem.sightAt(sightOfMark(s.Nonce), time.Time{}) // nothing is in flight yet, whatever became of the mark
	}
	if err != nil {
		return &vendorError{action: s.Action, err: err}
	}
	before := w.obs.endpoint(endpoint.ID)
	w.obs.live[endpoint.ID] = &endpoint
	switch s.Action {
	case actionUpdate, actionAdopt:
		r.accepted(w, projectionOf(before).taking(s.Update, projectionOf(&endpoint)), &endpoint)
		if s.Action == actionAdopt {
			r.Accounts.TakenOver(w.account, endpoint.ID, client.ObjectKeyFromObject(w.res))
		}
	case actionOrphan:
		w.obs.clinging[endpoint.ID] = endpoint.Metadata[v1alpha1.MarkOwner] != ""
		w.obs.disposed[endpoint.ID] = !w.obs.clinging[endpoint.ID]
	case actionBlankMarks:
		w.obs.disposed[endpoint.ID] = true
		if endpoint.Metadata[v1alpha1.MarkOwner] != "" {
			w.announce(corev1.EventTypeWarning, "MarksRemain", "Endpoint %s is left behind and Medblocks does not remove its metadata keys %s…: remove them before another resource of this name is created", endpoint.ID, v1alpha1.MarkPrefix)
		}
	default:
	}
	r.logWrite(ctx, w, s, endpoint.ID, endpoint.RequestID)
	return nil
}

func (r *Reconciler) rotate(ctx context.Context, w *work, s step) error {
	if r.outdated(w) {
		return errStale
	}
	calling, cancel := r.whileAwaited(ctx, w)
	defer cancel()
	endpoint, secret, err := w.account.RotateSecret(calling, s.EndpointID)
	if err != nil {
		if mayBeAtWork(err) {
			w.mem.sightAt(sightOfMark(s.Nonce), r.Clock.Now()) // the vendor may still be at work on it
		}
		return &vendorError{action: s.Action, err: err}
	}
	r.keepSecret(w, endpoint, s, secret)
	w.mem.clobbered = ""
	r.logWrite(ctx, w, s, endpoint.ID, endpoint.RequestID)
	if !account.IsComplete(&endpoint) || endpoint.Metadata[v1alpha1.MarkSecretGeneration] == s.Nonce {
		return nil
	}
	return r.seeWhoseTurnItWas(ctx, w, s)
}

// seeWhoseTurnItWas comes when the answer to a rotation does not show the mark that was set before it, and reads what is there.
// Somebody who marked another rotation between our mark and our rotation holds a secret that ours has outdated: an operator that
// was paused, and has lost its lease since. Nothing is stored then; the next rotation, marked anew, sets it right.
func (r *Reconciler) seeWhoseTurnItWas(ctx context.Context, w *work, s step) error {
	err := r.observeEndpoints(ctx, w, []string{s.EndpointID})
	is := w.obs.live[s.EndpointID]
	if err != nil || is == nil || is.Metadata[v1alpha1.MarkSecretGeneration] == "" || is.Metadata[v1alpha1.MarkSecretGeneration] == s.Nonce {
		return nil // the answer was not the whole truth
	}
	w.mem.held, w.mem.clobbered = nil, s.EndpointID
	return errStale
}

func (r *Reconciler) delete(ctx context.Context, w *work, s step) error {
	requestID, err := w.account.DeleteEndpoint(ctx, s.EndpointID)
	if err != nil && !medblocks.IsNotFound(err) {
		return &vendorError{action: s.Action, err: err}
	}
	w.obs.live[s.EndpointID] = nil
	w.obs.disposed[s.EndpointID] = true
	if s.Action == actionDelete {
		w.mem.deleted = s.EndpointID
	}
	r.logWrite(ctx, w, s, s.EndpointID, requestID)
	return nil
}

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
			rotatedAt: w.obs.source.readAt, rotatedFor: view.rotatedFor, copiedFrom: nameOfSource(sourceOf(w.res)),
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

// writeMetadata patches the resource's own metadata. The resourceVersion makes sure that the plan was made on what is
// stored: on a stale read nothing is written, and so nothing is posted.
func (r *Reconciler) writeMetadata(ctx context.Context, w *work, s step) error {
	metadata := map[string]any{"resourceVersion": w.res.ResourceVersion}
	finalizers := slices.Clone(w.res.Finalizers)
	switch {
	case s.Action == actionRemoveFinalizer:
		finalizers = slices.DeleteFunc(finalizers, func(f string) bool { return f == v1alpha1.Finalizer })
	case !slices.Contains(finalizers, v1alpha1.Finalizer):
		finalizers = append(finalizers, v1alpha1.Finalizer)
	}
	metadata["finalizers"] = finalizers
	if s.Action == actionWriteIntent {
		next := intentOf(w.res).next(w.res, s.Nonce, w.obs.keyHash, seconds(r.Clock.Now()))
		metadata["annotations"] = map[string]string{v1alpha1.AnnotationRegistration: next.encode()}
		w.obs.intent, w.announced = &next, r.Clock.Now()
	}
	err := r.patchMetadata(ctx, w, s, metadata)
	w.mem.finished = err == nil && s.Action == actionRemoveFinalizer && !w.res.DeletionTimestamp.IsZero()
	return err
}

// refuseIntent notes in the intent that the attempt created nothing, so that nobody has to wait for it after a restart
// or under another key. It may fail: what is not noted is waited for.
func (r *Reconciler) refuseIntent(ctx context.Context, w *work, s step) {
	refused := *w.obs.intent
	refused.Refused = true
	metadata := map[string]any{
		"resourceVersion": w.res.ResourceVersion,
		"annotations":     map[string]string{v1alpha1.AnnotationRegistration: refused.encode()},
	}
	if err := r.patchMetadata(ctx, w, s, metadata); err != nil {
		log.FromContext(ctx).V(1).Info("Could not note that the registration was refused", "error", err.Error())
		return
	}
	w.obs.intent = &refused
}

func (r *Reconciler) patchMetadata(ctx context.Context, w *work, s step, metadata map[string]any) error {
	patch, err := mergePatch(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	// Into an object of its own: what the answer leaves out, such as the last finalizer, would stay as it was.
	next := &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: w.res.Namespace, Name: w.res.Name}}
	err = r.Client.Patch(ctx, next, patch)
	if s.Action == actionRemoveFinalizer && apierrors.IsNotFound(err) {
		w.res.Finalizers = nil
		return nil
	}
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return errStale
	}
	if err != nil {
		return fmt.Errorf("patching the resource: %w", err)
	}
	w.base, w.res = next.DeepCopy(), next
	dropDamagedID(w.res)
	return nil
}

func mergePatch(content map[string]any) (client.Patch, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encoding a patch: %w", err)
	}
	return client.RawPatch(types.MergePatchType, raw), nil
}

// writeAhead records in the status what is about to be done, so that a crash in between cannot hide it.
func (r *Reconciler) writeAhead(ctx context.Context, w *work, s step) error {
	return r.patchStatus(ctx, w, ahead(w.res, w.obs, s, seconds(r.Clock.Now())))
}

// ahead is the status before a step that it announces.
func ahead(res *v1alpha1.MedblocksWebhookEndpoint, obs *observation, s step, now metav1.Time) *v1alpha1.MedblocksWebhookEndpointStatus {
	status := res.Status.DeepCopy()
	switch s.Action {
	case actionRecordDisable:
		status.Disabled = &v1alpha1.DisabledStatus{Since: now, Cause: v1alpha1.ReasonDisabledBySpec}
	case actionRecordEvents:
		status.Reenable = accountForAll(status.Reenable, obs.evidence, now)
	case actionRecordAttempt:
		recent := attemptsSince(status.Reenable, now.Add(-res.Spec.ReenablePolicy.WindowOrDefault()))
		status.Reenable = accountForAll(status.Reenable, obs.evidence, now)
		if status.Reenable == nil {
			status.Reenable = &v1alpha1.ReenableStatus{}
		}
		status.Reenable.Attempts = append(slices.Clip(recent), now)
		status.Reenable.NextAttempt = nil
		status.Disabled = s.Disabled // the events that explain it are accounted for by now, and would not explain it again
	case actionRecordKey:
		status.KeyHash = obs.keyHash
	default:
	}
	return status
}

// logWrite leaves one stable log line per write to Medblocks, and a line in the history.
func (r *Reconciler) logWrite(ctx context.Context, w *work, s step, endpointID, requestID string) {
	log.FromContext(ctx).Info("Wrote to Medblocks", "action", s.Action, "endpointID", endpointID, "trigger", s.Trigger, "requestID", requestID)
	vendorWrites.WithLabelValues(string(s.Action), string(s.Trigger)).Inc()
	w.performed[deed{s.Action, s.EndpointID}] = true
	if s.Action != actionMarkRotation { // it is the first half of a rotation
		w.mem.done = append(w.mem.done, v1alpha1.HistoryEntry{Time: seconds(r.Clock.Now()), Action: string(s.Action), Trigger: string(s.Trigger)})
	}
	w.announceWrite(s, endpointID)
}
