// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

const (
	// maxCrowd is how many resources may wait for an account's calls with a worker each. The others stand in line without one: an
	// account with ten thousand resources to register must not keep the workers from those of other accounts.
	maxCrowd = 4
	// longestTurn is how far ahead a turn is promised: by then the line may be shorter, or the pace another one.
	longestTurn = 30 * time.Second
	// placeKept is how long the place of a resource is kept that does not come back when it is its turn.
	placeKept = time.Minute
)

// line is the order in which the resources of an account are served that have to wait: who came first is first.
type line struct {
	places map[Resource]*place
	inTurn []*place
	last   int64
}

// place is one resource's in the line.
type place struct {
	who    Resource
	number int64
	// due is when the resource was told to come back. Who does not, long after that, has lost its place: nobody else must wait for it.
	due time.Time
}

func byNumber(p *place, number int64) int { return cmp.Compare(p.number, number) }

// join gives a resource the last place in the line, unless it has one.
func (l *line) join(who Resource) *place {
	if is, has := l.places[who]; has {
		return is
	}
	if l.places == nil {
		l.places = map[Resource]*place{}
	}
	l.last++
	is := &place{who: who, number: l.last}
	l.places[who] = is
	l.inTurn = append(l.inTurn, is)
	return is
}

func (l *line) leave(who Resource) {
	is, has := l.places[who]
	if !has {
		return
	}
	delete(l.places, who)
	if at, found := slices.BinarySearchFunc(l.inTurn, is.number, byNumber); found {
		l.inTurn = slices.Delete(l.inTurn, at, at+1)
	}
}

// ahead is how many are before a resource: all of them, if it has no place yet.
func (l *line) ahead(who Resource, now time.Time) int {
	for len(l.inTurn) > 0 && now.After(l.inTurn[0].due.Add(placeKept)) {
		l.leave(l.inTurn[0].who)
	}
	is, has := l.places[who]
	if !has {
		return len(l.inTurn)
	}
	at, _ := slices.BinarySearchFunc(l.inTurn, is.number, byNumber)
	return at
}

// Turn is when a resource may call Medblocks.
type Turn struct {
	// At is zero where it may at once. Otherwise that is the earliest moment at which it is worth asking again.
	At time.Time
	// Asked: the vendor has asked the account to slow down (429).
	Asked bool
}

// Turn tells when it is a resource's turn, without a call.
func (a *Account) Turn(who Resource) Turn {
	crowd := a.pace.crowd()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.turn(who, crowd)
}

// turn promises what the full pace allows. Where the pace is slower right now, it may have been won back by then; if not, the resource
// gets another promise.
func (a *Account) turn(who Resource, crowd int) Turn {
	now := a.clock.Now()
	turn := Turn{Asked: now.Before(a.pausedUntil)}
	ahead := a.line.ahead(who, now) + crowd
	if turn.Asked {
		turn.At = a.pausedUntil
	}
	if ahead >= maxCrowd {
		wait := min(time.Duration(float64(ahead)/float64(a.pace.full)*float64(time.Second)), longestTurn)
		turn.At = later(turn.At, now).Add(wait)
	}
	return turn
}

// LineUp has a resource that has to wait keep its place, and returns its turn.
func (a *Account) LineUp(who Resource) Turn {
	crowd := a.pace.crowd()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.users.has(who) {
		return a.turn(who, crowd)
	}
	is := a.line.join(who)
	is.due = a.clock.Now() // or it would count as lost right now
	turn := a.turn(who, crowd)
	is.due = later(turn.At, is.due)
	return turn
}

// LeaveLine gives a resource's place up, because it was served, or does not want anything any more.
func (a *Account) LeaveLine(who Resource) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.line.leave(who)
}

// MustWait tells whether a call failed because the account has to slow down.
func MustWait(err error) bool {
	var paused *PausedError
	return errors.As(err, &paused) || medblocks.IsRateLimited(err)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
