// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// accountPrefix begins the name of a MedblocksAccount on the command line.
const accountPrefix = "account/"

// from names a key by the first place that it was found in.
func (k *OrphanKey) from() string { return k.From[0] }

// keyring are API keys, each once.
type keyring struct {
	session *Session
	seen    map[keyRef]bool
	keys    []OrphanKey
}

// add reads a key. One that cannot be read is kept with the reason: what it shows is not looked at.
func (r *keyring) add(ctx context.Context, ref keyRef) {
	if r.seen[ref] {
		return
	}
	r.seen[ref] = true
	from := "Secret " + ref.Namespace + "/" + ref.Secret
	if ref.Key != v1alpha1.DefaultAPIKeySecretKey {
		from += ", key " + ref.Key
	}
	if ref.Account != "" {
		from = "MedblocksAccount " + ref.Account
	}
	value, err := r.session.keyFromSecret(ctx, ref)
	if err != nil {
		r.keys = append(r.keys, OrphanKey{From: []string{from}, Problem: err.Error()})
		return
	}
	r.put(from, value)
}

func (r *keyring) put(from, value string) {
	if i := slices.IndexFunc(r.keys, func(k OrphanKey) bool { return k.value == value && k.Problem == "" }); i >= 0 {
		r.keys[i].From = append(r.keys[i].From, from)
		return
	}
	r.keys = append(r.keys, OrphanKey{From: []string{from}, value: value})
}

func (r *keyring) addResource(ctx context.Context, res *v1alpha1.MedblocksWebhookEndpoint) {
	ref, err := r.session.keyRefOf(ctx, res)
	if err != nil {
		r.keys = append(r.keys, OrphanKey{From: []string{res.Namespace + "/" + res.Name}, Problem: err.Error()})
		return
	}
	r.add(ctx, ref)
}

// orphanKeys are the API keys whose workspaces are to be looked into.
func (s *Session) orphanKeys(ctx context.Context, names []string) ([]OrphanKey, error) {
	ring := &keyring{session: s, seen: map[keyRef]bool{}, keys: []OrphanKey{}}
	var err error
	switch {
	case s.apiKeyFile != "":
		var value string
		if value, err = s.keyFromFile(); err == nil {
			ring.put("--api-key-file", value)
		}
	case len(names) > 0:
		err = s.keysOf(ctx, ring, names)
	default:
		err = s.keysHere(ctx, ring)
	}
	if err == nil && len(ring.keys) == 0 {
		err = errors.New("there is no API key to look with: no resource here uses one. Name a MedblocksAccount (account/NAME), look into all namespaces with -A, or give a key with --api-key-file")
	}
	return ring.keys, err
}

func (s *Session) keysOf(ctx context.Context, ring *keyring, names []string) error {
	api, err := s.Client()
	if err != nil {
		return err
	}
	for _, name := range names {
		if accountName, is := strings.CutPrefix(name, accountPrefix); is {
			var acct v1alpha1.MedblocksAccount
			err := api.Get(ctx, client.ObjectKey{Name: accountName}, &acct)
			if apierrors.IsNotFound(err) {
				return fmt.Errorf("there is no MedblocksAccount %q: 'kubectl get medblocksaccounts' lists them", accountName)
			}
			if err != nil {
				return fmt.Errorf("reading MedblocksAccount %q: %w", accountName, err)
			}
			ring.add(ctx, s.keyRefOfAccount(&acct))
			continue
		}
		res, err := s.resource(ctx, name)
		if err != nil {
			return err
		}
		ring.addResource(ctx, res)
	}
	return nil
}

// keysHere are those of the resources in the namespace or, with --all-namespaces, of all resources and MedblocksAccounts.
func (s *Session) keysHere(ctx context.Context, ring *keyring) error {
	api, err := s.Client()
	if err != nil {
		return err
	}
	resources, err := s.resources(ctx, api, nil)
	if err != nil {
		return err
	}
	for i := range resources {
		ring.addResource(ctx, &resources[i])
	}
	if !s.allNamespaces {
		return nil
	}
	var accounts v1alpha1.MedblocksAccountList
	if err := api.List(ctx, &accounts); err != nil {
		return fmt.Errorf("listing the MedblocksAccounts: %w", err)
	}
	for i := range accounts.Items {
		ring.add(ctx, s.keyRefOfAccount(&accounts.Items[i]))
	}
	return nil
}
