// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
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
)

// line is the order in which the resources of an account are served that have to wait: who came first is first.
type line struct {
	tickets map[Resource]int64
	sorted  []int64 // the tickets that are held
	last    int64
}

// join gives a resource the last place in the line, unless it has one.
func (l *line) join(who Resource) {
	if _, has := l.tickets[who]; has {
		return
	}
	if l.tickets == nil {
		l.tickets = map[Resource]int64{}
	}
	l.last++
	l.tickets[who] = l.last
	l.sorted = append(l.sorted, l.last)
}

func (l *line) leave(who Resource) {
	ticket, has := l.tickets[who]
	if !has {
		return
	}
	delete(l.tickets, who)
	if at, found := slices.BinarySearch(l.sorted, ticket); found {
		l.sorted = slices.Delete(l.sorted, at, at+1)
	}
}

// ahead is how many are before a resource: all of them, if it has no place yet.
func (l *line) ahead(who Resource) int {
	ticket, has := l.tickets[who]
	if !has {
		return len(l.sorted)
	}
	at, _ := slices.BinarySearch(l.sorted, ticket)
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
	now, crowd, perSecond := a.clock.Now(), a.pace.crowd(), a.pace.perSecond()
	a.mu.Lock()
	defer a.mu.Unlock()
	turn := Turn{Asked: now.Before(a.pausedUntil)}
	ahead := a.line.ahead(who) + crowd
	if turn.Asked {
		turn.At = a.pausedUntil
	}
	if ahead >= maxCrowd {
		wait := min(time.Duration(float64(ahead)/perSecond*float64(time.Second)), longestTurn)
		turn.At = later(turn.At, now).Add(wait)
	}
	return turn
}

// LineUp has a resource that has to wait keep its place, and returns its turn.
func (a *Account) LineUp(who Resource) Turn {
	a.mu.Lock()
	if a.users.has(who) {
		a.line.join(who)
	}
	a.mu.Unlock()
	return a.Turn(who)
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
