// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
)

// Sees tells whether an API key shows an endpoint, as far as that is known without a call: it is the key of an account that does,
// or another key of an account in use that lists it.
func (r *Registry) Sees(ctx context.Context, ref KeyRef, account *Account, endpointID string) (bool, error) {
	hash, err := r.HashOf(ctx, ref)
	if missing := (*CredentialsError)(nil); errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if hash == account.KeyHash {
		return true, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	other, inUse := r.accounts[hash]
	return inUse && other.Look(endpointID, "").Endpoint != nil, nil
}

// HashOf is the hash of the API key that a Secret holds. It is read where nobody in use has read it.
func (r *Registry) HashOf(ctx context.Context, ref KeyRef) (string, error) {
	r.mu.Lock()
	hash, known := r.keys[ref]
	r.mu.Unlock()
	if known {
		return hash, nil
	}
	key, err := r.readKey(ctx, ref)
	if err != nil {
		return "", err
	}
	return hashKey(key), nil
}

// Tracked is the endpoint that a resource manages and the account that it uses for it, as far as they are known.
func (r *Registry) Tracked(who Resource) (account *Account, endpointID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	use, ok := r.users[who]
	if !ok {
		return nil, ""
	}
	use.account.mu.Lock()
	defer use.account.mu.Unlock()
	return use.account, use.account.users.tracked[who]
}
