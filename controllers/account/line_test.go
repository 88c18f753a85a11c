// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/medblocks/webhook-operator/test/emulator"
)

func numbered(i int) Resource { return Resource{Namespace: "shop", Name: fmt.Sprint(i)} }

// newQueue is an account that may make ten calls a second, with so many resources in line.
func newQueue(waiting int) (*Account, *clocktesting.FakeClock) {
	clock := clocktesting.NewFakeClock(testTime)
	a := newAccount("v1:x", nil, Options{QPS: 10, Burst: 20, Clock: clock}, nil)
	for i := range waiting + 10 {
		a.users.add(numbered(i))
	}
	for i := range waiting {
		a.LineUp(numbered(i))
	}
	return a, clock
}

func TestWhoStandsInLineIsServedInTheOrderOfComing(t *testing.T) {
	g := NewWithT(t)
	a, _ := newQueue(100)
	for i := range maxCrowd {
		g.Expect(a.Turn(numbered(i))).To(BeZero(), "the first ones may call at once")
	}
	g.Expect(a.Turn(numbered(10)).At).To(Equal(testTime.Add(time.Second)), "ten are before it, at ten calls a second")
	g.Expect(a.Turn(numbered(50)).At).To(Equal(testTime.Add(5 * time.Second)))
	g.Expect(a.Turn(numbered(105)).At).To(Equal(testTime.Add(10*time.Second)), "who comes now comes last")

	for i := range 10 {
		a.LeaveLine(numbered(i))
	}
	g.Expect(a.Turn(numbered(10))).To(BeZero())
	a.LineUp(numbered(0))
	g.Expect(a.Turn(numbered(0)).At).To(Equal(testTime.Add(9*time.Second)), "who was served stands last again")
}

func TestATurnIsPromisedForAWhileOnly(t *testing.T) {
	a, _ := newQueue(10_000)
	NewWithT(t).Expect(a.Turn(numbered(9_999)).At).To(Equal(testTime.Add(longestTurn)))
}

func TestWhileMedblocksAsksForAPauseNobodyCallsAndThenOneAfterAnother(t *testing.T) {
	g := NewWithT(t)
	a, clock := newQueue(40)
	a.pause(testTime.Add(time.Minute))
	g.Expect(a.Turn(numbered(0))).To(Equal(Turn{At: testTime.Add(time.Minute), Asked: true}))
	g.Expect(a.Turn(numbered(20))).To(Equal(Turn{At: testTime.Add(62 * time.Second), Asked: true}))
	clock.Step(time.Minute)
	g.Expect(a.Turn(numbered(0))).To(BeZero())
}

func TestWithoutAnybodyWaitingEverybodyMayCall(t *testing.T) {
	a, _ := newQueue(0)
	NewWithT(t).Expect(a.Turn(numbered(0))).To(BeZero())
}

func TestWorkersThatWaitForTheAccountCountAsBeforeWhoeverComes(t *testing.T) {
	g := NewWithT(t)
	a, _ := newQueue(0)
	g.Expect(a.pace.line(t.Context(), urgent)).To(Succeed())
	for range maxCrowd {
		go func() { _ = a.pace.wait(t.Context(), urgent) }()
	}
	g.Eventually(a.pace.crowd).Should(Equal(maxCrowd))
	g.Expect(a.Turn(numbered(0)).At).To(Equal(testTime.Add(maxCrowd * 100 * time.Millisecond)))
	a.pace.pass()
}

func TestAResourceThatDoesNotUseTheAccountHasNoPlaceInItsLine(t *testing.T) {
	g := NewWithT(t)
	a, _ := newQueue(0)
	a.LineUp(numbered(1_000))
	g.Expect(a.line.places).To(BeEmpty())
	g.Expect(a.line.inTurn).To(BeEmpty())
}

// TestWhoDoesNotComeBackLosesItsPlace: what the operator forgets to give up, or what is stuck, must not stop all others for good.
func TestWhoDoesNotComeBackLosesItsPlace(t *testing.T) {
	g := NewWithT(t)
	a, clock := newQueue(20)
	clock.Step(longestTurn)
	for i := maxCrowd; i < 20; i++ {
		a.LineUp(numbered(i))
	}
	g.Expect(a.Turn(numbered(maxCrowd)).At).NotTo(BeZero(), "the first ones are waited for")
	clock.Step(placeKept)
	g.Expect(a.Turn(numbered(maxCrowd)).At).To(BeZero())
	g.Expect(a.line.inTurn).To(HaveLen(20 - maxCrowd))
	g.Expect(a.line.places).To(HaveLen(20 - maxCrowd))
}

func TestWhoLeavesForAnotherAccountLeavesTheLine(t *testing.T) {
	g := NewWithT(t)
	secrets := &keySecrets{keys: map[string]string{"s": "mb_sk_sbx_one"}}
	r := newRegistry(t, emulator.New(emulator.Options{}), secrets)
	who, ref := Resource{Namespace: "shop", Name: "orders"}, KeyRef{Namespace: "shop", Name: "s", Key: "key"}
	first, err := r.Use(t.Context(), who, ref)
	g.Expect(err).NotTo(HaveOccurred())
	g.Eventually(first.isAccepted).WithTimeout(10 * time.Second).Should(BeTrue())
	first.LineUp(who)
	other := KeyRef{Namespace: "shop", Name: "other", Key: "key"}
	secrets.set("other", "mb_sk_sbx_two")
	second, err := r.Use(t.Context(), who, other)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(first.line.places).To(BeEmpty())

	second.LineUp(who)
	r.LeaveLine(who)
	g.Expect(second.line.places).To(BeEmpty())
}

func TestALineIsWhatASearchWouldFind(t *testing.T) {
	g := NewWithT(t)
	var l line
	var order []Resource
	for range 20_000 {
		who := numbered(rand.IntN(50))
		at := slices.Index(order, who)
		if rand.IntN(2) == 0 {
			l.join(who).due = testTime
			if at < 0 {
				order = append(order, who)
			}
		} else {
			l.leave(who)
			if at >= 0 {
				order = slices.Delete(order, at, at+1)
			}
		}
		someone := numbered(rand.IntN(50))
		want := slices.Index(order, someone)
		if want < 0 {
			want = len(order)
		}
		g.Expect(l.ahead(someone, testTime)).To(Equal(want))
	}
}

func BenchmarkALineOfTenThousand(b *testing.B) {
	a, _ := newQueue(10_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		who := numbered(i % 10_000)
		a.LeaveLine(who)
		a.LineUp(who)
	}
}
