// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// progress says who has to move next.
type progress int

const (
	// working: the operator goes on by itself (Reconciling).
	working progress = iota
	// stalled: only a change from outside can help (Stalled).
	stalled
	// resting: nobody has to do anything (neither condition).
	resting
)

// hold is a reason why a condition is not True, and why the plan goes no further there.
type hold struct {
	Condition string
	Status    metav1.ConditionStatus
	Reason    string
	Message   string
	Progress  progress
	// KeepReady: a registered endpoint keeps its Ready, because the fault says nothing about it.
	KeepReady bool
	// Quiet: a settled resource's status is not touched at all.
	Quiet bool
	// NeedsList: a complete list, begun later than the current one, is wanted.
	NeedsList bool
	// Wake is when to look again; zero: when something changes.
	Wake time.Time
}

func stalledHold(condition, reason, format string, args ...any) *hold {
	return &hold{Condition: condition, Status: metav1.ConditionFalse, Reason: reason, Progress: stalled, Message: fmt.Sprintf(format, args...)}
}

func workingHold(condition, reason, format string, args ...any) *hold {
	return &hold{Condition: condition, Status: metav1.ConditionFalse, Reason: reason, Progress: working, Message: fmt.Sprintf(format, args...)}
}

// errStale: the resource was changed meanwhile; the next reconcile sees it.
var errStale = errors.New("the resource was changed meanwhile")

// vendorError is the error of a call to Medblocks. All other errors are Kubernetes'.
type vendorError struct {
	action action
	err    error
}

func (e *vendorError) Error() string { return fmt.Sprintf("%s: %v", e.action, e.err) }

func (e *vendorError) Unwrap() error { return e.err }

// unwritableError says that the API server refuses to store the signing Secret.
type unwritableError struct {
	name string
	err  error
}

func (e *unwritableError) Error() string {
	return fmt.Sprintf("writing Secret %q: %s", e.name, statusMessage(e.err))
}

func (e *unwritableError) Unwrap() error { return e.err }

// unreadableError says that the operator may not read a signing Secret.
type unreadableError struct {
	name string
	err  error
}

func (e *unreadableError) Error() string {
	return fmt.Sprintf("reading the signing Secret %q: %s", e.name, statusMessage(e.err))
}

func (e *unreadableError) Unwrap() error { return e.err }

// unreadable comes where Secrets are read by name, and the operator's permissions are given namespace by namespace.
func unreadable(name, namespace string, now time.Time) *hold {
	h := stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonCredentialsUnavailable,
		"the operator may not read Secret %q, and so does nothing here: let its service account get, create, patch and delete Secrets in namespace %q; it is tried again every %s", name, namespace, unwritableRetry)
	h.Wake = now.Add(unwritableRetry)
	return h
}

// class says what to do about an error.
type class int

const (
	// retry with backoff. It is the default: an unknown error may pass.
	retry class = iota
	// waitUntil the time in the hold.
	waitUntil
	// terminal until the spec, a Secret or something at Medblocks changes.
	terminal
)

// slowRetry is how often a call that the vendor refused for a reason outside the resource is tried again.
const slowRetry = 10 * time.Minute

// classify turns the error of a call to Medblocks into a class and the hold that tells people about it. It is the only
// place that judges errors. Messages are stable: no request id and no time, so that status cannot trigger itself.
func classify(err error, now time.Time) (class, *hold) {
	var paused *account.PausedError
	switch {
	case errors.As(err, &paused):
		h := transient(v1alpha1.ReasonRateLimited, "%s; the operator waits as long as it asked to", paused.Error())
		h.Wake = paused.Until
		return waitUntil, h
	case medblocks.IsQuotaExceeded(err):
		h := stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonQuotaExceeded,
			"Medblocks refuses another endpoint: %s. Delete endpoints that are not needed, or ask Medblocks for a higher limit; it is tried again every %s", vendorMessage(err), slowRetry)
		h.Wake = now.Add(slowRetry)
		return waitUntil, h
	case medblocks.IsRateLimited(err):
		h := transient(v1alpha1.ReasonRateLimited, "Medblocks asked this account to slow down (429); the operator waits as long as it asked to")
		h.Wake = now.Add(retryAfterOr(err, 10*time.Second))
		return waitUntil, h
	case medblocks.IsUnauthorized(err):
		return terminal, stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidAPIKey,
			"Medblocks refuses the API key (401): %s. Put a valid key into the Secret of spec.apiKeySecretRef, which is in the MedblocksAccount where one is used; it is picked up by itself", vendorMessage(err))
	case medblocks.IsForbidden(err):
		h := stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonForbidden,
			"Medblocks does not allow this to the API key (403): %s. Give the key access to webhook endpoints, or use another key", vendorMessage(err))
		h.Wake = now.Add(slowRetry)
		return terminal, h
	case medblocks.IsConflict(err):
		h := stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonConflict,
			"Medblocks reports a conflict (409): %s. Look for another endpoint or writer with the same settings, then annotate this resource with %s", vendorMessage(err), v1alpha1.AnnotationReconcileRequestedAt)
		h.Wake = now.Add(slowRetry)
		return terminal, h
	case medblocks.IsInvalid(err) && !isRead(err):
		return terminal, stalledHold(v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidRequest,
			"Medblocks refuses %s: %s. Correct it in the manifest", refusedField(err), vendorMessage(err))
	}
	return retry, transient(v1alpha1.ReasonAPIUnavailable, "%s; the operator tries again", unavailable(err))
}

// isRead tells whether the call only asked for something. What is asked with is no part of the manifest, so that nothing in
// there can be corrected where it is refused.
func isRead(err error) bool {
	var api *medblocks.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.Operation {
	case medblocks.OperationGetEndpoint, medblocks.OperationListEndpoints, medblocks.OperationListEvents:
		return true
	default:
		return false
	}
}

// transient is a hold that says nothing about the endpoint itself.
func transient(reason, format string, args ...any) *hold {
	h := workingHold(v1alpha1.ConditionSynced, reason, format, args...)
	h.Status, h.KeepReady = metav1.ConditionUnknown, true
	return h
}

// vendorMessage is the vendor's own text; the client has bounded it and removed secrets from it.
func vendorMessage(err error) string {
	var api *medblocks.APIError
	if errors.As(err, &api) && api.Message != "" {
		if api.RequestID == "" {
			return api.Message
		}
		return strings.ReplaceAll(api.Message, api.RequestID, "…") // it differs every time
	}
	if errors.Is(err, medblocks.ErrInvalidArgument) {
		return err.Error()
	}
	return "no explanation was given"
}

// refusedField names the field of the spec that the vendor's param is about.
func refusedField(err error) string {
	var api *medblocks.APIError
	if !errors.As(err, &api) || api.Param == "" {
		return "the request"
	}
	switch api.Param {
	case "url", "events", "description", "metadata":
		return "spec." + api.Param
	case "status":
		return "spec.state"
	case "Version", "version", "api_version":
		return "spec.medblocksAPIVersion"
	}
	return fmt.Sprintf("the parameter %q", api.Param)
}

// unavailable describes an answer that is none, in words that do not change from one attempt to the next.
func unavailable(err error) string {
	var (
		api       *medblocks.APIError
		malformed *medblocks.MalformedError
		transport *medblocks.TransportError
	)
	switch {
	case errors.As(err, &api) && api.StatusCode >= 300 && api.StatusCode < 400:
		return fmt.Sprintf("the API answered with a redirect (%d), which is not followed: check the operator's --api-base-url", api.StatusCode)
	case errors.As(err, &api) && api.StatusCode == http.StatusNotFound && !api.Envelope:
		return "the API answered 404 without the vendor's error: check the operator's --api-base-url, or a proxy in between"
	case errors.As(err, &api):
		return fmt.Sprintf("Medblocks answered with status %d", api.StatusCode)
	case errors.As(err, &malformed):
		return fmt.Sprintf("Medblocks' answer cannot be used (%s)", malformed.Reason)
	case errors.As(err, &transport):
		return "Medblocks cannot be reached (" + networkCause(transport) + ")"
	}
	return "Medblocks cannot be asked right now"
}

func networkCause(err error) string {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	return "network error: check DNS, egress rules and the operator's --api-base-url"
}

func retryAfterOr(err error, otherwise time.Duration) time.Duration {
	if after, ok := medblocks.RetryAfter(err); ok && after > 0 {
		return after
	}
	return otherwise
}
