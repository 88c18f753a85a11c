// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// completionTimeout is how long somebody who has pressed the tab key waits for the cluster.
const completionTimeout = 5 * time.Second

// mustComplete has a flag completed. It fails only for a flag that there is not.
func mustComplete(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err)
	}
}

// completeResources completes the names of resources that are not on the command line yet.
func (s *Session) completeResources(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return s.complete(cmd, toComplete, func(ctx context.Context, api client.Reader) ([]cobra.Completion, error) {
		namespace, err := s.scope()
		if err != nil {
			return nil, err
		}
		var list v1alpha1.MedblocksWebhookEndpointList
		if err := api.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		var names []cobra.Completion
		for i := range list.Items {
			if res := &list.Items[i]; !slices.Contains(args, res.Name) {
				names = append(names, cobra.CompletionWithDesc(res.Name, endpoint.WithoutQuery(res.Spec.URL)))
			}
		}
		return names, nil
	})
}

// completeOneResource completes a single name.
func (s *Session) completeOneResource(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.completeResources(cmd, args, toComplete)
}

func (s *Session) completeNamespaces(cmd *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return s.complete(cmd, toComplete, func(ctx context.Context, api client.Reader) ([]cobra.Completion, error) {
		list := metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "NamespaceList"}}
		if err := api.List(ctx, &list); err != nil {
			return nil, err
		}
		var names []cobra.Completion
		for i := range list.Items {
			names = append(names, list.Items[i].Name)
		}
		return names, nil
	})
}

func (s *Session) completeContexts(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	config, err := s.cluster.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for name := range config.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, cobra.ShellCompDirectiveNoFileComp
}

// complete asks the cluster. An error is shown only to who debugs completions: the shell hides it.
func (s *Session) complete(
	cmd *cobra.Command, toComplete string, list func(context.Context, client.Reader) ([]cobra.Completion, error),
) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	api, err := s.Client()
	if err != nil {
		cobra.CompErrorln(err.Error())
		return nil, cobra.ShellCompDirectiveError
	}
	names, err := list(ctx, api)
	if err != nil {
		cobra.CompErrorln(fmt.Sprintf("completing: %v", err))
		return nil, cobra.ShellCompDirectiveError
	}
	names = slices.DeleteFunc(names, func(name cobra.Completion) bool { return !strings.HasPrefix(name, toComplete) })
	return names, cobra.ShellCompDirectiveNoFileComp
}
