// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// maxReconciles bounds how many reconciles a resource takes to settle, whatever happens to it: far more than any takes.
const maxReconciles = 80

// enoughQuiet reconciles in a row that did nothing, each after what it waited for, are taken for the end.
const enoughQuiet = 4

// enoughWithoutList is how many are enough where no list comes meanwhile, which would show what happened at Medblocks.
const enoughWithoutList = 25

// pollInterval is the time between two lists of the account.
const pollInterval = 5 * time.Minute

// reconcile is one reconcile, and the passing of time until the next one. It tells whether anything was written.
func (m *model) reconcile() (last plan, quiet bool, err error) {
	before := m.writes
	w := m.observe()
	p, err := m.settle(w)
	switch {
	case errors.Is(err, errCrash):
		m.die()
		m.pass(time.Second)
		return p, false, nil
	case errors.Is(err, errStale), errors.Is(err, errSecretMoved):
		m.pass(staleRetry)
		return p, false, nil
	case p.Done:
		m.gone = true
		return p, true, nil
	}
	_, failure, err := m.judge.judge(w, err)
	if err != nil && failure == nil {
		return p, false, err
	}
	changed := false
	if !isQuiet(p) || failure != nil {
		if changed, err = m.conclude(w, p, failure); errors.Is(err, errCrash) {
			m.die()
		}
	}
	if err == nil && failure == nil {
		m.runErrands(p)
	}
	m.wait(p, failure)
	return p, !changed && m.writes == before, nil
}

// settle plans and acts like the operator's own settle.
func (m *model) settle(w *work) (p plan, err error) {
	plan := makePlan
	if !w.res.DeletionTimestamp.IsZero() {
		plan = makeDeletionPlan
	}
	for range maxRounds {
		p = plan(w.res, w.obs, m.clock.Now())
		if err := m.check(w, p); err != nil {
			return p, err
		}
		w.note(p)
		if p.Released != "" {
			m.released = true
		}
		if p.Needs.any() {
			if err := m.deepen(w, p.Needs); err != nil {
				return p, err
			}
			continue
		}
		if m.readOnly {
			p.withhold(w.res)
		}
		if len(p.Steps) == 0 {
			return p, nil
		}
		if id, again := w.repeats(p.Steps); again {
			if id != "" && !w.reread[id] {
				w.reread[id] = true
				delete(w.obs.live, id)
				continue
			}
			h := transient(v1alpha1.ReasonAPIUnavailable, "planned again and again: %s", describe(p))
			h.Wake = m.clock.Now().Add(unsettledRetry)
			p.Steps, p.Holds = nil, append([]hold{*h}, p.Holds...)
			p.wakeAt(h.Wake)
			return p, nil
		}
		for _, s := range p.Steps {
			if err := m.perform(w, s); err != nil {
				return p, err
			}
		}
	}
	return p, fmt.Errorf("no end after %d rounds: %s", maxRounds, describe(p))
}

// wait lets the time pass until something falls due, and has the account listed as its poller does.
func (m *model) wait(p plan, failure *hold) {
	holds := p.Holds
	if failure != nil {
		holds = append(slices.Clone(holds), *failure)
	}
	var wake time.Time // a rotation that falls due one day is not waited for
	for _, h := range holds {
		if !h.Wake.IsZero() && (wake.IsZero() || h.Wake.Before(wake)) {
			wake = h.Wake
		}
	}
	if is := m.res.Status.Redelivery; is != nil && is.NextTry != nil && wake.IsZero() {
		wake = is.NextTry.Time
	}
	switch now := m.clock.Now(); {
	case slices.ContainsFunc(holds, func(h hold) bool { return h.NeedsList }):
		m.pass(time.Second)
		m.list()
		return
	case failure != nil && wake.IsZero() && failure.Progress == working:
		m.pass(5 * time.Second)
	case wake.After(now):
		m.pass(wake.Sub(now))
	default:
		m.pass(pollInterval)
	}
	if m.clock.Now().Sub(m.snapshot.listedAt) >= pollInterval && !m.clock.Now().Before(m.pausedUntil) {
		m.list()
	}
}

// run reconciles until nothing happens any more, with what happens to the resource in between.
func (m *model) run(adversary map[int]func()) (plan, error) {
	quietSince := m.clock.Now()
	quiet, last := 0, slices.Max(append(slices.Collect(maps.Keys(adversary)), 0))
	for k := range maxReconciles {
		if happens, ok := adversary[k]; ok {
			happens()
		}
		listed := m.snapshot.listedAt
		p, idle, err := m.reconcile()
		if err != nil {
			return p, err
		}
		if m.gone {
			return p, nil
		}
		if quiet++; !idle || len(m.late) > 0 || k <= last {
			quiet, quietSince = 0, m.clock.Now()
		}
		if quiet >= enoughWithoutList || (quiet >= enoughQuiet && listed.After(quietSince)) {
			return p, nil
		}
	}
	return plan{}, fmt.Errorf("not settled after %d reconciles", maxReconciles)
}

// ours are the endpoints of the key's workspace that carry the resource's owner mark.
func (m *model) ours() (ours []*medblocks.Endpoint) {
	for _, e := range m.here() {
		if e.Metadata[v1alpha1.MarkOwner] == testOwner {
			ours = append(ours, e)
		}
	}
	return ours
}

// verify is what has to hold once a resource has settled.
func (m *model) verify(p plan) error {
	if err := m.verifyOthers(); err != nil {
		return err
	}
	if posts := m.counts[actionRegister]; posts > m.bound(1) {
		return fmt.Errorf("%d POSTs with %d faults", posts, len(m.faults))
	}
	if rotations := m.counts[actionRotate]; rotations > m.bound(2) {
		return fmt.Errorf("%d rotations with %d faults", rotations, len(m.faults))
	}
	switch {
	case m.gone:
		return m.verifyGone()
	case len(p.Holds) > 0 && (m.blocked || m.res.Observes() || slices.ContainsFunc(p.Holds, m.isTrue)):
		return nil
	case len(p.Holds) > 0:
		return fmt.Errorf("stays at %q, although nothing stands in the way", p.Holds[0].Message)
	case m.res.DeletionTimestamp != nil:
		return errors.New("the deletion does not end")
	case m.readOnly || m.res.Spec.Suspend:
		return nil
	case m.res.Observes():
		return m.verifyObserved(p)
	}
	return m.verifyReady(p)
}

// bound is how often something may be done that has to be done so often without faults, changes and a rotation interval.
func (m *model) bound(times int) int {
	return times + len(m.faults) + len(m.told) + maxReconciles/enoughQuiet/10
}

func (m *model) verifyOthers() error {
	for id, was := range m.others {
		var is *medblocks.Endpoint
		for _, home := range m.endpoints {
			if e, known := home[id]; known {
				is = e
			}
		}
		if is == nil || !projectionOf(is).equal(projectionOf(&was.endpoint)) || is.Status != was.endpoint.Status || m.inForce[id] != was.secret {
			return fmt.Errorf("endpoint %s is somebody else's and was touched: %+v", id, is)
		}
	}
	for name, s := range m.secrets {
		if !s.view.owned && string(s.view.value) != "theirs" {
			return fmt.Errorf("secret %s is somebody else's and was touched", name)
		}
	}
	return nil
}

func (d desired) equal(other desired) bool { return d.hash() == other.hash() }

// verifyReady: one endpoint with our mark, as the spec wants it, and the Secret holds what it signs with.
func (m *model) verifyReady(p plan) error {
	ours := m.ours()
	if len(ours) != 1 || ours[0].ID != p.EndpointID || m.res.Status.EndpointID != p.EndpointID {
		return fmt.Errorf("%d endpoints carry the mark, the plan is about %q and the status about %q", len(ours), p.EndpointID, m.res.Status.EndpointID)
	}
	e, want := clone(ours[0]), desiredOf(m.res, testOwner)
	if strings.HasSuffix(e.URL, "/") && m.normalises {
		e.URL = want.URL
	}
	if !projectionOf(&e).equal(want) {
		return fmt.Errorf("the endpoint is %+v, wanted is %+v", projectionOf(&e), want)
	}
	if m.res.WantsDisabled() == (e.Status == medblocks.EndpointStatusActive) {
		return fmt.Errorf("the endpoint is %s", e.Status)
	}
	s, exists := m.secrets[m.res.SigningSecretName()]
	if !exists || !s.view.holds(e.Metadata[v1alpha1.MarkSecretGeneration]) || string(s.view.value) != m.inForce[e.ID] {
		return errors.New("the Secret does not hold the secret in force")
	}
	if s.view.endpointID != e.ID || s.hidden {
		return errors.New("the Secret does not name the endpoint, or is not labelled")
	}
	for name, other := range m.secrets {
		if other.view.owned && name != s.view.name {
			return fmt.Errorf("the Secret %s is left", name)
		}
	}
	if !slices.Contains(m.res.Finalizers, v1alpha1.Finalizer) {
		return errors.New("the finalizer is missing")
	}
	return m.verifyRedelivered()
}

// verifyRedelivered: nothing is left to be redelivered to a receiver that accepts it.
func (m *model) verifyRedelivered() error {
	is := m.res.Status.Redelivery
	if is == nil || m.errands.down || is.State == v1alpha1.RedeliveryCompleted || is.State == v1alpha1.RedeliveryStopped {
		return nil
	}
	return fmt.Errorf("the redelivery stays %s", is.State)
}

// verifyGone: nothing of ours is left, except what was to be left.
func (m *model) verifyGone() error {
	if m.released || m.stripped {
		return nil
	}
	m.pass(modelFlight) // nothing that was in flight may undo it
	for _, e := range m.ours() {
		if incarnation := e.Metadata[v1alpha1.MarkIncarnation]; incarnation == "" || types.UID(incarnation) == m.res.UID {
			return fmt.Errorf("endpoint %s is left", e.ID)
		}
	}
	for name, s := range m.secrets {
		if s.view.owned && !m.res.OrphansEndpoint() {
			return fmt.Errorf("secret %s is left", name)
		}
	}
	return nil
}
