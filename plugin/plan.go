// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/endpoint"
)

// PlanReport is the result of plan.
type PlanReport struct {
	metav1.TypeMeta `json:",inline"`
	// Plans are one for each resource, with the steps that the operator would take.
	Plans []endpoint.Preview `json:"plans"`
	// Problems say of which resources nothing can be told, and why.
	Problems []string `json:"problems,omitempty"`
}

// outcome is an error where something could not be told: only a complete plan says that there is nothing to do.
func (r *PlanReport) outcome(problem error) error {
	switch {
	case problem != nil:
		return problem
	case r.hasSteps():
		return errUnhealthy
	}
	return nil
}

// hasSteps tells whether there is anything to do.
func (r *PlanReport) hasSteps() bool {
	for i := range r.Plans {
		if len(r.Plans[i].Steps) > 0 {
			return true
		}
	}
	return false
}

type planOptions struct {
	clusterID    string
	environments []string
	manifests    manifests
}

// allowed are the environments that --allowed-environments names; none: all.
func (o *planOptions) allowed() ([]v1alpha1.Environment, error) {
	var allowed []v1alpha1.Environment
	for _, name := range o.environments {
		if name = strings.TrimSpace(name); name == "" {
			continue // as the operator reads its flag
		}
		environment, err := account.ParseEnvironment(name)
		if err != nil {
			return nil, usagef("--allowed-environments: %w", err)
		}
		allowed = append(allowed, environment)
	}
	return allowed, nil
}

func newPlanCommand(s *Session) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan [NAME… | -f FILE]",
		Short: "Tell what the operator would do now, or if a manifest were applied.",
		Long: `Tell what the operator would do now, or if a manifest were applied.

The plan is made by the operator's own code from what is to be seen right now: the resource, its Secrets, and the endpoints at
Medblocks. Nothing is written to Medblocks or to the cluster, and the operator need not run.

With -f, it is about the resource as it would be if the file were applied: the API server is asked for a dry run of that.

It speaks for an operator that has been running for a while, and may write (without --read-only). What only that one knows, from its
memory, is left out: requests that Medblocks has refused, a signing secret that it could not store yet, the answers of a receiver
that it probes.

It ends with exit code 0 if there is nothing to do, and with 3 if there is.`,
		Example: `  # What would happen to one, and to all of the namespace
  kubectl medblocks plan patient-events
  kubectl medblocks plan

  # What an edit would lead to
  kubectl medblocks plan -f patient-events.yaml`,
		ValidArgsFunction: s.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.plan(cmd.Context(), &o, args)
		},
	}
	o.manifests.addFlags(cmd)
	s.addAllNamespacesFlag(cmd)
	addClusterIDFlag(cmd, &o.clusterID)
	cmd.Flags().StringSliceVar(&o.environments, "allowed-environments", nil, "Environments that API keys may be of, Sandbox or Production, where the operator is started with this. Default: both.")
	mustComplete(cmd, "allowed-environments", cobra.FixedCompletions([]cobra.Completion{string(v1alpha1.EnvironmentSandbox), string(v1alpha1.EnvironmentProduction)}, cobra.ShellCompDirectiveNoFileComp))
	s.addMedblocksFlags(cmd)
	s.addOutputFlag(cmd)
	return cmd
}

// addClusterIDFlag is for what looks at owner marks.
func addClusterIDFlag(cmd *cobra.Command, id *string) {
	cmd.Flags().StringVar(id, "cluster-id", "", "Identity of this cluster in the endpoints' owner mark, where the operator is started with one. Default: the UID of the kube-system namespace.")
}

func (s *Session) plan(ctx context.Context, o *planOptions, names []string) error {
	switch {
	case len(names) > 0 && s.allNamespaces:
		return usagef("names belong to one namespace: leave out --all-namespaces, or the names. See 'kubectl medblocks plan --help'")
	case o.manifests.given() && (len(names) > 0 || s.allNamespaces):
		return usagef("a manifest names its resources itself: leave out -f, or the names and --all-namespaces. See 'kubectl medblocks plan --help'")
	}
	allowed, err := o.allowed()
	if err != nil {
		return err
	}
	resources, err := s.toPlan(ctx, o, names)
	if err != nil {
		return err
	}
	if len(resources) == 0 && s.isHuman() {
		return s.nothingHere()
	}
	previewer, err := s.previewer(ctx, o.clusterID, allowed)
	if err != nil {
		return err
	}
	report, problem := planOf(ctx, previewer, resources)
	if err := s.print(report, func(to io.Writer) { writePlans(to, report, s.Clock.Now()) }); err != nil {
		return err
	}
	return report.outcome(problem)
}

// toPlan are the resources that are asked about, as they are stored or as they would be.
func (s *Session) toPlan(ctx context.Context, o *planOptions, names []string) ([]v1alpha1.MedblocksWebhookEndpoint, error) {
	if o.manifests.given() {
		return s.applied(ctx, &o.manifests)
	}
	api, err := s.Client()
	if err != nil {
		return nil, err
	}
	return s.resources(ctx, api, names)
}

func planOf(ctx context.Context, previewer *endpoint.Previewer, resources []v1alpha1.MedblocksWebhookEndpoint) (*PlanReport, error) {
	report := &PlanReport{TypeMeta: typed("PlanReport"), Plans: []endpoint.Preview{}}
	var problems []error
	for i := range resources {
		is, err := previewer.Preview(ctx, &resources[i])
		if err != nil {
			err = fmt.Errorf("planning for %s/%s: %w", resources[i].Namespace, resources[i].Name, err)
			problems, report.Problems = append(problems, err), append(report.Problems, err.Error())
			continue
		}
		report.Plans = append(report.Plans, *is)
	}
	return report, errors.Join(problems...)
}

func (s *Session) previewer(ctx context.Context, clusterID string, allowed []v1alpha1.Environment) (*endpoint.Previewer, error) {
	api, err := s.Client()
	if err != nil {
		return nil, err
	}
	if clusterID, err = account.ClusterID(ctx, api, clusterID); err != nil {
		return nil, err
	}
	key := ""
	if s.apiKeyFile != "" {
		if key, err = s.keyFromFile(); err != nil {
			return nil, err
		}
	}
	return endpoint.NewPreviewer(endpoint.PreviewOptions{
		Reader: api, APIKey: key, ClusterID: clusterID, AllowedEnvironments: allowed, OperatorNamespace: s.operatorNamespace,
		APITimeout: medblocks.DefaultTimeout, Clock: s.Clock,
		NewAPI: func(key string) (account.API, error) { return s.medblocksWith(key) },
	}), nil
}
