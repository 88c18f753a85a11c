// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// observe gathers what a plan may know without a call to Medblocks and without a read from the API server: the
// resource, the Secret from the cache, and the account's snapshot. (Without a cache of Secrets, those are read from the API server.)
func (r *Reconciler) observe(ctx context.Context, w *work) error {
	res, mem := w.res, w.mem
	who := client.ObjectKeyFromObject(res)
	obs := &observation{
		owner: account.OwnerMark(r.ClusterID, who), nonce: rand.Text(), inFlight: r.APITimeout,
		live: map[string]*medblocks.Endpoint{}, disposed: map[string]bool{}, clinging: map[string]bool{}, since: map[string]time.Time{},
		appliedHash: res.Status.AppliedHash, acceptedHash: res.Status.AcceptedHash,
	}
	w.obs = obs
	mem.meet(res, r.Clock.Now(), r.APITimeout)
	obs.flyingUntil, obs.lostUntil, obs.begunUntil = mem.flyingUntil, mem.lostUntil, r.begun().Add(r.APITimeout)
	if left, err := r.leftAlone(ctx, w); left || err != nil {
		return err
	}
	dropDamagedID(res)
	if mem.registered == res.Status.EndpointID {
		mem.registered = "" // the status names it by now; if that is wiped, the endpoint is resumed like any other
	}
	obs.intent = intentOf(res)
	if obs.intent.open(res.Status.EndpointID) {
		obs.intentSince = mem.sight(obs.intent, r.Clock.Now())
		obs.intentRefused, obs.registered, obs.failure = mem.refused || obs.intent.Refused, mem.registered, mem.failure
	}
	if is := mem.stored; is.endpointID != "" && (is.endpointID == res.Status.EndpointID || is.endpointID == obs.registered) {
		obs.appliedHash, obs.acceptedHash = is.applied, is.accepted
	}
	obs.held, obs.refusals, obs.proven, obs.clobbered, obs.dressings = mem.held, mem.refusals, mem.proven, mem.clobbered, mem.dressings
	obs.clobbers, obs.lostRotations = mem.clobbers, mem.lostRotations
	obs.copies, obs.sourceDue, obs.monitorDue = mem.copies, r.sourceDue(w), r.monitorDue(w)
	r.observeErrands(w)
	if mem.deleted != "" {
		obs.live[mem.deleted], obs.disposed[mem.deleted] = nil, true
	}
	if err := r.observeSecret(ctx, w); err != nil {
		if err := r.leaveSecrets(ctx, w, err); err != nil {
			return err
		}
	}
	return r.observeAccount(ctx, w, who)
}

// leftAlone comes first: a resource that is suspended, or that its MedblocksAccount does not allow, costs no call.
func (r *Reconciler) leftAlone(ctx context.Context, w *work) (bool, error) {
	who := client.ObjectKeyFromObject(w.res)
	if !w.res.DeletionTimestamp.IsZero() {
		r.leavePlaces(who)
		return false, nil
	}
	if err := r.observeGuardrails(ctx, w); err != nil {
		return false, err
	}
	if !w.res.Spec.Suspend && notAllowed(w.res, w.obs.guardrails) == nil {
		return false, nil
	}
	r.Accounts.Release(who)
	return true, r.observeSecret(ctx, w)
}

// dropDamagedID takes no id for an endpoint's that cannot be one; the owner mark finds the endpoint.
func dropDamagedID(res *v1alpha1.MedblocksWebhookEndpoint) {
	if !medblocks.IsEndpointID(res.Status.EndpointID) {
		res.Status.EndpointID = ""
	}
}

func (r *Reconciler) observeSecret(ctx context.Context, w *work) error {
	var err error
	name := w.res.SigningSecretName()
	if w.obs.secret, err = readSecret(ctx, r.secrets(), w.res, name); err != nil {
		return err
	}
	if s := w.res.Status.SigningSecret; s != nil && s.Name != name {
		former, err := readSecret(ctx, r.secrets(), w.res, s.Name)
		if err != nil {
			return err
		}
		w.obs.former = append(w.obs.former, &former)
	}
	left, err := r.leftSecrets(ctx, w.res)
	if err != nil {
		return err
	}
	for _, view := range left {
		if !slices.ContainsFunc(w.obs.secrets(), func(s *secretView) bool { return s.name == view.name }) {
			w.obs.former = append(w.obs.former, &view)
		}
	}
	return r.observeRivalsForSecret(ctx, w)
}

// accountOf is the account that the resource uses; nil without a key.
func (r *Reconciler) accountOf(ctx context.Context, w *work, who account.Resource) (*account.Account, error) {
	var acct *account.Account
	ref, err := r.keyRefOf(ctx, w.res)
	if err == nil {
		acct, err = r.Accounts.Use(ctx, who, ref)
	} else {
		acct = r.Accounts.Last(who)
	}
	if missing := (*account.CredentialsError)(nil); err != nil && !errors.As(err, &missing) {
		return nil, err // an API server that does not answer says nothing about the key
	}
	w.obs.credentials = err
	if former := r.Accounts.Former(who); former != nil && acct.Refused() != nil && !w.res.DeletionTimestamp.IsZero() {
		return former, nil // the last key that worked
	}
	return acct, nil
}

func (r *Reconciler) observeAccount(ctx context.Context, w *work, who account.Resource) error {
	acct, err := r.accountOf(ctx, w, who)
	if acct == nil {
		return err
	}
	if w.obs.registered != "" && w.obs.intent.underAnotherKey(acct.KeyHash) {
		w.obs.registered = "" // this key need not see it
	}
	id := w.res.Status.EndpointID
	if w.obs.registered != "" {
		id = w.obs.registered
	}
	if id == "" && w.res.Observes() {
		id = observedID(w.res)
	}
	if id != "" && id == w.mem.deleted {
		acct.Track(who, "")
	} else {
		acct.Track(who, id)
	}
	if id == "" && w.res.Spec.Adopt != nil {
		id = w.res.Spec.Adopt.EndpointID
		acct.Await(who, id)
	} else {
		acct.Await(who, "")
	}
	w.account = acct
	w.obs.keyHash, w.obs.refused, w.obs.listError = acct.KeyHash, acct.Refused(), acct.ListError()
	w.obs.turn = acct.Turn(who)
	if w.obs.refused == nil {
		delete(w.mem.sightings, refusedKey)
	}
	w.obs.view = acct.Look(id, w.obs.owner)
	return nil
}
