// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// keyRefOf names the API key of a resource: its own, or that of the MedblocksAccount that it names. It returns a
// *account.CredentialsError where the account is not to be had.
func (r *Reconciler) keyRefOf(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) (account.KeyRef, error) {
	if res.UsesAccount() == "" {
		ref := res.Spec.APIKeySecretRef
		return account.KeyRef{Namespace: res.Namespace, Name: ref.Name, Key: ref.KeyOrDefault()}, nil
	}
	acct, err := r.medblocksAccount(ctx, res.UsesAccount())
	if err != nil {
		return account.KeyRef{}, err
	}
	return account.KeyRefOf(acct, r.OperatorNamespace), nil
}

// medblocksAccount reads a MedblocksAccount from the cache.
func (r *Reconciler) medblocksAccount(ctx context.Context, name string) (*v1alpha1.MedblocksAccount, error) {
	switch {
	case r.WithoutAccounts:
		return nil, &account.CredentialsError{Message: "spec.accountRef needs an operator that watches all namespaces, and this one runs with --watch-namespaces: use spec.apiKeySecretRef"}
	case r.OperatorNamespace == "":
		return nil, &account.CredentialsError{Message: "the operator does not know its own namespace, where the API keys of MedblocksAccounts are: start it with --operator-namespace"}
	}
	var acct v1alpha1.MedblocksAccount
	err := r.Client.Get(ctx, client.ObjectKey{Name: name}, &acct)
	if apierrors.IsNotFound(err) {
		return nil, &account.CredentialsError{Message: fmt.Sprintf("MedblocksAccount %q does not exist: create it, or correct spec.accountRef.name", name)}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the MedblocksAccount: %w", err)
	}
	return &acct, nil
}

// observeGuardrails gathers what the guardrails of the resource's MedblocksAccount are compared with, all of it from the cache.
func (r *Reconciler) observeGuardrails(ctx context.Context, w *work) error {
	who := client.ObjectKeyFromObject(w.res)
	g, err := r.guardrailsOf(ctx, w.res, r.observeRank)
	if err != nil {
		return err
	}
	if w.res.UsesAccount() == "" || (g != nil && g.spec.MaxEndpointsPerNamespace == nil) {
		r.leavePlaces(who)
	}
	w.obs.guardrails = g
	return nil
}

// rankIn counts the resources that come before one, up to that many places.
type rankIn func(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint, g *guardrails, places int) (int, error)

// guardrailsOf are those of a resource's MedblocksAccount; nil: it uses none, or one that is not to be had.
func (r *Reconciler) guardrailsOf(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint, rank rankIn) (*guardrails, error) {
	if res.UsesAccount() == "" {
		return nil, nil
	}
	acct, err := r.medblocksAccount(ctx, res.UsesAccount())
	if missing := (*account.CredentialsError)(nil); errors.As(err, &missing) {
		return nil, nil // told with the key, which is not to be had either
	}
	if err != nil {
		return nil, err
	}
	g := &guardrails{account: acct.Name, spec: acct.Spec}
	if acct.Spec.NamespaceSelector != nil {
		namespace := metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}}
		if err := r.Client.Get(ctx, client.ObjectKey{Name: res.Namespace}, &namespace); err != nil {
			return nil, fmt.Errorf("reading the labels of the namespace: %w", err)
		}
		g.labels = namespace.Labels
	}
	if places := acct.Spec.MaxEndpointsPerNamespace; places != nil {
		if g.rank, err = rank(ctx, res, g, int(*places)); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// IndexAccount is the index of cached resources by the MedblocksAccount that they name.
const IndexAccount = "accountRef"

func accountOfObject(object client.Object) []string {
	if res, ok := object.(*v1alpha1.MedblocksWebhookEndpoint); ok && res.UsesAccount() != "" {
		return []string{res.UsesAccount()}
	}
	return nil
}

// resourcesOfAccount names the resources that a change of a MedblocksAccount concerns.
func (r *Reconciler) resourcesOfAccount(ctx context.Context, object client.Object) []account.Resource {
	users, err := r.siblings(ctx, corev1.NamespaceAll, object.GetName())
	if err != nil {
		return nil // the cache has no other way to fail than a missing index
	}
	return namesOf(users)
}

// resourcesOfNamespace names the resources that a change of a namespace's labels concerns.
func (r *Reconciler) resourcesOfNamespace(ctx context.Context, object client.Object) []account.Resource {
	var accounts v1alpha1.MedblocksAccountList
	if err := r.Client.List(ctx, &accounts, client.UnsafeDisableDeepCopy); err != nil {
		return nil // as above
	}
	var concerned []account.Resource
	for i := range accounts.Items {
		if accounts.Items[i].Spec.NamespaceSelector == nil {
			continue
		}
		users, err := r.siblings(ctx, object.GetName(), accounts.Items[i].Name)
		if err != nil {
			return nil // as above
		}
		concerned = append(concerned, namesOf(users)...)
	}
	return concerned
}

func namesOf(all []v1alpha1.MedblocksWebhookEndpoint) []account.Resource {
	names := make([]account.Resource, 0, len(all))
	for i := range all {
		names = append(names, client.ObjectKeyFromObject(&all[i]))
	}
	return names
}
