// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// releaser lets resources go. It is an onlooker while it waits.
type releaser struct {
	s   *Session
	api client.WithWatch
	all []*leaving
	// missing is how many of the named resources are not there.
	missing int
}

// letGo has each resource leave its endpoint behind, and deletes it. That the endpoint stays is written before the resource is deleted.
func (r *releaser) letGo(ctx context.Context) {
	for _, l := range r.all {
		err := retry.OnError(retry.DefaultBackoff, apierrors.IsConflict, func() error {
			if err := r.orphan(ctx, l); err != nil {
				return err
			}
			return r.delete(ctx, l)
		})
		switch {
		case apierrors.IsNotFound(err):
			r.done(ctx, l)
		case err != nil && ctx.Err() == nil:
			r.fail(l, err)
		case err == nil && l.res.DeletionTimestamp.IsZero():
			// It may be gone before it is seen again. What is told here is no news then.
			r.tell(l, "is being deleted")
			l.res.DeletionTimestamp = &metav1.Time{Time: r.s.Clock.Now()}
		}
	}
}

// await waits until the resources are gone, and at last lets those go that are not, if that is wanted.
func (r *releaser) await(ctx context.Context, options releaseOptions) {
	err := r.wait(ctx, options.timeout)
	if err == nil && ctx.Err() == nil && options.force && !r.enough() {
		r.force(ctx)
		err = r.wait(ctx, options.timeout)
	}
	for _, l := range r.all {
		switch {
		case l.isOver():
		case ctx.Err() != nil:
			l.fate.Outcome, l.fate.Message = outcomeInterrupted, "interrupted: run the same command again to go on"
		case err != nil:
			r.fail(l, err)
		default:
			l.fate.Outcome, l.fate.Message = outcomeTimedOut, l.remains(options)+r.s.whereabouts(ctx, r.api)
		}
	}
}

// wait watches until all are gone, or time is up, which is no error.
func (r *releaser) wait(ctx context.Context, timeout time.Duration) error {
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var keys []client.ObjectKey
	for _, l := range r.all {
		if !l.isOver() {
			keys = append(keys, l.key())
		}
	}
	if err := follow(waiting, r.api, where(keys), r); waiting.Err() == nil {
		return err
	}
	return nil
}

// force lets the operator finish without a call to Medblocks. Whoever applies the resource may have put Delete back: then the Secret would
// be deleted.
func (r *releaser) force(ctx context.Context) {
	for _, l := range r.all {
		if l.isOver() {
			continue
		}
		r.tell(l, "is released without a call to Medblocks (--force)")
		err := retry.OnError(retry.DefaultBackoff, apierrors.IsConflict, func() error {
			if err := r.orphan(ctx, l); err != nil {
				return err
			}
			return r.patch(ctx, l, map[string]any{"metadata": map[string]any{
				"resourceVersion": l.res.ResourceVersion, "annotations": map[string]string{v1alpha1.AnnotationRelease: "true"},
			}})
		})
		switch {
		case apierrors.IsNotFound(err):
			r.done(ctx, l)
		case err != nil && ctx.Err() == nil:
			r.fail(l, err)
		case err == nil:
			l.fate.Marked = l.fate.EndpointID != ""
		}
	}
}

// remains says why a resource is still there, and what can be done.
func (l *leaving) remains(options releaseOptions) string {
	why := cmp.Or(saying(l.res, v1alpha1.ConditionStalled), saying(l.res, v1alpha1.ConditionReconciling))
	message := fmt.Sprintf("still there after %s%s. ", options.timeout, why)
	if !options.force {
		return message + "If it need not wait for Medblocks, run this again with --force. "
	}
	return message + fmt.Sprintf("If the operator is gone for good, take the finalizer away: kubectl patch mwe %s -n %s --type=merge -p '{\"metadata\":{\"finalizers\":null}}'. ", l.res.Name, l.res.Namespace)
}

func (r *releaser) enough() bool {
	for _, l := range r.all {
		if !l.isOver() {
			return false
		}
	}
	return true
}

func (r *releaser) begin(ctx context.Context, all []v1alpha1.MedblocksWebhookEndpoint) {
	there := map[types.UID]*v1alpha1.MedblocksWebhookEndpoint{}
	for i := range all {
		there[all[i].UID] = &all[i]
	}
	for _, l := range r.all {
		if res := there[l.res.UID]; l.isOver() {
			continue
		} else if res != nil {
			r.change(ctx, res)
		} else {
			r.done(ctx, l)
		}
	}
}

func (r *releaser) change(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) {
	l := r.of(res)
	if l == nil {
		return
	}
	for _, line := range progress(l.res, res) {
		r.tell(l, line)
	}
	if l.see(res); leavesEndpoint(res) {
		return
	}
	r.tell(l, "somebody has set spec.deletionPolicy back, so that the endpoint would be deleted: it is set to Orphan again")
	err := retry.OnError(insistently, mayPass, func() error { return r.orphan(ctx, l) })
	if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		r.fail(l, err)
		l.fate.Message += ". The endpoint is deleted with the resource, unless spec.deletionPolicy is set to Orphan at once"
	}
}

func (r *releaser) gone(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) {
	if l := r.of(res); l != nil {
		l.see(res)
		r.done(ctx, l)
	}
}

func (r *releaser) of(res *v1alpha1.MedblocksWebhookEndpoint) *leaving {
	for _, l := range r.all {
		if l.res.UID == res.UID && !l.isOver() {
			return l
		}
	}
	return nil
}

// done notes that a resource is gone, and what has stayed, as far as that is known.
func (r *releaser) done(ctx context.Context, l *leaving) {
	l.fate.Outcome = outcomeDone
	r.tell(l, "is gone")
	if l.fate.EndpointID != "" && (l.inDoubt || !leavesEndpoint(l.res)) {
		l.fate.Outcome, l.fate.Message = outcomeFailed, fmt.Sprintf("it is gone, and perhaps its endpoint and its Secret too, because for a while it was being "+
			"deleted together with them. See at Medblocks whether %s is still there", l.fate.EndpointID)
	}
	if l.fate.Secret == "" {
		return
	}
	if _, err := secretMetadata(ctx, r.api, l.res.Namespace, l.fate.Secret); apierrors.IsNotFound(err) { // others may not be allowed to see it
		l.fate.note("Secret %s is not there", l.fate.Secret)
		l.fate.Secret = ""
	}
}

func (r *releaser) fail(l *leaving, err error) {
	l.fate.Outcome, l.fate.Message = outcomeFailed, explained(err)
}

func (r *releaser) tell(l *leaving, line string) {
	if r.s.isHuman() {
		fmt.Fprintf(r.s.ErrOut, "%s/%s: %s\n", l.res.Namespace, l.res.Name, line)
	}
}
