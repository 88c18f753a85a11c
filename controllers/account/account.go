// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package account is the operator's view of the Medblocks accounts that its resources use. An account is one API
// key at work: Secrets that hold the same key share it. Per account there is one poller, one token bucket, one
// breaker, and one snapshot of all endpoints, so that what the operator costs the vendor depends on the number of
// accounts and pages, not on the number of resources.
package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// API is what an account needs of the vendor; *medblocks.Client provides it.
type API interface {
	CreateEndpoint(ctx context.Context, req medblocks.CreateEndpointRequest) (medblocks.Endpoint, medblocks.Secret, error)
	ListEndpoints(ctx context.Context, opts medblocks.ListEndpointsOptions) iter.Seq2[medblocks.Endpoint, error]
	GetEndpoint(ctx context.Context, id string) (medblocks.Endpoint, error)
	UpdateEndpoint(ctx context.Context, id string, req medblocks.UpdateEndpointRequest) (medblocks.Endpoint, error)
	DeleteEndpoint(ctx context.Context, id string) (string, error)
	RotateSecret(ctx context.Context, id string) (medblocks.Endpoint, medblocks.Secret, error)
	ListEvents(ctx context.Context, endpointID string, opts medblocks.ListEventsOptions) iter.Seq2[medblocks.EventRecord, error]
	RedeliverEvent(ctx context.Context, eventID string) (medblocks.EventRecord, error)
}

// Account is one API key at work. Its methods are safe for concurrent use. Every write through it is folded into
// its snapshot, so that a sweep does not mistake it for a change by somebody else.
type Account struct {
	// KeyHash identifies the key; the key cannot be derived from it.
	KeyHash string

	// environment that the key says it is of; empty: it does not say.
	environment v1alpha1.Environment

	api       API
	clock     clock.Clock
	clusterID string
	enqueue   func(...Resource) // has resources reconciled
	pace      *pace
	slot      chan struct{} // taken by the one background call at a time
	store     store
	breaker   breaker
	sweeps    sweeps

	// listDue wakes the poller for a list that was asked for.
	listDue chan struct{}

	mu          sync.Mutex
	users       users
	line        line // the resources that have to wait for their turn
	waiting     map[Resource]struct{}
	listErr     error
	pausedUntil time.Time
}

func newAccount(keyHash string, api API, opts Options, enqueue func(...Resource)) *Account {
	return &Account{
		KeyHash:   keyHash,
		api:       api,
		clock:     opts.Clock,
		clusterID: opts.ClusterID,
		enqueue:   enqueue,
		pace:      newPace(opts.QPS, opts.Burst),
		slot:      make(chan struct{}, 1),
		store:     store{owners: map[string][]string{}, confirmAfter: opts.PollInterval / 2},
		listDue:   make(chan struct{}, 1),
		users:     newUsers(),
		waiting:   map[Resource]struct{}{},
	}
}

// hashKey names a key without giving it away: keys are long random strings, so that no dictionary inverts it.
func hashKey(key string) string {
	sum := sha256.Sum256([]byte("medblocks-webhook-operator/api-key\x00" + key))
	return "v1:" + hex.EncodeToString(sum[:16])
}

// Refused is the answer that opened the breaker (401 or 403), nil while the key is accepted.
func (a *Account) Refused() error { return a.breaker.err() }

// isAccepted tells whether the vendor has accepted the key, and does so still.
func (a *Account) isAccepted() bool {
	return a.Refused() == nil && !a.Look("", "").ListedAt.IsZero()
}

// ListError is why the last full list failed, nil where it succeeded.
func (a *Account) ListError() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.listErr
}

// RequestList asks for a complete list as soon as possible and has the resource reconciled after it, whether the
// list succeeded or not. One list serves all that ask for it.
func (a *Account) RequestList(who Resource) {
	a.mu.Lock()
	a.waiting[who] = struct{}{}
	a.mu.Unlock()
	a.wakePoller()
}

func (a *Account) wakePoller() {
	select {
	case a.listDue <- struct{}{}:
	default: // it is awake already
	}
}

// IsOnlyUser tells whether nobody but a resource uses the account, so that it is not listed any more without it.
func (a *Account) IsOnlyUser(who Resource) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.users.has(who) && len(a.users.tracked) == 1
}

// Track tells which endpoint a resource manages, so that the resource is reconciled when that endpoint changes.
func (a *Account) Track(who Resource, endpointID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users.track(who, endpointID)
}

// Await tells which endpoint a resource looks at without managing it, so that the resource is reconciled when that endpoint
// appears or changes; empty: none.
func (a *Account) Await(who Resource, endpointID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users.await(who, endpointID)
}

// CreateEndpoint registers an endpoint. It is never retried here: the answer may be lost after the effect.
func (a *Account) CreateEndpoint(ctx context.Context, req medblocks.CreateEndpointRequest) (medblocks.Endpoint, medblocks.Secret, error) {
	if err := a.admit(ctx); err != nil {
		return medblocks.Endpoint{}, "", err
	}
	endpoint, secret, err := a.api.CreateEndpoint(ctx, req)
	a.settleSecret(endpoint, err)
	return endpoint, secret, err
}

// GetEndpoint reads one endpoint. A 404 leaves the snapshot as it is: only a complete list removes from it.
func (a *Account) GetEndpoint(ctx context.Context, id string) (medblocks.Endpoint, error) {
	if err := a.admit(ctx); err != nil {
		return medblocks.Endpoint{}, err
	}
	endpoint, err := a.api.GetEndpoint(ctx, id)
	a.settle(endpoint, err)
	return endpoint, err
}

// UpdateEndpoint patches one endpoint.
func (a *Account) UpdateEndpoint(ctx context.Context, id string, req medblocks.UpdateEndpointRequest) (medblocks.Endpoint, error) {
	if err := a.admit(ctx); err != nil {
		return medblocks.Endpoint{}, err
	}
	endpoint, err := a.api.UpdateEndpoint(ctx, id, req)
	a.settle(endpoint, err)
	return endpoint, err
}

// RotateSecret replaces the signing secret of one endpoint.
func (a *Account) RotateSecret(ctx context.Context, id string) (medblocks.Endpoint, medblocks.Secret, error) {
	if err := a.admit(ctx); err != nil {
		return medblocks.Endpoint{}, "", err
	}
	endpoint, secret, err := a.api.RotateSecret(ctx, id)
	a.settleSecret(endpoint, err)
	return endpoint, secret, err
}

// DeleteEndpoint deletes one endpoint and returns the request id of the answer.
func (a *Account) DeleteEndpoint(ctx context.Context, id string) (string, error) {
	return a.DeleteEndpointIf(ctx, id, func(context.Context) error { return nil })
}

// DeleteEndpointIf deletes one endpoint, where nothing speaks against it once the account's turn has come: that may take a while.
func (a *Account) DeleteEndpointIf(ctx context.Context, id string, objection func(context.Context) error) (string, error) {
	if err := a.admit(ctx); err != nil {
		return "", err
	}
	if err := objection(ctx); err != nil {
		return "", err
	}
	requestID, err := a.api.DeleteEndpoint(ctx, id)
	a.noteError(err)
	if err == nil || medblocks.IsNotFound(err) {
		a.tellOthers(a.store.forget(id))
	}
	return requestID, err
}

// ListEvents reads the undelivered events of one endpoint, newest first, page by page.
func (a *Account) ListEvents(ctx context.Context, endpointID string, opts medblocks.ListEventsOptions) iter.Seq2[medblocks.EventRecord, error] {
	return func(yield func(medblocks.EventRecord, error) bool) {
		if err := a.admit(ctx); err != nil {
			yield(medblocks.EventRecord{}, err)
			return
		}
		seen := 0
		for event, err := range a.api.ListEvents(ctx, endpointID, opts) {
			if err != nil {
				a.noteError(err)
			}
			if !yield(event, err) || err != nil {
				return
			}
			// The next page is another call, which has to wait for its turn too.
			if seen++; seen%medblocks.DefaultPageSize == 0 {
				if err := a.admit(ctx); err != nil {
					yield(medblocks.EventRecord{}, err)
					return
				}
			}
		}
	}
}

// settle keeps what a call on one endpoint taught.
func (a *Account) settle(endpoint medblocks.Endpoint, err error) {
	a.noteError(err)
	if err == nil {
		a.tellOthers(a.store.fold(endpoint))
	}
}

// settleSecret does the same for an answer that may hold little more than a secret.
func (a *Account) settleSecret(endpoint medblocks.Endpoint, err error) {
	a.noteError(err)
	if err == nil && IsComplete(&endpoint) {
		a.tellOthers(a.store.fold(endpoint))
	}
}

// tellOthers has the resources reconciled that an own read or write concerns, where they are several: the snapshot knows of it
// from now on, so that no sweep would notice. Who made the call knows it already.
func (a *Account) tellOthers(changes []Change) {
	for _, c := range changes {
		if concerned := a.affected(c); len(concerned) > 1 {
			a.enqueue(concerned...)
		}
	}
}

// IsComplete tells whether an answer shows the endpoint's state. Answers to a registration and a rotation are accepted
// with little more than the secret in them, because that must never be thrown away.
func IsComplete(endpoint *medblocks.Endpoint) bool {
	return endpoint.Status != "" && endpoint.URL != "" && endpoint.Metadata != nil
}
