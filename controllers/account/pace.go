// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/time/rate"
)

// rank says who goes first where several wait for an account's turn.
type rank int

const (
	// urgent are the calls that somebody waits for: writes, what is read before them, and lists that a resource needs.
	urgent rank = iota
	// routine are the polls, and what is done in the background: one call at a time, so that a poll has to wait for one more at most.
	routine
	ranks
)

// urgentInARow is how many urgent calls may go before a routine one that waits: polls must not starve either, because they are
// what notices a silent disable.
const urgentInARow = 9

// slowest is the part of its full pace that an account keeps however often the vendor asks it to slow down.
const slowest = 0.05

// How an answered call wins pace back: soon up to near the pace that was refused last, slowly from there, where the limit may be, and
// sooner again beyond it, where it is not.
const (
	near      = 0.8
	upToNear  = 0.05  // of the pace that was refused, per call
	fromThere = 0.005 // of the same
	beyond    = 0.02  // of the present pace
)

// pace is the token bucket of an account. Within a rank, who came first goes first. A 429 halves the pace, down to one call at a
// time, and every call that is answered wins a little of it back: so an account settles below a limit that the vendor does not
// publish, where a full bucket after every pause would run into it each time.
type pace struct {
	limiter *rate.Limiter
	full    rate.Limit
	burst   int

	mu      sync.Mutex
	taken   bool                   // somebody waits for the next token; everybody else waits for them
	waiting [ranks][]chan struct{} // in the order of their coming
	inARow  int                    // how many urgent ones have gone before a routine one that waits
	refused rate.Limit             // the pace at which the vendor refused a call last, or beyond
}

func newPace(qps float64, burst int) *pace {
	return &pace{limiter: rate.NewLimiter(rate.Limit(qps), burst), full: rate.Limit(qps), burst: burst}
}

// wait returns when it is the caller's turn to make one call, or with an error when the context ends before that.
func (p *pace) wait(ctx context.Context, who rank) error {
	if err := p.line(ctx, who); err != nil {
		return err
	}
	defer p.pass()
	return p.limiter.Wait(ctx)
}

// line waits until the caller is the one that gets the next token.
func (p *pace) line(ctx context.Context, who rank) error {
	p.mu.Lock()
	if !p.taken {
		p.taken = true
		p.mu.Unlock()
		return nil
	}
	called := make(chan struct{})
	p.waiting[who] = append(p.waiting[who], called)
	p.mu.Unlock()
	select {
	case <-called:
		return nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	at := slices.Index(p.waiting[who], called)
	if at >= 0 {
		p.waiting[who] = slices.Delete(p.waiting[who], at, at+1)
	}
	p.mu.Unlock()
	if at < 0 {
		p.pass() // called at the very moment of giving up
	}
	return ctx.Err()
}

// pass calls the next one.
func (p *pace) pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := urgent
	switch anyUrgent, anyRoutine := len(p.waiting[urgent]) > 0, len(p.waiting[routine]) > 0; {
	case !anyUrgent && !anyRoutine:
		p.taken = false
		return
	case !anyRoutine:
		p.inARow = 0
	case !anyUrgent || p.inARow == urgentInARow:
		who, p.inARow = routine, 0
	default:
		p.inARow++
	}
	called := p.waiting[who][0]
	p.waiting[who] = slices.Delete(p.waiting[who], 0, 1)
	close(called)
}

// crowd is how many wait for their turn whom somebody waits for in turn.
func (p *pace) crowd() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting[urgent])
}

// slowDown is what a 429 asks for.
func (p *pace) slowDown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = p.limiter.Limit()
	p.limiter.SetLimit(max(p.refused/2, p.full*slowest))
	p.limiter.SetBurst(1)
}

// speedUp is what an answered call earns.
func (p *pace) speedUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := p.limiter.Limit()
	switch {
	case is >= p.full:
		return
	case is < p.refused*near:
		is += p.refused * upToNear
	case is < p.refused:
		is += p.refused * fromThere
	default:
		is += is * beyond
		p.refused = is
	}
	p.limiter.SetLimit(min(is, p.full))
	if is >= p.full {
		p.limiter.SetBurst(p.burst)
	}
}
