// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
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
			if vendor := (*vendorError)(nil); errors.As(err, &vendor) {
				r.afterFailure(ctx, w, s, vendor.err)
			}
			return err
		}
	}
	return nil
}

// afterFailure notes what a failed call to Medblocks leaves: one that may still be carried out, or an attempt that was none.
func (r *Reconciler) afterFailure(ctx context.Context, w *work, s step, err error) {
	switch {
	case mayBeAtWork(err):
		w.unclear[s.EndpointID] = r.Clock.Now().Add(r.APITimeout)
		w.mem.lost(s, r.Clock.Now(), r.APITimeout)
	case s.Action == actionEnable && s.Trigger == triggerPolicy && hadToWait(err):
		r.takeAttemptBack(ctx, w)
	default:
	}
}

func (r *Reconciler) perform(ctx context.Context, w *work, s step) error {
	if err := r.takePlace(ctx, w, s); err != nil {
		return err
	}
	switch s.Action {
	case actionAddFinalizer, actionRemoveFinalizer, actionWriteIntent:
		return r.writeMetadata(ctx, w, s)
	case actionRecordDisable, actionRecordAttempt, actionRecordEvents, actionRecordKey, actionRecordTry:
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
	calling, cancel, err := r.whileAwaited(ctx, w)
	if err != nil {
		return err
	}
	defer cancel()
	mem := w.mem
	mem.nonce, mem.since, mem.refused, mem.registered = s.Nonce, r.Clock.Now(), false, ""
	w.obs.intentSince = mem.since
	endpoint, secret, err := w.account.CreateEndpoint(calling, *s.Create)
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
	return !medblocks.IsRejected(err) && !wasNeverSent(err)
}

func wasNeverSent(err error) bool { return isPaused(err) || errors.Is(err, account.ErrNotSent) }

// hadToWait tells whether a call was not made, or was refused, only because it is not the time for it.
func hadToWait(err error) bool {
	return wasNeverSent(err) || medblocks.IsRateLimited(err) && medblocks.IsRejected(err)
}

// whileAwaited bounds a call that was written ahead: whoever finds what announced it waits for the API timeout, and the account's turn
// may be long in coming. It refuses one that nobody waits for any more: this process was paused in between, and another one may have
// taken its place.
func (r *Reconciler) whileAwaited(ctx context.Context, w *work) (context.Context, context.CancelFunc, error) {
	left := r.APITimeout - r.Clock.Now().Sub(w.announced)
	if left <= 0 {
		return nil, nil, errStale
	}
	calling, cancel := context.WithTimeout(ctx, left)
	return calling, cancel, nil
}

// keepSecret holds a new signing secret in memory until it is stored. An answer that holds little more than the secret is
// not the endpoint's state; that is read again then.
func (r *Reconciler) keepSecret(w *work, endpoint medblocks.Endpoint, s step, secret medblocks.Secret) {
	w.mem.held = &heldSecret{
		endpointID: endpoint.ID, nonce: s.Nonce, value: secret, issued: r.Clock.Now(), healed: s.Trigger == triggerLostSecret,
		over: w.obs.secret.nonce,
	}
	w.obs.seeOwnUpdate(endpoint.ID)
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
	w.mem.stored = storedHashes{endpointID: endpoint.ID, applied: w.obs.appliedHash, accepted: w.obs.acceptedHash}
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
	if before == nil { // the answer to a rotation showed no more than the secret
		before = &endpoint
	}
	w.obs.seeOwnUpdate(endpoint.ID)
	w.markBefore = before.Metadata[v1alpha1.MarkSecretGeneration]
	w.obs.live[endpoint.ID] = &endpoint
	switch s.Action {
	case actionUpdate, actionAdopt:
		r.accepted(w, projectionOf(before).taking(s.Update, projectionOf(&endpoint)), &endpoint)
	case actionEnable:
		r.logWrite(ctx, w, s, endpoint.ID, endpoint.RequestID)
		delete(w.obs.live, endpoint.ID) // it is believed once it is read back: an answer may just repeat what it was asked
		return r.observeEndpoints(ctx, w, []string{endpoint.ID})
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
	calling, cancel, err := r.whileAwaited(ctx, w)
	if err != nil {
		return err
	}
	defer cancel()
	endpoint, secret, err := w.account.RotateSecret(calling, s.EndpointID)
	if err != nil {
		if mayBeAtWork(err) {
			w.mem.sightAt(sightOfMark(s.Nonce), r.Clock.Now()) // the vendor may still be at work on it
			w.mem.lostRotations++
		}
		return &vendorError{action: s.Action, err: err}
	}
	r.keepSecret(w, endpoint, s, secret)
	w.mem.clobbered, w.obs.clobbered = "", ""
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
	if err := r.observeEndpoints(ctx, w, []string{s.EndpointID}); err != nil {
		return nil //nolint:nilerr // nothing is known, and the secret is at hand: it is stored
	}
	is := w.obs.live[s.EndpointID]
	if is == nil || slices.Contains([]string{"", s.Nonce, w.markBefore}, is.Metadata[v1alpha1.MarkSecretGeneration]) {
		return nil // the answer was not the whole truth, or not of today
	}
	w.mem.held, w.mem.clobbered = nil, s.EndpointID
	w.mem.clobbers++
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
		w.account.Track(client.ObjectKeyFromObject(w.res), "") // nobody has to miss it
	}
	r.logWrite(ctx, w, s, s.EndpointID, requestID)
	return nil
}

// logWrite leaves one stable log line per write to Medblocks, and a line in the history.
func (r *Reconciler) logWrite(ctx context.Context, w *work, s step, endpointID, requestID string) {
	log.FromContext(ctx).Info("Wrote to Medblocks", "action", s.Action, "endpointID", endpointID, "trigger", s.Trigger, "requestID", requestID)
	countWrite(s)
	w.performed[deed{s.Action, s.EndpointID}] = true
	delete(w.mem.refusals, s.Action)    // what was refused once may not be any more
	if s.Action != actionMarkRotation { // it is the first half of a rotation
		w.mem.done = append(w.mem.done, v1alpha1.HistoryEntry{Time: seconds(r.Clock.Now()), Action: string(s.Action), Trigger: string(s.Trigger)})
	}
	w.announceWrite(s, endpointID)
}
