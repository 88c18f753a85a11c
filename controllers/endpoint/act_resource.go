// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

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
	w.base, w.res, w.mem.written, w.confirmed = next.DeepCopy(), next, next.ResourceVersion, true
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
		recordAttempt(res, status, accountForAll(status.Reenable, obs.evidence, now), now)
		status.Disabled = s.Disabled // the events that explain it are accounted for by now, and would not explain it again
	case actionRecordTry:
		recordAttempt(res, status, status.Reenable.DeepCopy(), now)
		beginTry(status.Redelivery, now)
	case actionRecordKey:
		status.KeyHash = obs.keyHash
	default:
	}
	return status
}

// recordAttempt takes one off the budget.
func recordAttempt(res *v1alpha1.MedblocksWebhookEndpoint, status *v1alpha1.MedblocksWebhookEndpointStatus, r *v1alpha1.ReenableStatus, now metav1.Time) {
	recent := attemptsSince(status.Reenable, now.Add(-res.Spec.ReenablePolicy.WindowOrDefault()))
	if r == nil {
		r = &v1alpha1.ReenableStatus{}
	}
	r.Attempts, r.NextAttempt = append(slices.Clip(recent), now), nil
	status.Reenable = r
}

// takeAttemptBack gives the budget the attempt back that was recorded last, and never made: a person would else have to help an endpoint
// that nobody has tried to enable. It may fail: the attempt counts then, and there are fewer, never more, than the policy allows.
func (r *Reconciler) takeAttemptBack(ctx context.Context, w *work) {
	status := w.res.Status.DeepCopy()
	if status.Reenable == nil || len(status.Reenable.Attempts) == 0 {
		return
	}
	status.Reenable.Attempts = status.Reenable.Attempts[:len(status.Reenable.Attempts)-1]
	if err := r.patchStatus(ctx, w, status); err != nil {
		log.FromContext(ctx).V(1).Info("Could not take back an attempt to enable the endpoint that was not made", "error", err.Error())
	}
}
