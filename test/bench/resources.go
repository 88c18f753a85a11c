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

// apply creates resources.
func (w *world) apply(ctx context.Context, namespace string, n, atOnce int) error {
	return each(ctx, n, atOnce, func(ctx context.Context, i int) error {
		return w.api.Create(ctx, newResource(namespace, name(i)))
	})
}

// move has the receivers of the first n resources move, as a change of the manifest would.
func (w *world) move(ctx context.Context, n int) error {
	return each(ctx, n, appliers, func(ctx context.Context, i int) error {
		res := newResource(namespace, name(i))
		patch := fmt.Sprintf(`{"spec":{"url":%q}}`, res.Spec.URL+"/moved")
		return w.api.Patch(ctx, res, client.RawPatch("application/merge-patch+json", []byte(patch)))
	})
}

// remove deletes all resources of a namespace, one by one, and tells how many that were.
func (w *world) remove(ctx context.Context, namespace string) (int, error) {
	var all metav1.PartialObjectMetadataList
	all.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("MedblocksWebhookEndpointList"))
	if err := w.api.List(ctx, &all, client.InNamespace(namespace)); err != nil {
		return 0, err
	}
	return len(all.Items), each(ctx, len(all.Items), appliers, func(ctx context.Context, i int) error {
		res := newResource(namespace, all.Items[i].Name)
		return w.api.Delete(ctx, res)
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
