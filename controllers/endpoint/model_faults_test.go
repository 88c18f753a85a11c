// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"errors"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// fault is what becomes of one write.
type fault int

const (
	noFault     fault = iota
	lostAnswer        // it takes effect, and fails for the caller
	fails             // it does nothing
	slowDown          // it is refused with 429
	lateAnswer        // it fails for the caller and takes effect later, within the time that a call may be in flight
	crashBefore       // the operator dies before it
	crashAfter        // the operator dies after it
	crashDuring       // the operator dies, and it takes effect later
	faultKinds
)

var errCrash = errors.New("the operator died")

// write is one write to Kubernetes. It is never late: the API server has an optimistic lock against that.
func (m *model) write(effect func()) error {
	m.writes++
	switch m.faults[m.writes] {
	case fails, slowDown, lateAnswer:
		return errStale
	case crashBefore, crashDuring:
		return errCrash
	case lostAnswer, crashAfter:
		effect()
		return errCrash // without the answer a reconcile ends as if it had died
	default:
		effect()
		return nil
	}
}

// call is one write to Medblocks.
func (m *model) call(a action, effect func()) error {
	if m.clock.Now().Before(m.pausedUntil) {
		return &vendorError{action: a, err: &account.PausedError{Until: m.pausedUntil}}
	}
	m.writes++
	m.counts[a]++
	m.pass(time.Second)
	unclear := &vendorError{action: a, err: &medblocks.APIError{StatusCode: 502}}
	switch m.faults[m.writes] {
	case lostAnswer:
		effect()
		return unclear
	case fails:
		return unclear
	case slowDown:
		m.pausedUntil = m.clock.Now().Add(10 * time.Second)
		return &vendorError{action: a, err: &medblocks.APIError{StatusCode: 429, Envelope: true}}
	case lateAnswer:
		m.takesEffectLate(effect)
		return unclear
	case crashBefore:
		return errCrash
	case crashAfter:
		effect()
		return errCrash
	case crashDuring:
		m.takesEffectLate(effect)
		return errCrash
	default:
		effect()
		return nil
	}
}

func (m *model) takesEffectLate(effect func()) {
	in := time.Duration(m.rng.Int64N(int64(modelFlight)))
	m.late = append(m.late, lateEffect{at: m.clock.Now().Add(in), effect: effect})
}
