// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// maxEvidencePages bounds what a disable costs to judge: 500 pages of 100 events each. An exhausted event is days old
// and the newest come first, so a busy endpoint's evidence can lie far back.
const maxEvidencePages = 500

// evidenceTime bounds how long that takes.
const evidenceTime = time.Minute

// observe gathers what a plan may know without a call to Medblocks and without a read from the API server: the
// resource, the Secret from the cache, and the account's snapshot.
func (r *Reconciler) observe(ctx context.Context, w *work) error {
	res, mem := w.res, w.mem
	who := client.ObjectKeyFromObject(res)
	obs := &observation{
		owner: account.OwnerMark(r.ClusterID, who), nonce: rand.Text(), inFlight: r.APITimeout,
		live: map[string]*medblocks.Endpoint{}, disposed: map[string]bool{}, clinging: map[string]bool{}, since: map[string]time.Time{},
		appliedHash: res.Status.AppliedHash, acceptedHash: res.Status.AcceptedHash,
	}
	w.obs = obs
	if res.Spec.Suspend && res.DeletionTimestamp.IsZero() {
		r.Accounts.Release(who) // a suspended resource costs no call
		return r.observeSecret(ctx, w)
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
	obs.copies, obs.sourceDue = mem.copies, r.sourceDue(w)
	if mem.deleted != "" {
		obs.live[mem.deleted], obs.disposed[mem.deleted] = nil, true
	}
	if err := r.observeSecret(ctx, w); err != nil {
		return err
	}
	return r.observeAccount(ctx, w, who)
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
	if w.obs.secret, err = readSecret(ctx, r.Client, w.res, name); err != nil {
		return err
	}
	if s := w.res.Status.SigningSecret; s != nil && s.Name != name {
		former, err := readSecret(ctx, r.Client, w.res, s.Name)
		if err != nil {
			return err
		}
		w.obs.former = append(w.obs.former, &former)
	}
	left, err := leftSecrets(ctx, r.Client, w.res)
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

func (r *Reconciler) observeAccount(ctx context.Context, w *work, who account.Resource) error {
	acct, err := r.Accounts.Use(ctx, who, keyRefOf(w.res))
	if missing := (*account.CredentialsError)(nil); err != nil && !errors.As(err, &missing) {
		return err // an API server that does not answer says nothing about the key
	}
	w.obs.credentials = err
	if acct == nil {
		return nil
	}
	if former := r.Accounts.Former(who); former != nil && acct.Refused() != nil && !w.res.DeletionTimestamp.IsZero() {
		acct = former // the last key that worked
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
	acct.Track(who, id)
	if id == "" && w.res.Spec.Adopt != nil {
		id = w.res.Spec.Adopt.EndpointID
		acct.Await(who, id)
	} else {
		acct.Await(who, "")
	}
	w.account = acct
	w.obs.keyHash, w.obs.refused, w.obs.listError = acct.KeyHash, acct.Refused(), acct.ListError()
	w.obs.pausedUntil = acct.PausedUntil()
	if w.obs.refused == nil {
		delete(w.mem.sightings, refusedKey)
	}
	w.obs.view = acct.Look(id, w.obs.owner)
	return nil
}

// deepen observes what a plan asked for: the only reads that cost something.
func (r *Reconciler) deepen(ctx context.Context, w *work, n needs) error {
	if err := r.observeEndpoints(ctx, w, n.endpoints); err != nil {
		return err
	}
	if n.secret {
		if err := r.observeSecretLive(ctx, w); err != nil {
			return err
		}
	}
	if n.source {
		if err := r.observeSource(ctx, w); err != nil {
			return err
		}
	}
	if n.rivals {
		if err := r.observeRivalsForEndpoint(ctx, w); err != nil {
			return err
		}
	}
	if n.evidence != "" {
		e := r.gatherEvidence(ctx, w, n.evidence)
		if isPaused(e.err) || medblocks.IsRateLimited(e.err) {
			return &vendorError{action: actionRead, err: e.err} // that says nothing about the events
		}
		w.obs.evidence = e
	}
	if n.since != "" {
		w.obs.since[n.since] = w.mem.sighted(n.since, r.Clock.Now())
	}
	if n.namespace {
		return r.observeNamespace(ctx, w)
	}
	return nil
}

func (r *Reconciler) observeEndpoints(ctx context.Context, w *work, ids []string) error {
	for _, id := range ids {
		endpoint, err := w.account.GetEndpoint(ctx, id)
		switch {
		case medblocks.IsNotFound(err):
			w.obs.live[id] = nil
		case err != nil:
			return &vendorError{action: actionRead, err: err}
		default:
			w.obs.live[id] = &endpoint
		}
	}
	return nil
}

// confirm reads the resource live before the first write of a reconcile: what a cache shows may be the wish of yesterday, or
// that of another resource of this name, and neither Medblocks nor a Secret would refuse it.
func (r *Reconciler) confirm(ctx context.Context, w *work) error {
	if w.confirmed {
		return nil
	}
	var live v1alpha1.MedblocksWebhookEndpoint
	err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(w.res), &live)
	switch {
	case apierrors.IsNotFound(err):
		return errStale
	case err != nil:
		return fmt.Errorf("reading the resource live: %w", err)
	case live.UID != w.base.UID || live.ResourceVersion != w.base.ResourceVersion:
		return errStale
	}
	w.confirmed = true
	return nil
}

func (r *Reconciler) observeSecretLive(ctx context.Context, w *work) error {
	view, err := readSecret(ctx, r.APIReader, w.res, w.obs.secret.name)
	if err != nil {
		return err
	}
	view.live = true
	if w.res.DeletionTimestamp.IsZero() && !w.res.Observes() && (!view.exists || view.owned) {
		view.unwritable = proveWritable(ctx, r.Client, w.res, view)
		if isUnclear(view.unwritable) {
			return fmt.Errorf("proving that the signing Secret can be written: %w", view.unwritable)
		}
	}
	w.obs.secret = view
	for i, former := range w.obs.former {
		view, err := readSecret(ctx, r.APIReader, w.res, former.name)
		if err != nil {
			return err
		}
		view.live = true
		w.obs.former[i] = &view
	}
	return r.observeRivalsForSecret(ctx, w)
}

// isUnclear tells whether a failed write says nothing about the Secret itself.
func isUnclear(err error) bool {
	if err == nil {
		return false
	}
	reason := apierrors.ReasonForError(err)
	return reason == "" || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) || apierrors.IsTooManyRequests(err) ||
		apierrors.IsServiceUnavailable(err)
}

// gatherEvidence reads the undelivered events, newest first, until it has seen enough exhausted ones.
func (r *Reconciler) gatherEvidence(ctx context.Context, w *work, id string) *evidence {
	undelivered := false
	e, seen, news := &evidence{}, 0, false
	reading, cancel := context.WithTimeout(ctx, evidenceTime)
	defer cancel()
	for event, err := range w.account.ListEvents(reading, id, medblocks.ListEventsOptions{Delivered: &undelivered}) {
		switch {
		case err != nil && reading.Err() != nil && seen > 0:
			return e // there are more than can be read
		case err != nil:
			e.err = err
			return e
		}
		if event.Attempts >= exhaustedAttempts && event.DeliveredAt == nil {
			e.exhausted = append(e.exhausted, event)
			news = news || !accountedFor(w.res.Status.Reenable, event)
		}
		if seen++; seen >= maxEvidencePages*medblocks.DefaultPageSize || (news && len(e.exhausted) > maxAccounted) {
			return e
		}
	}
	e.complete = true
	return e
}

// observeNamespace finds out whether the namespace is going: then no API key can appear in it any more.
func (r *Reconciler) observeNamespace(ctx context.Context, w *work) error {
	var namespace corev1.Namespace
	err := r.APIReader.Get(ctx, client.ObjectKey{Name: w.res.Namespace}, &namespace)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading namespace %s: %w", w.res.Namespace, err)
	}
	gone := apierrors.IsNotFound(err)
	going := gone || !namespace.DeletionTimestamp.IsZero()
	w.obs.namespaceTerminating = &going
	return nil
}

// deed is a kind of write to an endpoint.
type deed struct {
	action     action
	endpointID string
}

// repeats tells whether the steps hold a write to Medblocks that this reconcile has made already, and to which endpoint.
func (w *work) repeats(steps []step) (endpointID string, again bool) {
	for _, s := range steps {
		if s.Action.atMedblocks() && w.performed[deed{s.Action, s.EndpointID}] {
			return s.EndpointID, true
		}
	}
	return "", false
}

// work is one reconcile of one resource.
type work struct {
	res     *v1alpha1.MedblocksWebhookEndpoint
	base    *v1alpha1.MedblocksWebhookEndpoint // as last stored
	mem     *memory
	obs     *observation
	account *account.Account // nil without a key
	// confirmed: the resource is what is stored, and not a cache's past.
	confirmed bool
	// performed are the writes to Medblocks of this reconcile, and reread the endpoints that were read again because one of
	// them was planned once more: nothing is written twice, whatever Medblocks answers.
	performed map[deed]bool
	reread    map[string]bool
	// turns are the endpoints that nobody else may write meanwhile, and unclear is until when a write to one may be in flight.
	turns   map[string]bool
	unclear map[string]time.Time
	// announced is when the last registration or rotation was written ahead.
	announced time.Time
	// released is why a deletion finishes although the endpoint may live on.
	released string
}
