// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// memory is what one resource's reconciles tell each other within one life of the operator. All of it can be lost at
// any moment: it saves waiting, rotations and calls, and no safeguard rests on it.
type memory struct {
	uid types.UID

	// nonce of the intent that the fields below are about.
	nonce string
	// since is when this intent was first seen open, or when its own POST ended without a clear answer.
	since time.Time
	// refused is true when the vendor's answer proves that the POST created nothing.
	refused bool
	// registered is the id in the answer to the POST, until the status names it.
	registered string

	// stored is what the last write to the status said. The cache may lag behind it, and an older hash in there would have
	// the same change sent again.
	stored storedHashes

	// deleted is the endpoint that a deletion has removed, so that a stale read of the resource asks for nothing again.
	deleted string

	// claims are what the resource was last seen to claim, see rivals.
	claims []string

	// usesAccount is the MedblocksAccount that the resource was last seen to use, see siblings.
	usesAccount string
	// holdsEndpoint: it was last seen to have an endpoint, see places.
	holdsEndpoint bool

	// finished: this operator has removed its finalizer.
	finished bool

	// failure is how the last POST failed, where that proves nothing: people read it while the operator waits.
	failure *hold

	// held is a signing secret that could not be stored yet.
	held *heldSecret
	// done and events are what was done at Medblocks and is to be told once the status is stored.
	done   []v1alpha1.HistoryEntry
	events []announcement
	// stale counts the reconciles in a row that ran on a stale read.
	stale int
	// written is the resourceVersion of what this operator last wrote to the resource.
	written string

	// sightings are when things were first seen that have to last for a while before something is done about them.
	sightings map[string]time.Time
	// longAgo: whatever is asked about has lasted long enough, see Previewer.
	longAgo bool
	// proven is the mark whose secret was seen in the Secret: all rotations up to it have ended.
	proven string
	// dressings are the times at which the Secret's labels and annotations were put back.
	dressings dressings
	// copies are the times at which a lost signing secret was copied again, and source is when the user's Secret was read.
	copies dressings
	source sourceRead
	// met: the resource was seen before in this life of the operator. lostUntil is when a PATCH without an answer that sets our marks
	// cannot be under way any more, and flyingUntil minds that of a process that has ended too.
	met                    bool
	flyingUntil, lostUntil time.Time
	// lostRotations counts how often in a row a rotation had no clear answer.
	lostRotations int
	// clobbered is the endpoint whose secret was rotated after somebody else had marked another rotation.
	clobbered string
	// clobbers counts how often in a row.
	clobbers int

	// monitorDue is when the endpoint's events are to be looked at again, at the interval that they were last looked at with.
	monitorDue      time.Time
	monitorInterval time.Duration

	// refusals are the vendor's final answers to requests, so that they are not repeated unchanged.
	refusals map[action]refusal
}

// storedHashes are hashes of the status, and the endpoint that they are about.
type storedHashes struct {
	endpointID, applied, accepted string
}

// heldSecret is a signing secret between the vendor's answer and the Secret.
type heldSecret struct {
	endpointID string
	nonce      string
	value      medblocks.Secret
	issued     time.Time
	rotatedFor string // the token that asked for it
	healed     bool   // it was asked for because the one before was lost
	over       string // the nonce that the Secret held when it was asked for
}

// fits tells whether it is the secret of the endpoint with that mark.
func (h *heldSecret) fits(endpointID, mark string) bool {
	return h != nil && h.endpointID == endpointID && h.nonce == mark
}

// refusal is a request that only another request, key or a person's wish can make succeed.
type refusal struct {
	request string
	hold    hold
	// until is when it is worth another try; zero: not before something changes.
	until time.Time
	// times counts the same refusals in a row.
	times int
}

// note keeps what a plan has found out.
func (w *work) note(p plan) {
	if p.Released != "" {
		w.released = p.Released
	}
	if p.Unfollowed {
		w.mem.source = sourceRead{} // it is to be read again next time
	}
	if p.Proven != "" {
		w.mem.proven, w.mem.sightings, w.mem.clobbers, w.mem.lostRotations = p.Proven, nil, 0, 0
	}
	if p.Undressed && !w.mem.dressings.told {
		w.mem.dressings.told = true
		w.announce(corev1.EventTypeWarning, "SecretMetadataContested", "%s", undressed(w.res.SigningSecretName()))
	}
}

// memories holds the memory of every resource.
type memories struct {
	mu  sync.Mutex
	all map[account.Resource]*memory
}

// of returns the memory of this incarnation of the resource. A resource is reconciled by one worker at a time, which
// alone uses its memory.
func (m *memories) of(res *v1alpha1.MedblocksWebhookEndpoint) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := account.Resource{Namespace: res.Namespace, Name: res.Name}
	if mem, ok := m.all[key]; ok && mem.uid == res.UID {
		return mem
	}
	if m.all == nil {
		m.all = map[account.Resource]*memory{}
	}
	mem := &memory{uid: res.UID}
	if former, ok := m.all[key]; ok {
		mem.claims, mem.usesAccount, mem.holdsEndpoint = former.claims, former.usesAccount, former.holdsEndpoint // others may wait for what this resource does not claim any more
	}
	m.all[key] = mem
	return mem
}

// claims are those that a resource is remembered with.
func (m *memories) claims(who account.Resource) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mem, ok := m.all[who]; ok {
		return mem.claims
	}
	return nil
}

// forget tells whether the resource was let go by this operator.
func (m *memories) forget(who account.Resource) (finished bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mem, ok := m.all[who]; ok {
		finished = mem.finished
	}
	delete(m.all, who)
	return finished
}

// meet expects a PATCH of a process that has ended to be under way where that one had begun something.
func (m *memory) meet(res *v1alpha1.MedblocksWebhookEndpoint, now time.Time, inFlight time.Duration) {
	if !m.met && slices.Contains(res.Finalizers, v1alpha1.Finalizer) {
		m.flyingUntil = now.Add(inFlight)
	}
	m.met = true
}

// lost keeps that the answer to a step did not arrive.
func (m *memory) lost(s step, now time.Time, inFlight time.Duration) {
	if s.Update != nil && s.Update.Metadata != nil && s.Action != actionOrphan && s.Action != actionBlankMarks {
		m.flyingUntil, m.lostUntil = now.Add(inFlight), now.Add(inFlight)
	}
}

// longestWaitForCache is how many times in a row a reconcile waits for the cache to show this operator's own writes.
const longestWaitForCache = 8

// isAhead tells whether a read from the cache is older than this operator's last write to the resource. What it would lead to is
// refused as a conflict, after calls for nothing. A cache that does not catch up, as with an API server that was restored from a
// backup, is believed after a while: no safeguard rests on this.
func (m *memory) isAhead(res *v1alpha1.MedblocksWebhookEndpoint) bool {
	older, err := resourceversion.CompareResourceVersion(res.ResourceVersion, m.written)
	return err == nil && older < 0 && m.stale < longestWaitForCache
}

// sighted returns when something was first seen.
func (m *memory) sighted(what string, now time.Time) time.Time {
	if m.longAgo {
		return time.Time{}
	}
	if at, ok := m.sightings[what]; ok {
		return at
	}
	m.sightAt(what, now)
	return now
}

func (m *memory) sightAt(what string, at time.Time) {
	if m.sightings == nil {
		m.sightings = map[string]time.Time{}
	}
	m.sightings[what] = at
}

// sight notes an open intent, and returns when it was first seen.
func (m *memory) sight(i *intent, now time.Time) time.Time {
	if m.nonce != i.Nonce || m.since.IsZero() {
		m.nonce, m.since, m.refused, m.registered = i.Nonce, now, false, ""
	}
	return m.since
}
