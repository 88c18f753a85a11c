// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// appliers are how many requests of the load are under way at the same time.
const appliers = 8

// newcomerName begins the name of a resource that is made during a restart.
const newcomerName = "newcomer-"

func name(i int) string { return fmt.Sprintf("hook-%06d", i) }

// newResource is like what a team would write.
func newResource(namespace, name string) *v1alpha1.MedblocksWebhookEndpoint {
	return &v1alpha1.MedblocksWebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.MedblocksWebhookEndpointSpec{
			URL:         "https://api.example.com/medblocks/" + name,
			Events:      []v1alpha1.EventType{v1alpha1.EventPatientFlowCompleted, v1alpha1.EventRecordsSyncFailed},
			Description: "Endpoint " + name + " of the benchmark",
			Metadata:    map[string]v1alpha1.MetadataValue{"team": "records", "stage": "bench"},
			APIKeySecretRef: v1alpha1.APIKeySecretReference{
				Name: keySecretName,
			},
		},
	}
}

// each does something for the numbers 0 to n−1, several at a time and begun in that order, up to the first error.
func each(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// apply creates the resources with the numbers from first to n−1, in that order.
func (w *world) apply(ctx context.Context, namespace string, first, n, atOnce int) error {
	return each(ctx, n-first, atOnce, func(ctx context.Context, i int) error {
		return w.api.Create(ctx, newResource(namespace, name(first+i)))
	})
}

// warmUp registers the first resource before anything is measured: whoever comes first in an account waits for its list.
func (w *world) warmUp(ctx context.Context, namespace string) error {
	if err := w.apply(ctx, namespace, 0, 1, 1); err != nil {
		return err
	}
	_, err := w.awaitReady(ctx, namespace, 1)
	return err
}

// move has the receivers of the first n resources move, as a change of the manifest would.
func (w *world) move(ctx context.Context, n int) error {
	return each(ctx, n, appliers, func(ctx context.Context, i int) error {
		res := newResource(namespace, name(i))
		patch := fmt.Sprintf(`{"spec":{"url":%q}}`, res.Spec.URL+"/moved")
		return w.api.Patch(ctx, res, client.RawPatch("application/merge-patch+json", []byte(patch)))
	})
}

// remove deletes the first n resources of a namespace, and waits until they are gone.
func (w *world) remove(ctx context.Context, namespace string, n int) error {
	err := each(ctx, n, appliers, func(ctx context.Context, i int) error {
		return w.api.Delete(ctx, newResource(namespace, name(i)))
	})
	if err != nil {
		return err
	}
	return w.await(ctx, "left of what is deleted", 0, func() int {
		left, _ := w.seen.among(namespace, func(sight) bool { return true })
		return left
	})
}

// template is a resource as the operator leaves it, and its Secret: what a bare client writes is as large as that.
type template struct {
	Resource *v1alpha1.MedblocksWebhookEndpoint `json:"resource"`
	Secret   *corev1.Secret                     `json:"secret"`
}

func (w *world) template(ctx context.Context) (*template, error) {
	t := &template{Resource: &v1alpha1.MedblocksWebhookEndpoint{}, Secret: &corev1.Secret{}}
	if err := w.api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name(0)}, t.Resource); err != nil {
		return nil, err
	}
	key := client.ObjectKey{Namespace: namespace, Name: t.Resource.Status.SigningSecret.Name}
	if err := w.api.Get(ctx, key, t.Secret); err != nil {
		return nil, err
	}
	return t, nil
}
