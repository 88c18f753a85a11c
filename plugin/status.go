// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

const (
	// asking is how many resources are looked into at the same time.
	asking = 8
	// mostAsked is how many resources Medblocks is asked about: what is asked for here, the operator has to wait for.
	mostAsked = 100
)

func newStatusCommand(s *Session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status [NAME…]",
		Short: "Tell whether events are delivered, and if not, why and what to do.",
		Long: `Tell whether events are delivered, and if not, why and what to do.

Without names: a line for each endpoint of the namespace, and below it what is wrong. With names: everything that belongs to each
endpoint, as a tree: the resource's conditions, its API key, the endpoint at Medblocks, the signing Secret, the receiver, the last
failed deliveries, what the operator did, and on top of it the verdict and the next step.

It reads, and changes nothing. What you may not read, or Medblocks does not answer, is said in its place; the rest is shown.

It ends with exit code 3 if anything that it shows is not well.`,
		Example: `  # All endpoints of the namespace, or of all namespaces
  kubectl medblocks status
  kubectl medblocks status -A

  # All about one
  kubectl medblocks status patient-events`,
		ValidArgsFunction: s.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.status(cmd.Context(), args)
		},
	}
	s.addAllNamespacesFlag(cmd)
	s.addMedblocksFlags(cmd)
	s.addOutputFlag(cmd)
	return cmd
}

func (s *Session) status(ctx context.Context, names []string) error {
	if len(names) > 0 && s.allNamespaces {
		return usagef("names belong to one namespace: leave out --all-namespaces, or the names. See 'kubectl medblocks status --help'")
	}
	api, err := s.Client()
	if err != nil {
		return err
	}
	resources, err := s.resources(ctx, api, names)
	if err != nil {
		return err
	}
	if len(resources) == 0 && s.isHuman() {
		return s.nothingHere()
	}
	report, err := s.statusOf(ctx, api, resources, len(names) > 0)
	if err != nil {
		return err
	}
	write := func(to io.Writer) { writeStatusTable(to, report, s.allNamespaces) }
	if len(names) > 0 {
		write = func(to io.Writer) { writeStatusTrees(to, report, s.Clock.Now()) }
	}
	if err := s.print(report, write); err != nil {
		return err
	}
	if !report.isHealthy() {
		return errUnhealthy
	}
	return nil
}

// nothingHere tells people where to look instead.
func (s *Session) nothingHere() error {
	if s.allNamespaces {
		fmt.Fprintln(s.ErrOut, "There are no webhook endpoints in this cluster. docs/quickstart.md makes the first one.")
		return nil
	}
	namespace, err := s.Namespace()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.ErrOut, "There are no webhook endpoints in namespace %s: look into all namespaces with -A.\n", namespace)
	return nil
}

// resources are those that are named, or else all in the namespace.
func (s *Session) resources(ctx context.Context, api client.Reader, names []string) ([]v1alpha1.MedblocksWebhookEndpoint, error) {
	if len(names) > 0 {
		var found []v1alpha1.MedblocksWebhookEndpoint
		for i, name := range names {
			if slices.Contains(names[:i], name) {
				continue
			}
			res, err := s.resource(ctx, name)
			if err != nil {
				return nil, err
			}
			found = append(found, *res)
		}
		return found, nil
	}
	namespace, err := s.scope()
	if err != nil {
		return nil, err
	}
	var list v1alpha1.MedblocksWebhookEndpointList
	if err := api.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing the webhook endpoints: %w", err)
	}
	slices.SortFunc(list.Items, func(a, b v1alpha1.MedblocksWebhookEndpoint) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return list.Items, nil
}

// resource is the one of that name in the namespace.
func (s *Session) resource(ctx context.Context, name string) (*v1alpha1.MedblocksWebhookEndpoint, error) {
	api, err := s.Client()
	if err != nil {
		return nil, err
	}
	namespace, err := s.Namespace()
	if err != nil {
		return nil, err
	}
	var res v1alpha1.MedblocksWebhookEndpoint
	err = api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &res)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no MedblocksWebhookEndpoint %q in namespace %s: 'kubectl medblocks status -A' lists those of all namespaces", name, namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("reading MedblocksWebhookEndpoint %q: %w", name, err)
	}
	return &res, nil
}

// statusOf finds out about each resource, and judges.
func (s *Session) statusOf(ctx context.Context, api client.Reader, resources []v1alpha1.MedblocksWebhookEndpoint, detail bool) (*StatusReport, error) {
	report := &StatusReport{TypeMeta: typed("StatusReport"), Operator: s.findOperator(ctx, api), Resources: make([]ResourceStatus, len(resources))}
	g := &gatherer{session: s, api: api}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(asking)
	for i := range resources {
		f := &facts{res: &resources[i], operator: report.Operator, namespaceFlag: s.namespaceFlag(resources[i].Namespace)}
		group.Go(func() error {
			if detail || len(resources) <= mostAsked {
				g.askMedblocks(ctx, f, detail)
			}
			if detail {
				g.readSecret(ctx, f)
			}
			report.Resources[i] = judge(f, s.Clock.Now())
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return report, nil
}

// namespaceFlag is what a command needs to reach that namespace, where the context of the kubeconfig is another one.
func (s *Session) namespaceFlag(namespace string) string {
	current, overridden, err := s.cluster.ToRawKubeConfigLoader().Namespace()
	if err == nil && !overridden && current == namespace {
		return ""
	}
	return " -n " + namespace
}
