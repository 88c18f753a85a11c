// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// keyRef says which key of which Secret holds an API key.
type keyRef struct {
	Namespace string `json:"namespace"`
	Secret    string `json:"secret"`
	Key       string `json:"key"`
	// Account is the MedblocksAccount that names the Secret; empty: the resource does so itself.
	Account string `json:"account,omitempty"`
}

// Medblocks is a client of the workspace that a resource's endpoint is in. The API key comes from --api-key-file, or is read with the
// user's own permissions from the Secret that the resource, or its MedblocksAccount, names. It makes no call to Medblocks yet.
func (s *Session) Medblocks(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) (*medblocks.Client, error) {
	if s.apiKeyFile != "" {
		return s.MedblocksFromFile()
	}
	ref, err := s.keyRefOf(ctx, res)
	if err != nil {
		return nil, err
	}
	return s.medblocksFromSecret(ctx, ref)
}

// MedblocksFromFile is a client with the API key in --api-key-file.
func (s *Session) MedblocksFromFile() (*medblocks.Client, error) {
	key, err := s.keyFromFile()
	if err != nil {
		return nil, err
	}
	return s.medblocksWith(key)
}

func (s *Session) medblocksFromSecret(ctx context.Context, ref keyRef) (*medblocks.Client, error) {
	key, err := s.keyFromSecret(ctx, ref)
	if err != nil {
		return nil, err
	}
	return s.medblocksWith(key)
}

func (s *Session) medblocksWith(key string) (*medblocks.Client, error) {
	return medblocks.New(medblocks.Config{BaseURL: s.apiBaseURL, APIKey: key, UserAgent: "kubectl-medblocks"})
}

// keyRefOf finds the Secret with the API key of a resource, as the operator does.
func (s *Session) keyRefOf(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) (keyRef, error) {
	name := res.UsesAccount()
	if name == "" {
		ref := res.Spec.APIKeySecretRef
		return keyRef{Namespace: res.Namespace, Secret: ref.Name, Key: ref.KeyOrDefault()}, nil
	}
	api, err := s.Client()
	if err != nil {
		return keyRef{}, err
	}
	var account v1alpha1.MedblocksAccount
	err = api.Get(ctx, client.ObjectKey{Name: name}, &account)
	if apierrors.IsNotFound(err) {
		return keyRef{}, fmt.Errorf("MedblocksAccount %q does not exist: create it, or correct spec.accountRef.name", name)
	}
	if err != nil {
		return keyRef{}, fmt.Errorf("reading the MedblocksAccount that holds the API key: %w", err)
	}
	return s.keyRefOfAccount(&account), nil
}

func (s *Session) keyRefOfAccount(account *v1alpha1.MedblocksAccount) keyRef {
	ref := account.Spec.APIKeySecretRef
	return keyRef{Namespace: s.operatorNamespace, Secret: ref.Name, Key: ref.KeyOrDefault(), Account: account.Name}
}

// orBring is the way out for whoever may not read the Secret.
const orBring = "or give the key with --api-key-file"

func (s *Session) keyFromSecret(ctx context.Context, ref keyRef) (string, error) {
	api, err := s.Client()
	if err != nil {
		return "", err
	}
	var secret corev1.Secret
	err = api.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Secret}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return "", fmt.Errorf("the Secret %s/%s with the API key does not exist: create it, %s%s", ref.Namespace, ref.Secret, orBring, s.whoseNamespace(ref))
	case apierrors.IsForbidden(err):
		return "", fmt.Errorf("you may not read the Secret with the API key (kubectl auth can-i get secrets/%s -n %s): ask for that permission, %s",
			ref.Secret, ref.Namespace, orBring)
	case err != nil:
		return "", fmt.Errorf("reading the Secret with the API key: %w", err)
	}
	value, ok := secret.Data[ref.Key]
	if !ok {
		return "", fmt.Errorf("the Secret %s/%s has no key %q: add it, or correct apiKeySecretRef.key", ref.Namespace, ref.Secret, ref.Key)
	}
	key := strings.TrimSpace(string(value))
	if key == "" {
		return "", fmt.Errorf("key %q in the Secret %s/%s is empty: set it to a Medblocks API key", ref.Key, ref.Namespace, ref.Secret)
	}
	return key, nil
}

// whoseNamespace reminds of a flag that may be what is wrong.
func (s *Session) whoseNamespace(ref keyRef) string {
	if ref.Account == "" {
		return ""
	}
	return ". If the operator runs in another namespace than " + ref.Namespace + ", say so with --operator-namespace"
}

// maxKeyFile is more than any API key has, in bytes.
const maxKeyFile = 64 << 10

func (s *Session) keyFromFile() (string, error) {
	if s.fileKey != "" {
		return s.fileKey, nil
	}
	in := s.In
	if s.apiKeyFile != "-" {
		file, err := os.Open(s.apiKeyFile)
		if err != nil {
			return "", fmt.Errorf("opening --api-key-file: %w", err)
		}
		defer file.Close()
		in = file
	}
	content, err := io.ReadAll(io.LimitReader(in, maxKeyFile))
	if err != nil {
		return "", fmt.Errorf("reading --api-key-file: %w", err)
	}
	if s.fileKey = strings.TrimSpace(string(content)); s.fileKey == "" {
		return "", errors.New("--api-key-file is empty: put a Medblocks API key into it")
	}
	return s.fileKey, nil
}
