// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// fieldOwner is how the API server's managedFields call this plugin.
const fieldOwner = client.FieldOwner("kubectl-medblocks")

// requestReport is what reconcile, rotate and reenable print with --output.
type requestReport struct {
	metav1.TypeMeta `json:",inline"`
	Items           []requestOutcome `json:"items"`
}

// requestOutcome is how a request about one resource has ended.
type requestOutcome struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Request   string `json:"request"` // Reconcile, Rotate, Reenable
	// Token is the value of the annotation; empty: no request was made.
	Token string `json:"token,omitempty"`
	// Outcome is Done, Requested (--wait=false), NotReady, Refused, Failed, TimedOut or Interrupted.
	Outcome string `json:"outcome"`
	Message string `json:"message"`
}

// requestOptions are the flags of the three subcommands.
type requestOptions struct {
	choice

	wait    bool
	timeout time.Duration
}

func newReconcileCommand(s *Session) *cobra.Command {
	var options requestOptions
	cmd := newRequestCommand(s, reconcileRequest, &options)
	cmd.Use = "reconcile NAME... | --all [-A]"
	cmd.Short = "Have the operator look at resources now."
	cmd.Long = `Have the operator look at resources now, at Medblocks too, and wait for what comes of it.

The operator looks by itself every five minutes, and at once when a resource or its Secret changes. Ask for it when something was
changed at Medblocks, or to have a request repeated that Medblocks has refused.

Ends with 0 where the resource is Ready, with 3 where the operator has looked and it is not, with 4 where nothing came of it in time.`
	cmd.Example = `  kubectl medblocks reconcile patient-events
  kubectl medblocks reconcile --all -A --timeout=5m`
	s.addAllFlag(cmd, &options.all)
	return cmd
}

func newRotateCommand(s *Session) *cobra.Command {
	cmd := newRequestCommand(s, rotateRequest, &requestOptions{})
	cmd.Use = "rotate NAME..."
	cmd.Short = "Ask for a new signing secret."
	cmd.Long = `Ask Medblocks for a new signing secret, and wait until it is in the Secret.

Medblocks signs with the new one from that moment. The value before it stays in the Secret beside it, so that receivers can accept
both. After a leak rotate twice: once, and again when all receivers have the new value (docs/rotation.md).`
	cmd.Example = `  kubectl medblocks rotate patient-events`
	return cmd
}

func newReenableCommand(s *Session) *cobra.Command {
	cmd := newRequestCommand(s, reenableRequest, &requestOptions{})
	cmd.Use = "reenable NAME..."
	cmd.Short = "Enable an endpoint that Medblocks or a person disabled."
	cmd.Long = `Enable an endpoint that Medblocks or a person disabled, and wait until Medblocks delivers to it again.

It is enabled whatever its re-enable policy says and whoever disabled it, and the policy's attempts start anew. Mend the receiver first:
an event that fails nine times disables the endpoint again.`
	cmd.Example = `  kubectl medblocks reenable patient-events`
	return cmd
}

func newRequestCommand(s *Session, kind requestKind, options *requestOptions) *cobra.Command {
	cmd := &cobra.Command{
		ValidArgsFunction: s.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			options.names = args
			return s.request(cmd.Context(), kind, *options)
		},
	}
	cmd.Flags().BoolVar(&options.wait, "wait", true, "Wait for the outcome. Without, the request is made and stands.")
	cmd.Flags().DurationVar(&options.timeout, "timeout", 2*time.Minute, "How long to wait.")
	s.addOperatorNamespaceFlag(cmd)
	s.addOutputFlag(cmd)
	return cmd
}

// request asks the operator for something about each of the resources, and waits for the outcomes.
func (s *Session) request(ctx context.Context, kind requestKind, options requestOptions) error {
	if err := options.check(s); err != nil {
		return err
	}
	api, err := s.Client()
	if err != nil {
		return err
	}
	found, missing, err := s.choose(ctx, api, options.choice)
	if err != nil {
		return err
	}
	o := &office{s: s, api: api, kind: kind, deadline: s.Clock.Now().Add(options.timeout), ended: []requestOutcome{}}
	for key, err := range missing {
		o.end(&errand{key: key}, ending{outcomeFailed, err.Error()})
	}
	for i := range found {
		o.open(ctx, &found[i])
	}
	if options.wait {
		o.await(ctx, options.timeout)
	} else {
		o.close(func(*errand) ending {
			return ending{outcomeRequested, kind.asking + "; `kubectl medblocks status` shows what comes of it"}
		})
	}
	return o.report()
}

// newToken is a token that no other request has.
func newToken(now time.Time) string {
	return now.UTC().Format(time.RFC3339) + "-" + rand.String(6)
}

// ask sets the annotation. It is also set as a request for a reconcile: the status then says that the operator has seen it.
func (s *Session) ask(ctx context.Context, api client.Client, kind requestKind, before *v1alpha1.MedblocksWebhookEndpoint) (*v1alpha1.MedblocksWebhookEndpoint, string, error) {
	token := newToken(s.Clock.Now())
	change := map[string]any{"metadata": map[string]any{
		"uid":         before.UID, // not another resource that has its name by now
		"annotations": map[string]string{kind.annotation: token, v1alpha1.AnnotationReconcileRequestedAt: token},
	}}
	res := before.DeepCopy()
	if err := patch(ctx, api, res, change); err != nil {
		return nil, "", fmt.Errorf("setting the annotation %s: %w", kind.annotation, err)
	}
	return res, token, nil
}

// patch changes a resource by a JSON merge patch, and leaves it as the API server has answered.
func patch(ctx context.Context, api client.Writer, res *v1alpha1.MedblocksWebhookEndpoint, change map[string]any, options ...client.PatchOption) error {
	raw, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encoding a patch: %w", err)
	}
	return api.Patch(ctx, res, client.RawPatch(types.MergePatchType, raw), append([]client.PatchOption{fieldOwner}, options...)...)
}
