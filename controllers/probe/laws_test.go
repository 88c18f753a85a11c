// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

// lived is one probe.
type lived struct {
	begun, ended time.Duration
	outcome      outcome
}

// TestEveryVerdictIsEarned plays receivers at random that are slow, change their minds and are stopped and watched at any time.
func TestEveryVerdictIsEarned(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playAtRandom(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func playAtRandom(t *testing.T, random *rand.Rand) {
	g := NewWithT(t)
	var (
		mu     sync.Mutex // of all that follows, and of random
		probes []lived
		told   []Result // between two zero ones, what was told of one target
	)
	until := func(limit time.Duration) <-chan time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.After(time.Duration(random.Int64N(int64(limit))))
	}
	begin := time.Now()
	p := New(Options{Clock: clock.RealClock{}, Log: logr.Discard()})
	p.opts.Enqueue = func(...types.NamespacedName) { told = append(told, p.probed[orders].result) } // under the prober's lock
	p.ask = func(ctx context.Context, _ string, _ Target) outcome {
		begun := time.Since(begin)
		select {
		case <-ctx.Done():
			return ok
		case <-until(timeLimit):
		}
		mu.Lock()
		defer mu.Unlock()
		ended := []outcome{ok, ok, ok, failing, {words: "it refused the connection"}}[random.IntN(5)]
		probes = append(probes, lived{begun, time.Since(begin), ended})
		return ended
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Start(ctx) }()
	defer func() {
		cancel()
		g.Expect(<-done).To(Succeed())
	}()
	p.Watch(orders, Target{})
	first := 0 // of the probes of this target
	for range 200 {
		<-until(20 * time.Second)
		synctest.Wait()
		mu.Lock()
		expectEarned(g, p.Result(orders, Target{}), probes[first:])
		another := random.IntN(20) == 0
		mu.Unlock()
		if another {
			p.Stop(orders)
			g.Expect(p.Result(orders, Target{})).To(BeZero())
			synctest.Wait() // until the probe that was under way has ended
			first, told = len(probes), append(told, Result{})
			p.Watch(orders, Target{})
		}
	}
	for i, result := range told[1:] {
		g.Expect(result == Result{} || result != told[i]).To(BeTrue(), "%+v was told twice", result)
	}
}

// expectEarned holds a result against the probes since the receiver was watched.
func expectEarned(g Gomega, result Result, probes []lived) {
	if len(probes) == 0 {
		g.Expect(result).To(BeZero())
		return
	}
	for i := range probes[1:] {
		pause := probes[i+1].begun - probes[i].ended
		g.Expect(pause).To(And(BeNumerically(">=", 15*time.Second), BeNumerically("<=", 66*time.Second)))
	}
	last := probes[len(probes)-1]
	g.Expect(result.Last).To(Equal(last.outcome.words))
	earned := len(probes) >= 2 && last.outcome.expected && probes[len(probes)-2].outcome.expected
	g.Expect(result.Healthy).To(Equal(earned))
}

// TestNothingIsHeardOfAReceiverAfterItsProbingWasStopped races answers against Stop.
func TestNothingIsHeardOfAReceiverAfterItsProbingWasStopped(t *testing.T) {
	g := NewWithT(t)
	var stopped sync.Map
	var heard, late atomic.Int64
	p := New(Options{Clock: clock.RealClock{}, Log: logr.Discard(), Enqueue: func(resources ...types.NamespacedName) {
		for _, who := range resources {
			heard.Add(1)
			if _, is := stopped.Load(who); is {
				late.Add(1)
			}
		}
	}})
	p.ask = func(context.Context, string, Target) outcome { return ok }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Start(ctx) }()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 200 {
				who := types.NamespacedName{Namespace: "shop", Name: fmt.Sprintf("%d-%d", worker, i)}
				p.Watch(who, Target{})
				p.Watch(who, Target{URL: "https://another.example"})
				for range i % 10 {
					runtime.Gosched()
				}
				p.Result(who, Target{})
				p.Stop(who)
				stopped.Store(who, true)
			}
		})
	}
	wg.Wait()
	g.Eventually(heard.Load).Should(BeNumerically(">", 0), "or this tests nothing")
	cancel()
	g.Expect(<-done).To(Succeed())
	g.Expect(late.Load()).To(BeZero())
}
