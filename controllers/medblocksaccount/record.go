// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocksaccount

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// staleRetry is how soon a reconcile that ran on a stale read is repeated.
const staleRetry = 200 * time.Millisecond

// record patches the status where it differs, and then tells people of new trouble.
func (r *Reconciler) record(ctx context.Context, acct *v1alpha1.MedblocksAccount, p plan) (ctrl.Result, error) {
	if !equality.Semantic.DeepEqual(acct.Status, p.Status) {
		next := acct.DeepCopy()
		next.Status = p.Status
		err := r.Client.Status().Patch(ctx, next, client.MergeFromWithOptions(acct, client.MergeFromWithOptimisticLock{}))
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			return ctrl.Result{RequeueAfter: staleRetry}, nil
		}
		if err != nil {
			return ctrl.Result{}, fmt.Errorf("patching the status: %w", err)
		}
		r.counted(acct.Name, p)
		r.tell(acct, acct.Status.Conditions, p.Status.Conditions)
	}
	if p.Wake.IsZero() {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{RequeueAfter: max(p.Wake.Sub(r.Clock.Now()), time.Millisecond)}, nil
}

func (r *Reconciler) counted(name string, p plan) {
	if !p.Counted {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.countedAt == nil {
		r.countedAt = map[string]time.Time{}
	}
	r.countedAt[name] = r.Clock.Now()
}

// tell warns when Ready takes on a new reason to be False.
func (r *Reconciler) tell(acct *v1alpha1.MedblocksAccount, before, after []metav1.Condition) {
	was, is := meta.FindStatusCondition(before, v1alpha1.ConditionReady), meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	if is.Status == metav1.ConditionFalse && is.Reason != v1alpha1.ReasonPending && (was == nil || was.Reason != is.Reason) {
		r.Events.Eventf(acct, nil, corev1.EventTypeWarning, is.Reason, "Reconcile", "%s", is.Message)
	}
}
