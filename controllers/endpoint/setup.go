// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
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
	"github.com/medblocks/webhook-operator/controllers/account"
)

// Queue lets the account pollers have resources reconciled. It is a source of the controller: what is enqueued before
// the controller has started waits for it.
type Queue struct {
	// Accounts takes what has no namespace: the MedblocksAccounts. nil: nobody asks for them.
	Accounts *Queue

	started chan struct{}
	queue   workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// NewQueue makes a queue that waits for its controller.
func NewQueue() *Queue { return &Queue{started: make(chan struct{})} }

// Start hands over the controller's queue (source.Source).
func (q *Queue) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	q.queue = queue
	close(q.started)
	return nil
}

// Enqueue has resources reconciled. Pollers only run for resources that were reconciled before, so that it never waits
// for long.
func (q *Queue) Enqueue(resources ...account.Resource) {
	if len(resources) == 0 {
		return
	}
	for _, who := range resources {
		if who.Namespace == "" && q.Accounts != nil {
			q.Accounts.Enqueue(who)
			continue
		}
		<-q.started
		q.queue.Add(reconcile.Request{NamespacedName: who})
	}
}

var _ source.Source = (*Queue)(nil)

// NewQueueFunc makes a controller's work queue.
type NewQueueFunc = func(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request]

// SetupWithManager registers the controller. Without newQueue it has controller-runtime's own work queue.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, queue *Queue, maxConcurrent int, newQueue NewQueueFunc) error {
	err := errors.Join(
		mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.MedblocksWebhookEndpoint{}, indexClaims, indexedClaims),
		mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.MedblocksWebhookEndpoint{}, IndexAccount, accountOfObject),
	)
	if !r.SecretsByName {
		err = errors.Join(err, mgr.GetFieldIndexer().IndexField(ctx, &corev1.Secret{}, indexOwner, ownersOfSecret))
	}
	if err != nil {
		return fmt.Errorf("indexing the cache: %w", err)
	}
	b := builder.ControllerManagedBy(mgr).
		Named("medblockswebhookendpoint").
		For(&v1alpha1.MedblocksWebhookEndpoint{}, builder.WithPredicates(asksForWork())).
		WatchesRawSource(queue).
		WithOptions(controller.Options{MaxConcurrentReconciles: maxConcurrent, NewQueue: newQueue})
	if !r.SecretsByName {
		b.Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(ownerOfSecret))
	}
	if !r.WithoutAccounts {
		// Where nothing names an account, nothing is enqueued.
		b.Watches(&v1alpha1.MedblocksAccount{}, enqueue(r.resourcesOfAccount), builder.WithPredicates(predicate.GenerationChangedPredicate{}))
		b.WatchesMetadata(&corev1.Namespace{}, enqueue(r.resourcesOfNamespace), builder.WithPredicates(predicate.LabelChangedPredicate{}))
	}
	if err := b.Complete(r); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	return nil
}

// enqueue makes a handler that has the resources reconciled which an object concerns.
func enqueue(concerned func(context.Context, client.Object) []account.Resource) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		all := concerned(ctx, object)
		requests := make([]reconcile.Request, 0, len(all))
		for _, who := range all {
			requests = append(requests, reconcile.Request{NamespacedName: who})
		}
		return requests
	})
}

// ownerOfSecret names the resource that a signing Secret belongs to.
func ownerOfSecret(_ context.Context, secret client.Object) []reconcile.Request {
	namespace, name, ok := strings.Cut(secret.GetAnnotations()[v1alpha1.AnnotationOwner], "/")
	if !ok || namespace != secret.GetNamespace() {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}

// requests are the annotations by which a person asks for something.
var requests = []string{
	v1alpha1.AnnotationReconcileRequestedAt, v1alpha1.AnnotationFluxReconcileRequestedAt,
	v1alpha1.AnnotationRotateSecretRequestedAt, v1alpha1.AnnotationReenableRequestedAt,
	v1alpha1.AnnotationReregisterRequestedAt, v1alpha1.AnnotationRelease,
}

// hadStatus tells whether a status was written that later reconciles build on.
func hadStatus(object client.Object) bool {
	res, ok := object.(*v1alpha1.MedblocksWebhookEndpoint)
	return ok && res.Status.EndpointID != "" && len(res.Status.Conditions) > 0
}

// asksForWork lets through what a person or another controller changed, and not the operator's own writes: a reconcile
// must not be the cause of the next one.
func asksForWork() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld, e.ObjectNew
			if before.GetGeneration() != after.GetGeneration() || before.GetDeletionTimestamp().IsZero() != after.GetDeletionTimestamp().IsZero() {
				return true
			}
			if before.GetUID() != after.GetUID() {
				return true // deleted and created again between two reads of the watch
			}
			if slices.Contains(before.GetFinalizers(), v1alpha1.Finalizer) && !slices.Contains(after.GetFinalizers(), v1alpha1.Finalizer) {
				return true // somebody took it away
			}
			if hadStatus(before) && !hadStatus(after) {
				return true // somebody wiped it
			}
			if !slices.Equal(claimsOfObject(before), claimsOfObject(after)) {
				return true // others may have waited for that
			}
			if freesPlace(before, after) {
				return true // and for that
			}
			return slices.ContainsFunc(requests, func(key string) bool {
				return before.GetAnnotations()[key] != after.GetAnnotations()[key]
			})
		},
	}
}
