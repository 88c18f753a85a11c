// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// KeyRef names a key of a Secret that holds an API key.
type KeyRef struct {
	Namespace, Name, Key string
	// Account is the MedblocksAccount that names the Secret; empty: a resource does so itself.
	Account string
	// Environment that the API key has to be of; empty: any that the operator allows.
	Environment v1alpha1.Environment
}

// KeyRefOf is the key of a MedblocksAccount, whose Secret is in the operator's namespace.
func KeyRefOf(account *v1alpha1.MedblocksAccount, operatorNamespace string) KeyRef {
	ref := account.Spec.APIKeySecretRef
	return KeyRef{
		Namespace: operatorNamespace, Name: ref.Name, Key: ref.KeyOrDefault(),
		Account: account.Name, Environment: account.Spec.Environment,
	}
}

// secret names the Secret as people who read the resource know it: one of another namespace with that.
func (ref KeyRef) secret() string {
	if ref.Account == "" {
		return ref.Name
	}
	return ref.Namespace + "/" + ref.Name
}

// field names a field of apiKeySecretRef, and whose it is.
func (ref KeyRef) field(name string) string {
	if ref.Account == "" {
		return "spec.apiKeySecretRef." + name
	}
	return fmt.Sprintf("spec.apiKeySecretRef.%s of MedblocksAccount %q", name, ref.Account)
}

// CredentialsError says why there is no API key. Its message names the Secret and the next step, and never the key.
type CredentialsError struct {
	Message string
	// WrongEnvironment: there is a key, of an environment that is not allowed.
	WrongEnvironment bool
}

func (e *CredentialsError) Error() string { return e.Message }

func missingKey(format string, args ...any) error {
	return &CredentialsError{Message: fmt.Sprintf(format, args...)}
}

// readKey reads an API key live. The value is trimmed: a trailing newline is the most common slip of all.
func (r *Registry) readKey(ctx context.Context, ref KeyRef) (string, error) {
	if key := r.opts.APIKey; key != "" {
		return key, checkEnvironment(environmentOf(key), ref, r.opts.AllowedEnvironments)
	}
	var secret corev1.Secret
	err := r.opts.Secrets.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, &secret)
	if apierrors.IsNotFound(err) {
		return "", missingKey("Secret %q with the API key does not exist: create it, or correct %s", ref.secret(), ref.field("name"))
	}
	if apierrors.IsForbidden(err) {
		return "", missingKey("the operator may not read Secret %q with the API key: let its service account get Secrets in namespace %q", ref.secret(), ref.Namespace)
	}
	if err != nil {
		return "", fmt.Errorf("reading the API key Secret: %w", err)
	}
	value, ok := secret.Data[ref.Key]
	if !ok {
		return "", missingKey("Secret %q has no key %q: add it, or correct %s", ref.secret(), ref.Key, ref.field("key"))
	}
	key := strings.TrimSpace(string(value))
	switch {
	case key == "":
		return "", missingKey("key %q in Secret %q is empty: set it to a Medblocks API key", ref.Key, ref.secret())
	case strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "", missingKey("key %q in Secret %q is not an API key: it contains white space or characters outside ASCII", ref.Key, ref.secret())
	}
	return key, checkEnvironment(environmentOf(key), ref, r.opts.AllowedEnvironments)
}
