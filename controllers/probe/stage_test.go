// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
)

var (
	orders  = types.NamespacedName{Namespace: "shop", Name: "orders"}
	billing = types.NamespacedName{Namespace: "shop", Name: "billing"}
)

// stage is a prober whose receivers are played, in a time that passes only while everybody waits (testing/synctest).
type stage struct {
	*WithT
	*Prober
	begin time.Time

	mu       sync.Mutex
	play     func(ctx context.Context, n int) outcome // the n-th probe, from 1 on
	asked    []time.Duration                          // when each probe began, since the beginning
	enqueued []types.NamespacedName
	end      func() // ends the prober and waits for it
}

// perform begins with a prober that runs. It must be called in a bubble; what is left running at its end fails the test.
func perform(t *testing.T, play func(ctx context.Context, n int) outcome) *stage {
	t.Helper()
	s := &stage{WithT: NewWithT(t), begin: time.Now(), play: play}
	s.Prober = New(Options{Clock: clock.RealClock{}, Log: logr.Discard(), Enqueue: func(who ...types.NamespacedName) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.enqueued = append(s.enqueued, who...)
	}})
	s.ask = func(ctx context.Context, _ string, _ Target) outcome {
		s.mu.Lock()
		s.asked = append(s.asked, time.Since(s.begin))
		n := len(s.asked)
		s.mu.Unlock()
		return s.play(ctx, n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Start(ctx) }()
	s.end = sync.OnceFunc(func() {
		cancel()
		s.Expect(<-ended).To(Succeed())
	})
	t.Cleanup(s.end)
	return s
}

// always plays the same answer at once.
func always(ended outcome) func(context.Context, int) outcome {
	return func(context.Context, int) outcome { return ended }
}

// inTurn plays one answer after another at once, and the last one again and again.
func inTurn(ended ...outcome) func(context.Context, int) outcome {
	return func(_ context.Context, n int) outcome { return ended[min(n, len(ended))-1] }
}

// pass lets time pass, and everything happen that is due by then.
func (s *stage) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (s *stage) probes() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func (s *stage) reconciles() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.enqueued)
}
