// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// nextStep is what to do about an error, where its own text does not say so; empty: it does.
func nextStep(err error) string {
	if step := medblocksStep(err); step != "" {
		return step
	}
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case meta.IsNoMatchError(err):
		return "this cluster does not know the operator's resources: install their definitions (docs/install.md), or name another cluster with --context"
	case apierrors.IsForbidden(err):
		return "you lack a permission: " + canI(err)
	case apierrors.IsUnauthorized(err):
		return "the cluster does not know who you are: log in again, or name another user with --context"
	case apierrors.IsConflict(err):
		return "somebody else changed the object at the same moment: try again"
	case utilnet.IsConnectionRefused(err), utilnet.IsTimeout(err), utilnet.IsConnectionReset(err):
		return "the cluster cannot be reached: see whether `kubectl cluster-info` works, and --context and --kubeconfig"
	}
	return ""
}

// medblocksStep is nextStep for a call to Medblocks.
func medblocksStep(err error) string {
	var transport *medblocks.TransportError
	switch {
	case medblocks.IsUnauthorized(err):
		return "Medblocks does not accept the API key: make a new one in the dashboard, and put it into the Secret or file that the key came from"
	case medblocks.IsForbidden(err):
		return "the API key may not do this: use one with more permissions"
	case medblocks.IsRateLimited(err):
		return "Medblocks asks to slow down: " + waitText(err)
	case medblocks.IsNotFound(err):
		return "it is not in the workspace of this API key: see whether the key belongs to the workspace of the endpoint"
	case errors.As(err, &transport) && !errors.Is(err, context.Canceled):
		return "Medblocks cannot be reached from here: see whether --api-base-url is right, and whether HTTPS_PROXY is needed"
	}
	return ""
}

func waitText(err error) string {
	if after, ok := medblocks.RetryAfter(err); ok && after > 0 {
		return fmt.Sprintf("try again in %s", after)
	}
	return "try again in a minute"
}

// refused is how the API server says what nobody has allowed.
var refused = regexp.MustCompile(`cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?`)

// canI is the command that asks for the permission which was missing.
func canI(err error) string {
	found := refused.FindStringSubmatch(err.Error())
	if found == nil {
		return "ask whoever runs the cluster"
	}
	resource, _, _ := strings.Cut(found[2], "/")
	command := fmt.Sprintf("kubectl auth can-i %s %s", found[1], resource)
	if found[3] != "" {
		command += "." + found[3]
	}
	if _, sub, ok := strings.Cut(found[2], "/"); ok {
		command += " --subresource=" + sub
	}
	if found[4] != "" {
		command += " -n " + found[4]
	} else {
		command += " -A"
	}
	return "`" + command + "` says no. Ask whoever runs the cluster for it"
}
