// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// Environments are all that there are.
var Environments = []v1alpha1.Environment{v1alpha1.EnvironmentSandbox, v1alpha1.EnvironmentProduction}

// ParseEnvironment is the environment of that name. An error says which there are.
func ParseEnvironment(name string) (v1alpha1.Environment, error) {
	environment := v1alpha1.Environment(name)
	if !slices.Contains(Environments, environment) {
		return "", fmt.Errorf("there is no environment %q, only Sandbox and Production", name)
	}
	return environment, nil
}

// environmentOf tells by a key's prefix, as the vendor documents it, what it opens; empty: that cannot be told.
func environmentOf(key string) v1alpha1.Environment {
	switch {
	case strings.HasPrefix(key, "mb_sk_sbx_"):
		return v1alpha1.EnvironmentSandbox
	case strings.HasPrefix(key, "mb_sk_live_"):
		return v1alpha1.EnvironmentProduction
	}
	return ""
}

// checkEnvironment is why a key of that environment must not be used, nil where it may. A key that does not tell its environment is good
// enough only where any would be. Messages never hold a part of the key.
func checkEnvironment(is v1alpha1.Environment, ref KeyRef, allowed []v1alpha1.Environment) error {
	all := !slices.ContainsFunc(Environments, func(e v1alpha1.Environment) bool { return !slices.Contains(allowed, e) })
	what := fmt.Sprintf("the API key in Secret %q is of the environment %s", ref.secret(), is)
	if is == "" {
		what = fmt.Sprintf("the API key in Secret %q does not tell its environment by its prefix", ref.secret())
	}
	switch {
	case ref.Environment != "" && is != ref.Environment:
		return &CredentialsError{WrongEnvironment: true, Message: fmt.Sprintf(
			"%s, and spec.environment of MedblocksAccount %q is %s: put a key of that environment into the Secret, or correct spec.environment", what, ref.Account, ref.Environment)}
	case (is == "" && all) || slices.Contains(allowed, is):
		return nil
	}
	return &CredentialsError{WrongEnvironment: true, Message: fmt.Sprintf(
		"%s, and the operator's --allowed-environments allows only %s: use a key of an allowed environment", what, join(allowed))}
}

// leaveWrong takes those accounts from a resource whose own keys are of an environment that is not allowed any more: they serve for
// nothing, not even for a deletion.
func (r *Registry) leaveWrong(who Resource, ref KeyRef) {
	use, ok := r.users[who]
	if !ok {
		return
	}
	wrong := func(account *Account) bool {
		return account != nil && checkEnvironment(account.environment, ref, r.opts.AllowedEnvironments) != nil
	}
	if wrong(use.former) {
		r.leaveFormer(who, use)
	}
	switch {
	case !wrong(use.account):
	case use.former != nil:
		r.leave(who, use.account)
		use.account, use.former = use.former, nil
	default:
		delete(r.users, who)
		r.leave(who, use.account)
	}
}

func join(environments []v1alpha1.Environment) string {
	names := make([]string, 0, len(environments))
	for _, e := range environments {
		names = append(names, string(e))
	}
	return strings.Join(names, ", ")
}
