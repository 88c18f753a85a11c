// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// historyLength is how many entries status.history keeps.
const historyLength = 10

// staleRetry is how soon a reconcile that ran on a stale read is repeated; the delay doubles up to 6.4 s.
const staleRetry = 50 * time.Millisecond

// longestNote is within what the API server accepts for an event (1,024 bytes).
const longestNote = 1000

// record always runs: it derives the status from what is known by now, stores it where it differs, and then publishes
// the events. It returns when to look again.
func (r *Reconciler) record(ctx context.Context, w *work, p plan, err error) (ctrl.Result, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reconcileTimeout) // however long it took so far
	defer cancel()
	if errors.Is(err, errStale) || errors.Is(err, errSecretMoved) {
		return r.retryStale(w), nil
	}
	waits := p.InLine || account.MustWait(err)
	verdict, failure, err := r.judge(w, err)
	if err != nil && failure == nil {
		return ctrl.Result{}, err // Kubernetes itself is in trouble; there is nothing to record
	}
	r.requestList(w, p)
	r.lineUp(w, waits, failure)
	switch err := r.store(ctx, w, p, failure); {
	case errors.Is(err, errStale):
		return r.retryStale(w), nil
	case err != nil:
		return ctrl.Result{}, err
	}
	w.mem.stale = 0
	r.runErrands(w, p, err)
	if failure != nil && verdict == retry {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: r.untilWake(p, failure)}, nil
}

// recordUnobserved tells people where the operator may not read what it has to, and nothing else: nothing is known.
func (r *Reconciler) recordUnobserved(ctx context.Context, w *work, err error) (ctrl.Result, error) {
	if barred := (*unreadableError)(nil); errors.As(err, &barred) {
		return r.record(ctx, w, plan{EndpointID: observedID(w.res)}, err)
	}
	return ctrl.Result{}, err
}

// lineUp gives a resource that has to wait for the account a place among those that do.
func (r *Reconciler) lineUp(w *work, waits bool, failure *hold) {
	if !waits || w.account == nil {
		return
	}
	w.inLine = true
	turn := w.account.LineUp(client.ObjectKeyFromObject(w.res))
	if failure == nil {
		return
	}
	failure.Wake = turn.At
	if now := r.Clock.Now(); turn.At.Before(now) {
		failure.Wake = now
	}
}

// leaveLine ends a reconcile: whoever does not wait for the account gives its place up, however the reconcile has ended.
func (r *Reconciler) leaveLine(w *work) {
	if !w.inLine {
		r.Accounts.LeaveLine(client.ObjectKeyFromObject(w.base))
	}
}

// unauthorizedRetry is how soon a write is tried again that was refused with 401 twice in a row while lists were not; the
// delay doubles up to slowRetry.
const unauthorizedRetry = 30 * time.Second

// afterRefusal is how soon the rest of a plan is carried out whose step was refused.
const afterRefusal = time.Second

// retryStale comes back when the cache has caught up, soon at first.
func (r *Reconciler) retryStale(w *work) ctrl.Result {
	delay := staleRetry << min(w.mem.stale, 7)
	w.mem.stale++
	w.inLine = true // if it was
	return ctrl.Result{RequeueAfter: delay}
}

// judge classifies the error of a step once. A refusal is remembered, so that the same request is not made again.
func (r *Reconciler) judge(w *work, err error) (class, *hold, error) {
	var (
		vendor  *vendorError
		blocked *unwritableError
		barred  *unreadableError
	)
	switch {
	case errors.As(err, &barred):
		return waitUntil, unreadable(barred.name, w.res.Namespace, r.Clock.Now()), err
	case errors.As(err, &blocked):
		return waitUntil, unwritable(blocked.name, blocked.err, r.Clock.Now()), err
	case errors.As(err, &vendor):
		verdict, h := classify(vendor.err, r.Clock.Now())
		if h.Progress == stalled && h.Wake.IsZero() && !w.res.DeletionTimestamp.IsZero() && !medblocks.IsUnauthorized(vendor.err) {
			h.Wake = r.Clock.Now().Add(slowRetry) // no edit of the manifest would help a deletion
		}
		if h.Progress == stalled && vendor.action.atMedblocks() {
			r.refused(w, vendor, h)
		}
		if vendor.action == actionRegister && !w.mem.refused {
			w.mem.failure = h
		}
		return verdict, h, err
	}
	return retry, nil, err
}

// refused remembers that Medblocks refused a request for good. A 401 is the account's business, and its breaker's; but where
// lists are accepted all the same, the breaker closes at once, and only this keeps the write from being repeated as fast.
func (r *Reconciler) refused(w *work, vendor *vendorError, h *hold) {
	now := r.Clock.Now()
	is := refusal{request: newPlanner(w.res, w.obs, now).request(), hold: *h, until: h.Wake, times: 1}
	if was, ok := w.mem.refusals[vendor.action]; ok && was.request == is.request {
		is.times = was.times + 1
	}
	if medblocks.IsUnauthorized(vendor.err) {
		is.until = now
		if is.times > 1 {
			is.until = now.Add(min(unauthorizedRetry<<min(is.times-2, 10), slowRetry))
		}
		is.hold.Wake = is.until
	} else {
		h.Wake = now.Add(afterRefusal) // the rest of the plan does not depend on it
	}
	if w.mem.refusals == nil {
		w.mem.refusals = map[action]refusal{}
	}
	w.mem.refusals[vendor.action] = is
}

// requestList asks for a complete list where the plan waits for one.
func (r *Reconciler) requestList(w *work, p plan) {
	needed := slices.ContainsFunc(p.Holds, func(h hold) bool { return h.NeedsList })
	if needed && w.account != nil {
		w.account.RequestList(client.ObjectKeyFromObject(w.res))
	}
}

func isQuiet(p plan) bool {
	return slices.ContainsFunc(p.Holds, func(h hold) bool { return h.Quiet })
}

// store patches the status at most once, and only where it differs.
func (r *Reconciler) store(ctx context.Context, w *work, p plan, failure *hold) error {
	if isQuiet(p) && failure == nil {
		return nil
	}
	status := conclude(w.res, w.obs, p, failure, r.Clock.Now())
	status.History = append(status.History, w.mem.done...)
	if extra := len(status.History) - historyLength; extra > 0 {
		status.History = status.History[extra:]
	}
	before := w.res.Status
	if err := r.storeStatus(ctx, w, status); err != nil {
		return err
	}
	w.mem.done = nil
	w.announceTrouble(before.Conditions, status.Conditions)
	w.announceRedelivery(before.Redelivery, status.Redelivery)
	w.announceRefusal(before.SigningSecret, status.SigningSecret)
	r.publish(w)
	return nil
}

func (r *Reconciler) publish(w *work) {
	for _, a := range w.mem.events {
		r.Events.Eventf(w.res, nil, a.kind, a.reason, "Reconcile", "%s", truncate(a.note, longestNote))
	}
	w.mem.events = nil
}

// storeStatus patches the status. Where only the spec or the metadata were changed meanwhile, the status still holds (it
// names the generation that it is about) and is stored all the same: what it says about Medblocks must not be lost.
func (r *Reconciler) storeStatus(ctx context.Context, w *work, status *v1alpha1.MedblocksWebhookEndpointStatus) error {
	for range 5 {
		err := r.patchStatus(ctx, w, status)
		if !errors.Is(err, errStale) {
			return err
		}
		var live v1alpha1.MedblocksWebhookEndpoint
		if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(w.res), &live); err != nil {
			if apierrors.IsNotFound(err) {
				return errStale
			}
			return fmt.Errorf("reading the resource again: %w", err)
		}
		if live.UID != w.base.UID || !equality.Semantic.DeepEqual(live.Status, w.base.Status) {
			return errStale
		}
		w.base.ResourceVersion = live.ResourceVersion
	}
	return errStale
}

// patchStatus stores a status where it differs, with the resourceVersion that it was derived from.
func (r *Reconciler) patchStatus(ctx context.Context, w *work, status *v1alpha1.MedblocksWebhookEndpointStatus) error {
	if equality.Semantic.DeepEqual(&w.base.Status, status) {
		w.res.Status = *status
		return nil
	}
	next := w.base.DeepCopy()
	next.Status = *status
	err := r.Client.Status().Patch(ctx, next, client.MergeFromWithOptions(w.base, client.MergeFromWithOptimisticLock{}))
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return errStale
	}
	if err != nil {
		return fmt.Errorf("patching the status: %w", err)
	}
	r.countDisable(w.base.Status.Disabled, status.Disabled)
	w.base, w.res, w.mem.written = next.DeepCopy(), next, next.ResourceVersion
	w.mem.stored = storedHashes{endpointID: status.EndpointID, applied: status.AppliedHash, accepted: status.AcceptedHash}
	return nil
}

// untilWake is how long there is nothing to do; 0 means until something changes.
func (r *Reconciler) untilWake(p plan, failure *hold) time.Duration {
	if failure != nil {
		p.wakeAt(failure.Wake)
	}
	p.wakeAt(r.nextLook())
	if p.Wake.IsZero() {
		return 0
	}
	return max(p.Wake.Sub(r.Clock.Now()), time.Millisecond)
}

// announceRelease tells that a deletion finished although the endpoint may live on. In a terminating namespace no event
// can be created, so it is put on the Namespace object itself, which is not namespaced.
func (r *Reconciler) announceRelease(ctx context.Context, w *work) {
	id := w.res.Status.EndpointID
	log.FromContext(ctx).Info("Released the endpoint without deleting it", "endpointID", id, "why", w.released)
	releasedDeletions.Inc()
	var about runtime.Object = w.res
	if w.obs.namespaceTerminating != nil && *w.obs.namespaceTerminating {
		about = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.res.Namespace}}
	}
	r.Events.Eventf(about, nil, corev1.EventTypeWarning, "Released", "Finalize",
		"MedblocksWebhookEndpoint %s/%s is deleted and its endpoint %s may live on at Medblocks, because %s", w.res.Namespace, w.res.Name, id, w.released)
}

func isPaused(err error) bool {
	var paused *account.PausedError
	return errors.As(err, &paused)
}
