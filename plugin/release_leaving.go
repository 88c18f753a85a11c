// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// annotationInDoubt is on a resource that was being deleted together with its endpoint when a release stopped that, so that another run
// knows of it.
const annotationInDoubt = "kubectl.medblocks.com/endpoint-in-doubt"

// leaving is a resource on its way out of the cluster.
type leaving struct {
	res  *v1alpha1.MedblocksWebhookEndpoint // as it was seen last
	fate fate
	// inDoubt: for a while it was being deleted together with its endpoint.
	inDoubt bool
}

func newLeaving(res *v1alpha1.MedblocksWebhookEndpoint) *leaving {
	l := &leaving{fate: fateOf(res)}
	l.see(res)
	return l
}

// see takes note of what a resource has become.
func (l *leaving) see(res *v1alpha1.MedblocksWebhookEndpoint) {
	l.res = res
	l.fate.see(res)
	l.inDoubt = l.inDoubt || isInDoubt(res)
}

// isInDoubt tells whether the operator may have deleted the endpoint already, whatever the resource says now.
func isInDoubt(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return res.Annotations[annotationInDoubt] != "" || !res.DeletionTimestamp.IsZero() && !leavesEndpoint(res)
}

// leavesEndpoint tells whether the endpoint stays when the resource is deleted as it is.
func leavesEndpoint(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	return res.OrphansEndpoint() || res.Observes()
}

func (l *leaving) key() client.ObjectKey { return client.ObjectKeyFromObject(l.res) }

// isOver tells whether there is nothing left to wait for.
func (l *leaving) isOver() bool { return l.fate.Outcome != outcomePlanned }

// orphan sets deletionPolicy to Orphan where the deletion would else take the endpoint along. It judges by what the resource is now, and
// ends with a conflict if that changes meanwhile.
func (r *releaser) orphan(ctx context.Context, l *leaving, options ...client.PatchOption) error {
	if err := r.refresh(ctx, l); err != nil {
		return err
	}
	if leavesEndpoint(l.res) {
		return nil
	}
	metadata := map[string]any{"resourceVersion": l.res.ResourceVersion}
	if l.inDoubt {
		metadata["annotations"] = map[string]string{annotationInDoubt: "true"}
	}
	change := map[string]any{"metadata": metadata, "spec": map[string]any{"deletionPolicy": v1alpha1.DeletionOrphan}}
	if err := r.patch(ctx, l, change, options...); err != nil {
		return fmt.Errorf("setting spec.deletionPolicy: %w", err)
	}
	return nil
}

func (r *releaser) refresh(ctx context.Context, l *leaving) error {
	next := &v1alpha1.MedblocksWebhookEndpoint{}
	if err := r.api.Get(ctx, l.key(), next); err != nil {
		return err
	}
	if next.UID != l.res.UID { // another resource that has its name by now
		return apierrors.NewNotFound(schema.GroupResource{Group: v1alpha1.Group, Resource: "medblockswebhookendpoints"}, next.Name)
	}
	l.see(next)
	return nil
}

func (r *releaser) patch(ctx context.Context, l *leaving, change map[string]any, options ...client.PatchOption) error {
	next := &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: l.res.Namespace, Name: l.res.Name}}
	if err := patch(ctx, r.api, next, change, options...); err != nil {
		return err
	}
	l.see(next)
	return nil
}

// delete deletes a resource as it was seen last: were deletionPolicy undone by now, the endpoint would be deleted too.
func (r *releaser) delete(ctx context.Context, l *leaving, options ...client.DeleteOption) error {
	if !l.res.DeletionTimestamp.IsZero() {
		return nil
	}
	seen := client.Preconditions{UID: &l.res.UID, ResourceVersion: &l.res.ResourceVersion}
	if len(options) > 0 { // what was written for show is not stored
		seen.ResourceVersion = nil
	}
	if err := r.api.Delete(ctx, l.res, append([]client.DeleteOption{seen}, options...)...); err != nil {
		return fmt.Errorf("deleting the resource: %w", err)
	}
	return nil
}

// insistently is how an endpoint is kept from being deleted: six times in three seconds.
var insistently = wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Steps: 6}

// mayPass tells whether the same request may succeed a moment later.
func mayPass(err error) bool {
	switch apierrors.ReasonForError(err) {
	case metav1.StatusReasonUnknown, // the API server was not reached, perhaps
		metav1.StatusReasonConflict, metav1.StatusReasonServerTimeout, metav1.StatusReasonTimeout, metav1.StatusReasonTooManyRequests,
		metav1.StatusReasonInternalError, metav1.StatusReasonServiceUnavailable:
		return true
	default:
		return false
	}
}
