// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/controllers/probe"
	"github.com/medblocks/webhook-operator/controllers/redelivery"
)

// observation is all that a plan may know. It is data: whoever holds it can plan without a client.
type observation struct {
	// owner is the resource's identity at Medblocks.
	owner string
	// nonce is fresh and random, for whoever needs one.
	nonce string
	// inFlight is how long a call may be under way (the API timeout).
	inFlight time.Duration

	// keyHash names the key in use; empty without a key.
	keyHash string
	// credentials is why there is no key; with a keyHash, the last working key is still held in memory.
	credentials error
	// refused is the answer that opened the account's breaker.
	refused error
	// turn is when the resource may call Medblocks.
	turn account.Turn
	// guardrails are those of the MedblocksAccount that the resource uses; nil: it uses none, or there is no such account.
	guardrails *guardrails
	// listError is why the last full list failed.
	listError error
	// view is what the account knows without a call.
	view account.View
	// live holds the endpoints that were read or written in this reconcile, by id; nil: the vendor answered 404.
	live map[string]*medblocks.Endpoint

	// updatedAt is when those were last updated at Medblocks, as they were first read in this reconcile, in Medblocks' words. What the
	// operator itself has changed since is in ownUpdates.
	updatedAt  map[string]string
	ownUpdates map[string]bool

	// secret is the Secret under the wanted name.
	secret secretView
	// former are Secrets of this resource under other names: the one that the status names, and those that were left when the
	// process ended in the middle of a move.
	former []*secretView

	// endpointRivals claim the endpoint to adopt too; nil: not known. secretRivals claim the Secret, if it is not ours already.
	endpointRivals, secretRivals []rival

	// source is the user's Secret that the signing secret is copied from; nil: not read in this reconcile. It is to be read again
	// when sourceDue has come.
	source    *sourceView
	sourceDue time.Time

	// intent is the open or closed registration of this incarnation, see memory for the rest.
	intent        *intent
	intentSince   time.Time
	intentRefused bool
	registered    string
	held          *heldSecret
	refusals      map[action]refusal
	failure       *hold
	// since is when things were first seen that the plan asked about, see sightings.
	since map[string]time.Time
	// proven is the mark whose secret was seen in the Secret in this life of the operator.
	proven string
	// dressings are the times at which the Secret's labels and annotations were put back.
	dressings dressings
	// copies are the times at which a lost signing secret was copied again.
	copies dressings
	// flyingUntil is when a PATCH that sets our marks cannot be under way any more, and lostUntil minds those of this process only.
	flyingUntil, lostUntil time.Time
	// begunUntil is when no call of a process before this one, for whatever resource, can be under way any more.
	begunUntil time.Time
	// lostRotations counts how often in a row a rotation had no clear answer.
	lostRotations int
	// clobbered is the endpoint whose secret this operator has rotated out of turn.
	clobbered string
	clobbers  int

	// evidence is what the endpoint's events say about a disable; nil: not read.
	evidence *evidence

	// deliveries are the endpoint's newest events; nil: not read in this reconcile. They are to be read again when monitorDue has come.
	deliveries *deliveries
	monitorDue time.Time
	// probe is how the receiver has answered, and courier how far the present try to redeliver has come; nil: not known.
	probe   probe.Result
	courier *redelivery.Progress

	// appliedHash and acceptedHash are those of the status, and after a write those of the write.
	appliedHash, acceptedHash string

	// namespaceTerminating is read for a deletion without a key only; nil: not read.
	namespaceTerminating *bool

	// disposed are the endpoints that a deletion is done with in this reconcile.
	disposed map[string]bool
	// clinging are those whose marks are still there although they were left out of the metadata: Medblocks merges it.
	clinging map[string]bool
}

// secrets are the Secret under the wanted name, and the former ones.
func (o *observation) secrets() []*secretView {
	return append([]*secretView{&o.secret}, o.former...)
}

// formerHolding is the former Secret that holds the secret of an endpoint with that mark; nil: there is none.
func (o *observation) formerHolding(mark string) *secretView {
	for _, view := range o.former {
		if view.holds(mark) {
			return view
		}
	}
	return nil
}

// endpoint returns what is known of an endpoint: what was read in this reconcile counts before the snapshot.
func (o *observation) endpoint(id string) *medblocks.Endpoint {
	if live, ok := o.live[id]; ok {
		return live
	}
	if o.view.Endpoint != nil && o.view.Endpoint.ID == id {
		return o.view.Endpoint
	}
	for i := range o.view.Owned {
		if o.view.Owned[i].ID == id {
			return &o.view.Owned[i]
		}
	}
	return nil
}

// seeUpdate notes when an endpoint was updated, when it is read for the first time.
func (o *observation) seeUpdate(e *medblocks.Endpoint) {
	if _, seen := o.updatedAt[e.ID]; seen {
		return
	}
	if o.updatedAt == nil {
		o.updatedAt = map[string]string{}
	}
	o.updatedAt[e.ID] = updatedAt(e)
}

// seeOwnUpdate notes that the operator has changed an endpoint.
func (o *observation) seeOwnUpdate(id string) {
	if o.ownUpdates == nil {
		o.ownUpdates = map[string]bool{}
	}
	o.ownUpdates[id] = true
}

// updatedAt is when an endpoint was updated last, as far as Medblocks says; empty: it does not.
func updatedAt(e *medblocks.Endpoint) string {
	if e.UpdatedAt.IsZero() {
		return ""
	}
	return e.UpdatedAt.UTC().Format(time.RFC3339Nano)
}

// isLive tells whether the endpoint was read in this reconcile.
func (o *observation) isLive(id string) bool {
	_, ok := o.live[id]
	return ok
}

// lists tells whether the snapshot has the endpoint, whatever a read says: it is gone only once both say so.
func (o *observation) lists(id string) bool {
	return id != "" && o.view.Endpoint != nil && o.view.Endpoint.ID == id
}

// owned returns the endpoints that carry the resource's owner mark, oldest first.
func (o *observation) owned() []*medblocks.Endpoint {
	var owned []*medblocks.Endpoint
	for i := range o.view.Owned {
		if e := o.endpoint(o.view.Owned[i].ID); e != nil && e.Metadata[v1alpha1.MarkOwner] == o.owner {
			owned = append(owned, e)
		}
	}
	slices.SortFunc(owned, func(a, b *medblocks.Endpoint) int { return account.OlderFirst(*a, *b) })
	return owned
}

// secretView is what is known of a Secret.
type secretView struct {
	name string
	// exists, and owned by this resource (its owner annotation, <namespace>/<name>, says so).
	exists, owned bool
	owner         string
	// intact: the value is the one that the operator wrote.
	intact bool
	// nonce that the value was stored with.
	nonce string
	// rotatedAt is when the value was issued; zero: unknown. rotatedFor is the token that asked for it.
	rotatedAt  time.Time
	rotatedFor string
	// healedAt is when a value was last issued because the one before was lost; zero: never, or unknown.
	healedAt time.Time
	// copiedFrom names the user's Secret and key that the value was copied from; empty: Medblocks issued it to the operator.
	copiedFrom string
	// endpointID that the Secret names.
	endpointID string
	// dressed: labels, annotations and the id are as wanted.
	dressed bool
	// leftovers of what the spec asked for once.
	leftovers leftovers
	// live: read from the API server in this reconcile.
	live bool
	// unwritable is why a server-side dry run of a write failed; only with live.
	unwritable error

	resourceVersion string
	value, last     []byte // the current and the previously published value
}

// holds tells whether the Secret holds the secret that an endpoint with this mark signs with.
func (s *secretView) holds(mark string) bool {
	return s != nil && s.exists && s.owned && s.intact && mark != "" && s.nonce == mark
}

// evidence is what an endpoint's undelivered events say.
type evidence struct {
	err error
	// exhausted are the undelivered events whose ninth attempt failed, newest first, at most maxAccounted and one.
	exhausted []medblocks.EventRecord
	// complete: there were no more pages than were read.
	complete bool
}
