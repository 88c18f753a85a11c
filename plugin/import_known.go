// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// known asks the cluster which endpoints its resources have. A cluster that does not know the resources has none.
func (s *Session) known(ctx context.Context, options importOptions) (knowledge, error) {
	is := knowledge{endpoints: map[string]client.ObjectKey{}, names: map[string]bool{}}
	if options.offline {
		return is, nil
	}
	api, err := s.Client()
	if err != nil {
		return is, err
	}
	namespace, err := s.Namespace()
	if err != nil {
		return is, err
	}
	var list v1alpha1.MedblocksWebhookEndpointList
	err = api.List(ctx, &list)
	if apierrors.IsForbidden(err) {
		fmt.Fprintf(s.ErrOut, "You may not list the resources of all namespaces: endpoints that one of another namespace than %s adopts, or observes, may be among these.\n", namespace)
		err = api.List(ctx, &list, client.InNamespace(namespace))
	}
	if meta.IsNoMatchError(err) {
		return is, nil
	}
	if err != nil {
		return is, fmt.Errorf("listing the resources of the cluster (--offline does without): %w", err)
	}
	for i := range list.Items {
		is.add(&list.Items[i], namespace)
	}
	return is, nil
}

func (k knowledge) add(res *v1alpha1.MedblocksWebhookEndpoint, namespace string) {
	key := client.ObjectKeyFromObject(res)
	if id := res.Status.EndpointID; id != "" {
		k.endpoints[id] = key
	}
	if adopt := res.Spec.Adopt; adopt != nil {
		k.endpoints[adopt.EndpointID] = key
	}
	if res.Namespace == namespace {
		k.names[res.Name] = true
	}
}
