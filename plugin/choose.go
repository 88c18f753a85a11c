// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// choice is what a subcommand is to work on: the resources that are named, or all.
type choice struct {
	names []string
	all   bool
}

// addAllFlag gives a subcommand --all, and with it --all-namespaces.
func (s *Session) addAllFlag(cmd *cobra.Command, all *bool) {
	cmd.Flags().BoolVar(all, "all", false, "Take all resources of the namespace or, with --all-namespaces, of the cluster.")
	s.addAllNamespacesFlag(cmd)
}

// check refuses what is neither or both. Nothing is taken for all by omission.
func (c choice) check(s *Session) error {
	switch {
	case c.all && len(c.names) > 0:
		return usagef("give names or --all, not both")
	case !c.all && len(c.names) == 0:
		return usagef("name the resources, or take all of them with --all. `kubectl get mwe` lists them")
	case !c.all && s.allNamespaces:
		return usagef("--all-namespaces goes with --all: resources that are named are in one namespace (--namespace)")
	}
	return nil
}

// choose reads the resources, sorted, and of those that are named but cannot be read why.
func (s *Session) choose(ctx context.Context, api client.Reader, c choice) (found []v1alpha1.MedblocksWebhookEndpoint, missing map[client.ObjectKey]error, err error) {
	if c.all {
		found, err = s.resources(ctx, api, nil)
		return found, nil, err
	}
	namespace, err := s.Namespace()
	if err != nil {
		return nil, nil, err
	}
	missing = map[client.ObjectKey]error{}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(c.names))) {
		key := client.ObjectKey{Namespace: namespace, Name: name}
		var res v1alpha1.MedblocksWebhookEndpoint
		switch err := api.Get(ctx, key, &res); {
		case apierrors.IsNotFound(err):
			missing[key] = fmt.Errorf("there is no MedblocksWebhookEndpoint %q in namespace %q", name, namespace)
		case err != nil:
			return nil, nil, fmt.Errorf("reading MedblocksWebhookEndpoint %s: %w", key, err)
		default:
			found = append(found, res)
		}
	}
	return found, missing, nil
}

// label is how a line of text calls a resource.
func (s *Session) label(key client.ObjectKey) string {
	if s.allNamespaces {
		return key.String()
	}
	return key.Name
}
