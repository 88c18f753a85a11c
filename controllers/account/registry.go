// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// Resource names a user of an account: a MedblocksWebhookEndpoint or, without a namespace, a MedblocksAccount.
type Resource = types.NamespacedName

// Options of a registry. All are required, except AllowedEnvironments, Witness, APIKey and Unpolled.
type Options struct {
	// Secrets reads API key Secrets live: they are never cached and never watched.
	Secrets client.Reader
	// NewAPI makes a client for an API key.
	NewAPI func(apiKey string) (API, error)
	// AllowedEnvironments are those that API keys may be of; none: all.
	AllowedEnvironments []v1alpha1.Environment
	// ClusterID is the first part of the owner mark.
	ClusterID string
	// PollInterval is the time between two full lists of an account.
	PollInterval time.Duration
	// DisabledPollInterval is the time between two lists of its disabled endpoints.
	DisabledPollInterval time.Duration
	// QPS and Burst are an account's calls per second, and how many may come at once.
	QPS   float64
	Burst int
	Clock clock.Clock
	Log   logr.Logger
	// Witness is told of the endpoints that nobody claims; nil: nobody wants to know.
	Witness Witness
	// APIKey is used in place of what the Secrets hold, which are not read then; empty: there is none.
	APIKey string
	// Unpolled: nothing runs in the background. Accounts are listed when ListNow is called, and not otherwise.
	Unpolled bool
}

// Registry finds the account of a resource, and runs one poller per account in use.
type Registry struct {
	opts    Options
	enqueue func(...Resource)

	ctx    context.Context //nolint:containedctx // the pollers' lifetime is the registry's, not a caller's
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	keys     map[KeyRef]string   // the hash of the key that was last read there
	users    map[Resource]*usage // what each resource uses
	accounts map[string]*running // by key hash
}

type usage struct {
	ref     KeyRef
	account *Account // the last one whose key was to be had; kept for a deletion when the key is gone
	// former is the one before, until the vendor has accepted the new key: a deletion may still use it.
	former *Account
}

type running struct {
	*Account
	stop context.CancelFunc
}

// NewRegistry makes a registry that has resources reconciled through enqueue.
func NewRegistry(opts Options, enqueue func(...Resource)) *Registry {
	if len(opts.AllowedEnvironments) == 0 {
		opts.AllowedEnvironments = Environments
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Registry{
		opts: opts, enqueue: enqueue, ctx: ctx, cancel: cancel,
		keys: map[KeyRef]string{}, users: map[Resource]*usage{}, accounts: map[string]*running{},
	}
}

// Start runs until the context ends and stops all pollers (manager.Runnable).
func (r *Registry) Start(ctx context.Context) error {
	<-ctx.Done()
	r.cancel()
	r.wg.Wait()
	return nil
}

// Use returns the account that the resource's API key leads to. Without a key it returns a *CredentialsError, together
// with the last account that the resource had, if any: a deletion may still use that.
func (r *Registry) Use(ctx context.Context, who Resource, ref KeyRef) (*Account, error) {
	if account := r.known(who, ref); account != nil {
		return account, nil
	}
	key, err := r.readKey(ctx, ref)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		delete(r.keys, ref)
		if missing := (*CredentialsError)(nil); errors.As(err, &missing) && missing.WrongEnvironment {
			r.leaveWrong(who, ref)
		}
		return r.lastAccount(who), err
	}
	return r.assign(who, ref, key) //nolint:contextcheck // the poller outlives the call
}

// Last is the account that a resource used last, where its key cannot even be looked for now: a deletion may still use it. nil: none.
func (r *Registry) Last(who Resource) *Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastAccount(who)
}

// Former is the account whose key a resource used before the present one, as long as the vendor has not accepted that; nil: none.
func (r *Registry) Former(who Resource) *Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	if use, ok := r.users[who]; ok {
		return use.former
	}
	return nil
}

// LeaveLine gives up a resource's place among those that wait for their account.
func (r *Registry) LeaveLine(who Resource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if use, ok := r.users[who]; ok && use.account != nil {
		use.account.LeaveLine(who)
	}
}

// Release forgets a resource. An account without users stops polling and frees its memory.
func (r *Registry) Release(who Resource) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if use, ok := r.users[who]; ok {
		delete(r.users, who)
		r.leave(who, use.account)
		r.leaveFormer(who, use)
	}
}

// known answers without a read where the key was read before.
func (r *Registry) known(who Resource, ref KeyRef) *Account {
	r.mu.Lock()
	defer r.mu.Unlock()
	hash, ok := r.keys[ref]
	if !ok {
		return nil
	}
	account, ok := r.accounts[hash]
	if !ok {
		return nil
	}
	r.join(who, ref, account)
	return account.Account
}

func (r *Registry) lastAccount(who Resource) *Account {
	if use, ok := r.users[who]; ok {
		return use.account
	}
	return nil
}

// assign makes the account of that key the resource's.
func (r *Registry) assign(who Resource, ref KeyRef, key string) (*Account, error) {
	hash := hashKey(key)
	account, ok := r.accounts[hash]
	if !ok {
		api, err := r.opts.NewAPI(key)
		if err != nil {
			return nil, missingKey("the value of key %q in Secret %q cannot be used as an API key: %v", ref.Key, ref.secret(), err)
		}
		fresh := newAccount(hash, api, r.opts, r.enqueue)
		fresh.environment = environmentOf(key)
		account = r.run(fresh, ref)
	}
	r.keys[ref] = hash
	r.join(who, ref, account)
	return account.Account, nil
}

func (r *Registry) join(who Resource, ref KeyRef, account *running) {
	use, ok := r.users[who]
	if !ok {
		use = &usage{}
		r.users[who] = use
	}
	previous := use.account
	use.ref, use.account = ref, account.Account
	account.mu.Lock()
	account.users.add(who)
	account.mu.Unlock()
	if use.former == account.Account {
		use.former = nil // it is back
	}
	switch {
	case previous == nil || previous == account.Account:
	case use.former == nil || previous.isAccepted():
		r.leaveFormer(who, use)
		use.former = previous
		previous.LeaveLine(who) // it waits for the new one from now on
	default: // the one before it is the last that worked
		r.leave(who, previous)
	}
	if account.isAccepted() || (use.former != nil && !use.former.isAccepted()) {
		r.leaveFormer(who, use)
	}
}

func (r *Registry) leaveFormer(who Resource, use *usage) {
	if use.former != nil {
		r.leave(who, use.former)
		use.former = nil
	}
}

// leave stops an account's poller with its last user.
func (r *Registry) leave(who Resource, account *Account) {
	account.mu.Lock()
	account.users.remove(who)
	account.line.leave(who)
	delete(account.waiting, who)
	unused := len(account.users.tracked) == 0
	account.mu.Unlock()
	if !unused {
		return
	}
	if entry := r.accounts[account.KeyHash]; entry != nil && entry.Account == account {
		entry.stop()
		delete(r.accounts, account.KeyHash)
		if r.opts.Witness != nil {
			r.opts.Witness.Abandoned(account.KeyHash)
		}
	}
	for ref, hash := range r.keys {
		if hash == account.KeyHash {
			delete(r.keys, ref)
		}
	}
}

// run starts an account's poller. It lives as long as the account has users, not as long as the call that needed it.
func (r *Registry) run(account *Account, ref KeyRef) *running {
	ctx, stop := context.WithCancel(r.ctx)
	entry := &running{Account: account, stop: stop}
	r.accounts[account.KeyHash] = entry
	if !r.opts.Unpolled {
		p := r.pollerOf(account, r.opts.Log.WithValues("account", ref.Namespace+"/"+ref.Name))
		r.wg.Go(func() { p.run(ctx) })
	}
	return entry
}

// refreshKeys reads the Secrets that led to a key again. The users of one that leads elsewhere now, or nowhere, are
// reconciled: they find their new account, or the reason why they have none.
func (r *Registry) refreshKeys(ctx context.Context, keyHash string) {
	for _, ref := range r.refsOf(keyHash) {
		key, err := r.readKey(ctx, ref)
		if err == nil && hashKey(key) == keyHash {
			continue
		}
		if missing := (*CredentialsError)(nil); err != nil && !errors.As(err, &missing) {
			continue // the API server did not answer: nothing is known
		}
		r.mu.Lock()
		if r.keys[ref] == keyHash { // else somebody has read it again meanwhile
			delete(r.keys, ref)
		}
		var users []Resource
		for who, use := range r.users {
			if use.ref == ref {
				users = append(users, who)
			}
		}
		r.mu.Unlock()
		r.enqueue(users...)
	}
}

// refsOf are the Secrets in use that lead to a key. What nobody uses any more is forgotten: each one costs a read per sweep.
func (r *Registry) refsOf(keyHash string) []KeyRef {
	r.mu.Lock()
	defer r.mu.Unlock()
	used := map[KeyRef]bool{}
	for _, use := range r.users {
		used[use.ref] = true
	}
	maps.DeleteFunc(r.keys, func(ref KeyRef, _ string) bool { return !used[ref] })
	var refs []KeyRef
	for ref, hash := range r.keys {
		if hash == keyHash {
			refs = append(refs, ref)
		}
	}
	return refs
}
