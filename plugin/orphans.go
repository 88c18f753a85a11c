// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// OrphanReport is the result of orphans.
type OrphanReport struct {
	metav1.TypeMeta `json:",inline"`
	// ClusterID is what owner marks of this cluster begin with.
	ClusterID string `json:"clusterID"`
	// Orphans carry a mark of this cluster, and no resource has them.
	Orphans []OrphanEndpoint `json:"orphans"`
	// OtherClusters carry another cluster's mark, and Unmarked none; only with --all.
	OtherClusters []OrphanEndpoint `json:"otherClusters,omitempty"`
	Unmarked      []OrphanEndpoint `json:"unmarked,omitempty"`
	// Keys are the API keys whose workspaces were listed.
	Keys []OrphanKey `json:"keys"`
	// Problem says why it cannot be told which endpoints are orphans; empty: it can.
	Problem string `json:"problem,omitempty"`
}

// OrphanEndpoint is an endpoint that no resource of this cluster claims.
type OrphanEndpoint struct {
	ID string `json:"id"`
	// URL without its query.
	URL    string `json:"url"`
	Status string `json:"status"`
	// Owner is its owner mark: <cluster id>/<namespace>/<name>.
	Owner   string `json:"owner,omitempty"`
	Verdict string `json:"verdict"`
	// Advice says what can be done about it.
	Advice    string       `json:"advice"`
	CreatedAt *metav1.Time `json:"createdAt,omitempty"`
	// Key is where the API key comes from that shows it.
	Key string `json:"key"`

	incarnation string
	shownBy     string // the API key
}

// Verdicts on an endpoint.
const (
	// verdictOrphaned: the resource that it is marked with does not exist.
	verdictOrphaned = "Orphaned"
	// verdictDuplicate: that resource has another endpoint.
	verdictDuplicate = "Duplicate"
	// verdictUnclear: it cannot be told.
	verdictUnclear      = "Unclear"
	verdictOtherCluster = "OtherCluster"
	verdictUnmarked     = "Unmarked"
)

// OrphanKey is an API key, by where it comes from.
type OrphanKey struct {
	From []string `json:"from"`
	// Endpoints is how many its workspace has.
	Endpoints int `json:"endpoints"`
	// Problem says why they could not be listed; empty: they were.
	Problem string `json:"problem,omitempty"`

	value string
}

type orphanOptions struct {
	clusterID string
	all       bool
}

func newOrphansCommand(s *Session) *cobra.Command {
	var o orphanOptions
	cmd := &cobra.Command{
		Use:   "orphans [NAME | account/NAME]…",
		Short: "List the endpoints at Medblocks whose resource is gone.",
		Long: `List the endpoints at Medblocks whose resource is gone.

The operator marks each endpoint with the resource that it belongs to. Where that resource does not exist, because somebody has
removed its finalizer by hand, say, the endpoint stays behind, and goes on delivering. So does a second endpoint of a resource.

It looks into the workspaces of the API keys that the resources of the namespace use (with -A: all resources and MedblocksAccounts),
or only of those that are named, or of the key in --api-key-file. Each key is listed once. It deletes nothing: what it lists can be
taken over by creating the resource again, or be deleted at Medblocks.

It ends with exit code 3 if there are any.`,
		Example: `  # With all API keys of the cluster
  kubectl medblocks orphans -A

  # With the key of one resource, or of a MedblocksAccount
  kubectl medblocks orphans patient-events
  kubectl medblocks orphans account/platform

  # What else is in the workspace: endpoints of other clusters, and of nobody
  kubectl medblocks orphans --all --api-key-file=key.txt`,
		ValidArgsFunction: s.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.orphans(cmd.Context(), &o, args)
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "List the endpoints with other clusters' marks too, and those without a mark.")
	s.addAllNamespacesFlag(cmd)
	addClusterIDFlag(cmd, &o.clusterID)
	s.addMedblocksFlags(cmd)
	s.addOutputFlag(cmd)
	return cmd
}

func (s *Session) orphans(ctx context.Context, o *orphanOptions, names []string) error {
	if len(names) > 0 && (s.allNamespaces || s.apiKeyFile != "") {
		return usagef("names say whose API key to use: leave them out, or --all-namespaces and --api-key-file. See 'kubectl medblocks orphans --help'")
	}
	report, err := s.findOrphans(ctx, o, names)
	if err != nil {
		return err
	}
	if err := s.print(report, func(to io.Writer) { writeOrphans(to, report, s.Clock.Now()) }); err != nil {
		return err
	}
	return report.outcome()
}

// outcome tells whether any were found; if not, only a complete look is worth anything.
func (r *OrphanReport) outcome() error {
	for _, e := range r.Orphans {
		if e.Verdict != verdictUnclear {
			return errUnhealthy
		}
	}
	if r.Problem != "" {
		return errors.New(r.Problem)
	}
	for _, key := range r.Keys {
		if key.Problem != "" {
			return errors.New("there may be orphans in a workspace that could not be listed: " + key.Problem)
		}
	}
	return nil
}

// findOrphans lists the endpoints first, and then the resources: one that was registered meanwhile is in no list, and the resource of one
// that is in it is there, unless it is gone for good. What seems to be an orphan is read once more: its resource may have been deleted
// properly in between.
func (s *Session) findOrphans(ctx context.Context, o *orphanOptions, names []string) (*OrphanReport, error) {
	api, err := s.Client()
	if err != nil {
		return nil, err
	}
	report := &OrphanReport{TypeMeta: typed("OrphanReport"), Orphans: []OrphanEndpoint{}}
	if report.ClusterID, err = account.ClusterID(ctx, api, o.clusterID); err != nil {
		return nil, err
	}
	if report.Keys, err = s.orphanKeys(ctx, names); err != nil {
		return nil, err
	}
	var listed []OrphanEndpoint
	for i := range report.Keys {
		listed = append(listed, s.listWorkspace(ctx, &report.Keys[i])...)
	}
	resources, complete, err := s.everyResource(ctx, api)
	if err != nil {
		return nil, err
	}
	if !complete {
		report.Problem = "it cannot be told which endpoints are orphans: you may not list the resources of all namespaces (kubectl auth can-i list " + endpointResource + " -A)"
	}
	for _, e := range judgeEndpoints(listed, resources, report.ClusterID, complete) {
		report.add(s.readAgain(ctx, report.Keys, e), o.all)
	}
	return report, nil
}

// endpointResource is how RBAC calls the resources.
const endpointResource = "medblockswebhookendpoints.connect.medblocks.com"

func (r *OrphanReport) add(e *OrphanEndpoint, all bool) {
	switch {
	case e == nil:
	case e.Verdict == verdictOtherCluster && all:
		r.OtherClusters = append(r.OtherClusters, *e)
	case e.Verdict == verdictUnmarked && all:
		r.Unmarked = append(r.Unmarked, *e)
	case e.Verdict != verdictOtherCluster && e.Verdict != verdictUnmarked:
		r.Orphans = append(r.Orphans, *e)
	}
}

// everyResource are those of all namespaces. Who may not list them gets those of the namespace: they claim theirs, and prove no absence.
func (s *Session) everyResource(ctx context.Context, api client.Reader) (all []v1alpha1.MedblocksWebhookEndpoint, complete bool, err error) {
	var list v1alpha1.MedblocksWebhookEndpointList
	err = api.List(ctx, &list)
	if complete = err == nil; apierrors.IsForbidden(err) {
		var namespace string
		if namespace, err = s.Namespace(); err != nil {
			return nil, false, err
		}
		if err = api.List(ctx, &list, client.InNamespace(namespace)); apierrors.IsForbidden(err) {
			return nil, false, nil
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("listing the webhook endpoints: %w", err)
	}
	return list.Items, complete, nil
}

// listWorkspace lists all that a key shows.
func (s *Session) listWorkspace(ctx context.Context, key *OrphanKey) []OrphanEndpoint {
	if key.Problem != "" {
		return nil
	}
	vendor, err := s.medblocksWith(key.value)
	if err != nil {
		key.Problem = fmt.Sprintf("the API key of %s cannot be used: %v", key.from(), err)
		return nil
	}
	var found []OrphanEndpoint
	for e, err := range vendor.ListEndpoints(ctx, medblocks.ListEndpointsOptions{}) {
		if err != nil {
			key.Problem = fmt.Sprintf("listing the endpoints with the API key of %s: %v", key.from(), err)
			return nil // half a list would be as good as any, but not the same next time
		}
		found = append(found, listedEndpoint(&e, key))
	}
	key.Endpoints = len(found)
	return found
}

// readAgain is nil for an endpoint that is gone, or somebody else's by now.
func (s *Session) readAgain(ctx context.Context, keys []OrphanKey, e OrphanEndpoint) *OrphanEndpoint {
	if e.Verdict != verdictOrphaned && e.Verdict != verdictDuplicate {
		return &e
	}
	for i := range keys {
		if keys[i].value != e.shownBy {
			continue
		}
		vendor, err := s.medblocksWith(keys[i].value)
		if err != nil {
			break
		}
		is, err := vendor.GetEndpoint(ctx, e.ID)
		switch {
		case medblocks.IsNotFound(err):
			return nil
		case err != nil:
			e.Verdict, e.Advice = verdictUnclear, fmt.Sprintf("it could not be read once more: %v", err)
		case is.Metadata[v1alpha1.MarkOwner] != e.Owner || is.Metadata[v1alpha1.MarkIncarnation] != e.incarnation:
			return nil
		}
	}
	return &e
}
