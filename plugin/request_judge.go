// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// requestKind is something that a user asks the operator for with an annotation. Its functions are pure.
type requestKind struct {
	name       string
	annotation string
	// asking is what is said once the request is made.
	asking string
	// handled is the token of the last request that was served.
	handled func(*v1alpha1.MedblocksWebhookEndpointStatus) string
	// refuse says why a request would be in vain; empty: it would not.
	refuse func(*v1alpha1.MedblocksWebhookEndpoint) string
	// serve judges a resource whose status says that the request was handled. nil: the rest is still to come.
	serve func(res, before *v1alpha1.MedblocksWebhookEndpoint, deadline time.Time) *ending
}

// ending is how a request has ended.
type ending struct {
	outcome string
	message string
}

// Outcomes of a request, and of a release.
const (
	outcomeDone        = "Done"
	outcomeRequested   = "Requested"
	outcomeNotReady    = "NotReady"
	outcomeRefused     = "Refused"
	outcomeFailed      = "Failed"
	outcomeTimedOut    = "TimedOut"
	outcomeInterrupted = "Interrupted"
)

// codeOf is the exit code that an outcome leads to.
func codeOf(outcome string) int {
	switch outcome {
	case outcomeDone, outcomeRequested:
		return ExitOK
	case outcomeNotReady:
		return ExitUnhealthy
	case outcomeTimedOut:
		return ExitTimeout
	}
	return ExitFailed
}

var reconcileRequest = requestKind{
	name: "Reconcile", annotation: v1alpha1.AnnotationReconcileRequestedAt, asking: "asked the operator to look at it now",
	handled: func(status *v1alpha1.MedblocksWebhookEndpointStatus) string {
		return status.LastHandledReconcileRequestedAt
	},
	refuse: inactive,
	serve:  reconciled,
}

var rotateRequest = requestKind{
	name: "Rotate", annotation: v1alpha1.AnnotationRotateSecretRequestedAt, asking: "asked for a new signing secret",
	handled: func(status *v1alpha1.MedblocksWebhookEndpointStatus) string { return status.LastHandledRotateSecretAt },
	refuse:  unwritten,
	serve:   rotated,
}

var reenableRequest = requestKind{
	name: "Reenable", annotation: v1alpha1.AnnotationReenableRequestedAt, asking: "asked to have it enabled",
	handled: func(status *v1alpha1.MedblocksWebhookEndpointStatus) string { return status.LastHandledReenableAt },
	refuse: func(res *v1alpha1.MedblocksWebhookEndpoint) string {
		why := unwritten(res)
		if why == "" && res.WantsDisabled() {
			why = "spec.state is Disabled, so that it was you who disabled it: set it to Active (or remove it), and the operator enables the endpoint at once"
		}
		return why
	},
	serve: enabled,
}

// inactive says why the operator does nothing for a resource.
func inactive(res *v1alpha1.MedblocksWebhookEndpoint) string {
	switch {
	case !res.DeletionTimestamp.IsZero():
		return "it is being deleted"
	case res.Spec.Suspend:
		return "spec.suspend is true, so that the operator does nothing for it. To go on: " +
			fmt.Sprintf("kubectl patch mwe %s -n %s --type=merge -p '{\"spec\":{\"suspend\":false}}'", res.Name, res.Namespace)
	}
	return ""
}

// unwritten says why the operator writes nothing to Medblocks for a resource. A request that is there when an endpoint is registered, or
// under Observe, would count as handled, and do nothing.
func unwritten(res *v1alpha1.MedblocksWebhookEndpoint) string {
	if why := inactive(res); why != "" {
		return why
	}
	switch {
	case res.Observes():
		return "managementPolicy is Observe, so that the operator only looks at it: set it to Manage first"
	case res.Status.EndpointID == "":
		return "it has no endpoint at Medblocks yet" + saying(res, v1alpha1.ConditionReady)
	}
	return ""
}

// judgeRequest tells how a request has ended, as far as the resource shows; nil: it has not. The same token was set as a request for a
// reconcile too, so that the status says that the operator has seen the request where it does not serve it.
func judgeRequest(kind requestKind, res, before *v1alpha1.MedblocksWebhookEndpoint, token string, deadline time.Time) *ending {
	if why := kind.refuse(res); why != "" {
		return &ending{outcomeRefused, why}
	}
	switch {
	case kind.handled(&res.Status) == token:
		return kind.serve(res, before, deadline)
	case isSeen(res, token) && stallsRequests(res):
		return &ending{outcomeRefused, "the operator cannot do it" + saying(res, v1alpha1.ConditionStalled)}
	}
	return nil
}

// disables are the reasons for which an endpoint is Stalled that keep nobody from rotating its secret, or from enabling it on request.
var disables = []string{v1alpha1.ReasonAutoDisabled, v1alpha1.ReasonDisabledManually, v1alpha1.ReasonUnknown}

// stallsRequests tells whether the operator says that it cannot go on, for a reason that concerns requests too.
func stallsRequests(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	is := meta.FindStatusCondition(res.Status.Conditions, v1alpha1.ConditionStalled)
	return is != nil && is.Status == metav1.ConditionTrue && !slices.Contains(disables, is.Reason)
}

// isSeen tells whether the operator has looked at the resource since the request, to the end.
func isSeen(res *v1alpha1.MedblocksWebhookEndpoint, token string) bool {
	return res.Status.LastHandledReconcileRequestedAt == token
}

// reconciled waits until there is nothing left to do for the operator, or nothing that it would do soon.
func reconciled(res, _ *v1alpha1.MedblocksWebhookEndpoint, deadline time.Time) *ending {
	working := meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReconciling)
	switch next := nextAttempt(res); {
	case res.Status.ObservedGeneration != res.Generation:
		return nil
	case working && next.After(deadline):
		return &ending{outcomeNotReady, fmt.Sprintf("reconciled, and not Ready%s. The operator tries to enable it at %s",
			saying(res, v1alpha1.ConditionReady), next.UTC().Format(time.RFC3339))}
	case working:
		return nil
	case meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady):
		return &ending{outcomeDone, "reconciled" + saying(res, v1alpha1.ConditionReady)}
	}
	return &ending{outcomeNotReady, "reconciled, and not Ready" + saying(res, v1alpha1.ConditionReady)}
}

func nextAttempt(res *v1alpha1.MedblocksWebhookEndpoint) time.Time {
	if r := res.Status.Reenable; r != nil && r.NextAttempt != nil {
		return r.NextAttempt.Time
	}
	return time.Time{}
}

// rotated waits for the Secret too. Whether its value has changed is asked of the Secret itself, see errand.
func rotated(res, before *v1alpha1.MedblocksWebhookEndpoint, _ time.Time) *ending {
	if !meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionSigningSecretReady) {
		return nil
	}
	message := fmt.Sprintf("rotated: Secret %q holds a new signing secret", publishedSecret(res))
	if meta.IsStatusConditionTrue(before.Status.Conditions, v1alpha1.ConditionSigningSecretReady) {
		message += fmt.Sprintf("; the one before it is kept as %s, for receivers that have not read the new one yet", v1alpha1.SecretKeyPrevious)
	}
	return &ending{outcomeDone, message}
}

func enabled(res, before *v1alpha1.MedblocksWebhookEndpoint, _ time.Time) *ending {
	switch {
	case !meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionEnabled):
		return nil
	case meta.IsStatusConditionTrue(before.Status.Conditions, v1alpha1.ConditionEnabled):
		return &ending{outcomeDone, "it was enabled already" + saying(res, v1alpha1.ConditionEnabled)}
	}
	return &ending{outcomeDone, "enabled" + saying(res, v1alpha1.ConditionEnabled)}
}

// publishedSecret is the Secret that holds the signing secret.
func publishedSecret(res *v1alpha1.MedblocksWebhookEndpoint) string {
	if s := res.Status.SigningSecret; s != nil && s.Name != "" {
		return s.Name
	}
	return res.SigningSecretName()
}

// saying is what a condition says, to end a sentence with; empty where it is not there.
func saying(res *v1alpha1.MedblocksWebhookEndpoint, condition string) string {
	c := meta.FindStatusCondition(res.Status.Conditions, condition)
	switch {
	case c == nil:
		return ""
	case c.Status == metav1.ConditionTrue && condition != v1alpha1.ConditionStalled && condition != v1alpha1.ConditionReconciling:
		return ": " + c.Message
	}
	return fmt.Sprintf(": %s: %s", c.Reason, c.Message)
}
