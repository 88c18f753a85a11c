// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocksaccount

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// maxConcurrent lets accounts not wait for each other's deletions.
const maxConcurrent = 4

// SetupWithManager registers the controller. The sweeps have accounts reconciled through the queue.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, queue source.Source) error {
	err := builder.ControllerManagedBy(mgr).
		Named("medblocksaccount").
		For(&v1alpha1.MedblocksAccount{}, builder.WithPredicates(predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{}))).
		Watches(&v1alpha1.MedblocksWebhookEndpoint{}, handler.EnqueueRequestsFromMapFunc(accountOf), builder.WithPredicates(changesAccount())).
		WatchesRawSource(queue).
		WithOptions(controller.Options{MaxConcurrentReconciles: maxConcurrent}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("setting up the controller of accounts: %w", err)
	}
	return nil
}

// accountOf names the MedblocksAccount that a resource names; of an update, the former one too.
func accountOf(_ context.Context, object client.Object) []reconcile.Request {
	if res, ok := object.(*v1alpha1.MedblocksWebhookEndpoint); ok && res.UsesAccount() != "" {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: res.UsesAccount()}}}
	}
	return nil
}

// changesAccount lets through what changes how many resources name an account.
func changesAccount() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(*v1alpha1.MedblocksWebhookEndpoint)
		after, too := e.ObjectNew.(*v1alpha1.MedblocksWebhookEndpoint)
		return ok && too && before.UsesAccount() != after.UsesAccount()
	}}
}
