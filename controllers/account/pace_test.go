// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"
)

// crowd is who waits for the turn of an account, and in which order they came to it.
type crowd struct {
	pace  *pace
	order chan string
}

// newCrowd has nobody get a turn before the first second is over.
func newCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{pace: newPace(1, 1), order: make(chan string, 100)}
	NewWithT(t).Expect(c.pace.wait(t.Context(), urgent)).To(Succeed())
	c.join(t.Context(), "first", urgent) // waits for the token that is next
	return c
}

// join lets somebody come after all that are there.
func (c *crowd) join(ctx context.Context, name string, who rank) {
	go func() {
		if c.pace.wait(ctx, who) == nil {
			c.order <- name
		}
	}()
	synctest.Wait()
}

func (c *crowd) served(n int) string {
	var names []string
	for range n {
		names = append(names, <-c.order)
	}
	return strings.Join(names, " ")
}

func TestWhoWaitsLongestForAnAccountIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		for _, name := range []string{"a", "b", "c", "d"} {
			c.join(t.Context(), name, urgent)
		}
		NewWithT(t).Expect(c.served(5)).To(Equal("first a b c d"))
	})
}

func TestWhatSomebodyWaitsForPassesPollsAndDoesNotStarveThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.join(t.Context(), "POLL", routine)
		c.join(t.Context(), "SWEEP", routine)
		for range 2*urgentInARow + 1 {
			c.join(t.Context(), "w", urgent)
		}
		NewWithT(t).Expect(c.served(2*urgentInARow + 4)).To(Equal(
			"first" + strings.Repeat(" w", urgentInARow) + " POLL" + strings.Repeat(" w", urgentInARow) + " SWEEP w"))
	})
}

func TestWhoGivesUpHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		hasty, leave := context.WithCancel(t.Context())
		c.join(hasty, "hasty", urgent)
		c.join(t.Context(), "patient", urgent)
		leave()
		synctest.Wait()
		g := NewWithT(t)
		g.Expect(c.served(2)).To(Equal("first patient"))
		g.Expect(c.pace.wait(hasty, urgent)).To(MatchError(context.Canceled))
		c.join(t.Context(), "late", routine)
		g.Expect(c.served(1)).To(Equal("late"))
	})
}

func TestWhoIsCalledWhileGivingUpPassesTheTurnOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		soon, cancel := context.WithTimeout(t.Context(), time.Second) // ends as the first token comes
		defer cancel()
		c.join(soon, "hasty", urgent)
		c.join(t.Context(), "patient", urgent)
		g := NewWithT(t)
		g.Expect(c.served(1)).To(Equal("first"))
		g.Expect(c.served(1)).To(BeElementOf("patient", "hasty"))
		synctest.Wait()
		c.join(t.Context(), "late", routine)
		for <-c.order != "late" { // in a bubble, waiting in vain is a failure
		}
	})
}

// stingy is a vendor that answers limit calls a second and refuses all others.
type stingy struct {
	limit    int
	window   time.Time
	inWindow int
	answered int
	refused  int
}

var errTooMany = errors.New("429")

func (s *stingy) call() error {
	if now := time.Now(); now.Sub(s.window) >= time.Second {
		s.window, s.inWindow = now, 0
	}
	if s.inWindow++; s.inWindow > s.limit {
		s.refused++
		return errTooMany
	}
	s.answered++
	return nil
}

func TestAnAccountFindsAPaceThatTheVendorAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vendor, p := &stingy{limit: 10}, newPace(50, 100)
		const minutes = 10
		for start := time.Now(); time.Since(start) < minutes*time.Minute; {
			NewWithT(t).Expect(p.wait(t.Context(), urgent)).To(Succeed())
			if vendor.call() == nil {
				p.speedUp()
				continue
			}
			p.slowDown()
			<-time.After(time.Second) // Retry-After
		}
		g, allowed := NewWithT(t), vendor.limit*minutes*60
		g.Expect(vendor.answered+vendor.refused).To(BeNumerically("<=", allowed*11/10), "calls")
		g.Expect(vendor.answered).To(BeNumerically(">=", allowed*6/10), "the pace is kept up")
		g.Expect(vendor.refused).To(BeNumerically("<", allowed/20), "refused")
	})
}

func TestAPaceIsWonBackInFull(t *testing.T) {
	g := NewWithT(t)
	p := newPace(10, 20)
	for range 100 {
		p.slowDown()
	}
	g.Expect(p.limiter.Limit()).To(BeEquivalentTo(10 * slowest))
	g.Expect(p.limiter.Burst()).To(Equal(1))
	for range 200 {
		p.speedUp()
	}
	g.Expect(p.limiter.Limit()).To(BeEquivalentTo(10))
	g.Expect(p.limiter.Burst()).To(Equal(20))
}

func TestAnAccountWithoutALimitIsNeverSlow(t *testing.T) {
	p := newPace(1e6, 1e6)
	g := NewWithT(t)
	for range 1000 {
		g.Expect(p.wait(t.Context(), routine)).To(Succeed())
	}
	g.Expect(p.taken).To(BeFalse())
}

// TestASingleRefusalCostsLittle: where the limit is what the account keeps to anyway, and only a full bucket went beyond it.
func TestASingleRefusalCostsLittle(t *testing.T) {
	g := NewWithT(t)
	p := newPace(10, 20)
	p.slowDown()
	g.Expect(p.limiter.Limit()).To(BeEquivalentTo(5))
	for range 6 {
		p.speedUp()
	}
	g.Expect(p.limiter.Limit()).To(BeNumerically(">=", 8))
	for range 40 {
		p.speedUp()
	}
	g.Expect(p.limiter.Limit()).To(BeEquivalentTo(10))
	g.Expect(p.limiter.Burst()).To(Equal(20))
}
