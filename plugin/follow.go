// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// onlooker is told of resources.
type onlooker interface {
	// begin is told all that there are, at first and again where changes may have been missed.
	begin(ctx context.Context, all []v1alpha1.MedblocksWebhookEndpoint)
	// change is told of one that was made or changed, and gone of one that was deleted.
	change(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint)
	gone(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint)
	// enough ends it.
	enough() bool
}

// follow tells an onlooker what there is, and then every change as it happens, until that has seen enough or the context ends. One watch
// serves however many resources are waited for, and the onlooker is called by one goroutine.
func follow(ctx context.Context, api client.WithWatch, where []client.ListOption, to onlooker) error {
	for !to.enough() {
		var list v1alpha1.MedblocksWebhookEndpointList
		if err := api.List(ctx, &list, where...); err != nil {
			return fmt.Errorf("listing the resources: %w", err)
		}
		if to.begin(ctx, list.Items); to.enough() {
			return nil
		}
		if err := followFrom(ctx, api, where, list.ResourceVersion, to); err != nil {
			return err
		}
	}
	return nil
}

// followFrom tells of the changes since a list. It returns early, and without an error, where the API server does not know them any more.
func followFrom(ctx context.Context, api client.WithWatch, where []client.ListOption, version string, to onlooker) error {
	ctx, cancel := context.WithCancel(logr.NewContext(ctx, logr.Discard()))
	defer cancel()
	changes, err := watchtools.NewRetryWatcherWithContext(ctx, version, &cache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return api.Watch(ctx, &v1alpha1.MedblocksWebhookEndpointList{}, append([]client.ListOption{&client.ListOptions{Raw: &options}}, where...)...)
		},
	})
	if err != nil {
		return fmt.Errorf("watching the resources: %w", err)
	}
	defer changes.Stop()
	for event := range changes.ResultChan() {
		if event.Type == watch.Error {
			return watchError(event)
		}
		res, ok := event.Object.(*v1alpha1.MedblocksWebhookEndpoint)
		if !ok {
			continue
		}
		if event.Type == watch.Deleted {
			to.gone(ctx, res)
		} else {
			to.change(ctx, res)
		}
		if to.enough() {
			return nil
		}
	}
	return ctx.Err()
}

func watchError(event watch.Event) error {
	err := apierrors.FromObject(event.Object)
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return nil // the list is made anew
	}
	return fmt.Errorf("watching the resources: %w", err)
}

// where is the narrowest list that shows all of these resources.
func where(keys []client.ObjectKey) []client.ListOption {
	if len(keys) == 1 {
		return []client.ListOption{client.InNamespace(keys[0].Namespace), client.MatchingFields{metav1.ObjectNameField: keys[0].Name}}
	}
	for _, key := range keys {
		if key.Namespace != keys[0].Namespace {
			return nil
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return []client.ListOption{client.InNamespace(keys[0].Namespace)}
}
