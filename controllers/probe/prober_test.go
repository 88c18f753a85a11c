// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"fmt"
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

func TestAReceiverIsHealthyAfterTwoExpectedAnswersFifteenSecondsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, always(ok))
		target := Target{URL: "https://receiver.example"}
		s.Expect(s.Result(orders, target)).To(BeZero())
		s.Watch(orders, target)
		s.pass(0)
		s.Expect(s.probes()).To(Equal([]time.Duration{0}), "the first one comes at once")
		s.Expect(s.Result(orders, target)).To(Equal(Result{Last: "it answered 200"}))

		s.pass(interval - 1)
		s.Expect(s.probes()).To(HaveLen(1))
		s.pass(1)
		s.Expect(s.probes()).To(HaveLen(2))
		s.Expect(s.Result(orders, target)).To(Equal(Result{Healthy: true, Last: "it answered 200"}))
		s.Expect(s.Result(billing, target)).To(BeZero(), "that is another resource's")
		s.Expect(s.Result(orders, Target{URL: "https://other.example"})).To(BeZero(), "that is another target")

		s.pass(10 * interval)
		s.Expect(s.probes()).To(HaveLen(12), "the verdict does not grow old")
		s.Expect(s.enqueued).To(Equal([]types.NamespacedName{orders, orders}), "nothing new was learned since")
	})
}

func TestTheTimeThatAProbeTakesDoesNotBringTheNextOneCloser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, func(context.Context, int) outcome { <-time.After(4 * time.Second); return ok })
		s.Watch(orders, Target{})
		s.pass(time.Minute)
		s.Expect(s.probes()).To(Equal([]time.Duration{0, 19 * time.Second, 38 * time.Second, 57 * time.Second}))
	})
}

func TestAFailureMakesAHealthyReceiverUnhealthyUntilTwoAnswersInARowAreAsExpected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, inTurn(ok, ok, failing, ok, failing, ok, ok))
		s.Watch(orders, Target{})
		var verdicts []bool
		for range 7 {
			s.pass(0)
			verdicts = append(verdicts, s.Result(orders, Target{}).Healthy)
			s.pass(interval)
		}
		s.Expect(verdicts).To(Equal([]bool{false, true, false, false, false, false, true}))
	})
}

func TestAReceiverThatKeepsFailingIsProbedMoreRarely(t *testing.T) {
	between := func(low, high time.Duration) OmegaMatcher {
		return And(BeNumerically(">=", low), BeNumerically("<=", high))
	}
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, func(_ context.Context, n int) outcome {
			if n == 50 {
				return ok
			}
			return failing
		})
		s.Watch(orders, Target{})
		s.pass(time.Hour)
		var gaps []time.Duration
		for i, at := range s.probes()[1:] {
			gaps = append(gaps, at-s.probes()[i])
		}
		s.Expect(gaps[0]).To(Equal(interval))
		s.Expect(gaps[1]).To(between(27*time.Second, 33*time.Second))
		for _, gap := range gaps[2:49] {
			s.Expect(gap).To(between(54*time.Second, 66*time.Second))
		}
		s.Expect(slices.Compact(slices.Sorted(slices.Values(gaps[2:49])))).To(HaveLen(47), "those that failed together are spread")
		s.Expect(gaps[49]).To(Equal(interval), "after a success")
		s.Expect(gaps[50]).To(Equal(interval), "after the first failure that follows it")
		s.Expect(gaps[51]).To(between(27*time.Second, 33*time.Second))
	})
}

func TestAResourceIsReconciledWhenTheResultChangesAndNotOtherwise(t *testing.T) {
	for name, test := range map[string]struct {
		play    []outcome
		changes int
	}{
		"a verdict, first and last":           {[]outcome{ok}, 2},
		"a failure that goes on":              {[]outcome{failing, failing, failing}, 1},
		"another failure":                     {[]outcome{failing, {words: "it refused the connection"}}, 2},
		"a failure with another cause":        {[]outcome{{words: "a", cause: context.Canceled}, {words: "a", cause: context.DeadlineExceeded}}, 1},
		"another answer of a healthy one":     {[]outcome{ok, ok, {expected: true, words: "it answered 204"}}, 3},
		"a failure in between":                {[]outcome{ok, ok, failing, ok}, 5},
		"a success in between":                {[]outcome{failing, ok, failing}, 3},
		"a recovery":                          {[]outcome{failing, failing, ok}, 3},
		"words that stand for either outcome": {[]outcome{{words: "same"}, {words: "same", expected: true}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := perform(t, inTurn(test.play...))
				s.Watch(orders, Target{})
				s.pass(10 * time.Minute)
				s.Expect(s.probes()).NotTo(BeEmpty())
				s.Expect(s.enqueued).To(HaveLen(test.changes))
			})
		})
	}
}

func TestAProbeThatIsStoppedUnderWayIsCancelledAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := counted(t)
		cancelled := make(chan time.Duration, 1)
		var s *stage
		s = perform(t, func(ctx context.Context, _ int) outcome {
			<-ctx.Done()
			cancelled <- time.Since(s.begin)
			<-time.After(time.Second) // its answer is on the way
			return ok
		})
		s.Watch(orders, Target{})
		s.pass(2 * time.Second)
		s.Stop(orders)
		s.Expect(s.Result(orders, Target{})).To(BeZero())
		s.Stop(orders)
		s.Stop(billing)
		s.pass(time.Hour)
		s.Expect(<-cancelled).To(Equal(2 * time.Second))
		s.Expect(s.probes()).To(HaveLen(1))
		s.Expect(s.enqueued).To(BeEmpty())
		s.Expect(s.Result(orders, Target{})).To(BeZero())
		s.Expect(counted(t)).To(Equal(before))
	})
}

func TestProbingCanBeStoppedBetweenTwoProbesAndBegunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, always(ok))
		s.Watch(orders, Target{})
		s.pass(time.Second)
		s.Stop(orders)
		s.pass(time.Hour)
		s.Expect(s.probes()).To(HaveLen(1))
		s.Watch(orders, Target{})
		s.pass(0)
		s.Expect(s.probes()).To(HaveLen(2))
		s.Expect(s.Result(orders, Target{})).To(Equal(Result{Last: "it answered 200"}), "the success of an hour ago counts for nothing")
	})
}

func TestAnotherTargetIsProbedAnewAndTheSameOneGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, func(ctx context.Context, n int) outcome {
			if n == 3 { // the one that is under way when the target is changed
				<-ctx.Done()
				<-time.After(time.Second)
			}
			return ok
		})
		service := &Service{Namespace: "shop", Name: "orders", Port: 80}
		first := Target{Service: service, ExpectedStatuses: []int32{200, 204}}
		s.Watch(orders, first)
		s.pass(interval)
		same := Target{Service: &Service{Namespace: "shop", Name: "orders", Port: 80, Path: "/"}, ExpectedStatuses: []int32{204, 200}}
		s.Watch(orders, same)
		s.pass(0)
		s.Expect(s.probes()).To(HaveLen(2), "it goes on")
		s.Expect(s.Result(orders, same).Healthy).To(BeTrue())

		s.pass(interval)
		s.Expect(s.probes()).To(HaveLen(3))
		other := Target{Service: service, ExpectedStatuses: []int32{200}}
		s.Watch(orders, other)
		s.Expect(s.Result(orders, first)).To(BeZero())
		s.Expect(s.Result(orders, other).Healthy).To(BeFalse())
		s.pass(2 * time.Second)
		s.Expect(s.probes()).To(HaveLen(4), "at once")
		s.Expect(s.Result(orders, other)).To(Equal(Result{Last: "it answered 200"}), "and not healthy by the answers of the other one")
		s.pass(interval)
		s.Expect(s.Result(orders, other).Healthy).To(BeTrue())
		s.Expect(s.probes()).To(HaveLen(5))
		s.Expect(s.reconciles()).To(Equal(4))
	})
}

func TestATargetThatTheCallerChangesLaterIsProbedAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, always(ok))
		target := Target{Service: &Service{Namespace: "shop", Name: "orders", Port: 80}, ExpectedStatuses: []int32{200}}
		s.Watch(orders, target)
		as := target.clone()
		target.Service.Name, target.ExpectedStatuses[0] = "billing", 503
		s.pass(0)
		s.Expect(s.Result(orders, target)).To(BeZero())
		s.Expect(s.Result(orders, as)).NotTo(BeZero())
	})
}

func TestNotTooManyProbesAreMadeAtOnceAndAllOfThemInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		s := perform(t, func(context.Context, int) outcome {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-time.After(5 * time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return failing
		})
		const fleet = 100
		var all []types.NamespacedName
		for i := range fleet {
			all = append(all, types.NamespacedName{Namespace: "shop", Name: fmt.Sprint(i)})
			s.Watch(all[i], Target{})
		}
		s.pass(19 * time.Second)
		s.Expect(most).To(Equal(32))
		s.Expect(s.probes()).To(HaveLen(fleet), "in four turns of five seconds")
		s.pass(time.Second)
		s.Expect(s.enqueued).To(ConsistOf(all))
		s.pass(time.Hour)
		s.Expect(most).To(Equal(32))
	})
}

func TestWhoWaitsForATurnCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, func(context.Context, int) outcome { <-time.After(5 * time.Second); return ok })
		for i := range probesAtOnce {
			s.Watch(types.NamespacedName{Namespace: "shop", Name: fmt.Sprint(i)}, Target{})
		}
		s.pass(time.Second)
		s.Watch(orders, Target{})
		s.pass(time.Second)
		s.Stop(orders)
		s.pass(4 * time.Second)
		s.Expect(s.probes()).To(HaveLen(probesAtOnce))
	})
}

func TestTheEndWaitsForTheProbesAndNothingIsStartedAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := perform(t, func(ctx context.Context, _ int) outcome {
			<-ctx.Done()
			<-time.After(time.Second)
			return ok
		})
		for i := range 2 * probesAtOnce {
			s.Watch(types.NamespacedName{Namespace: "shop", Name: fmt.Sprint(i)}, Target{})
		}
		s.pass(time.Second)
		s.end()
		s.Expect(time.Since(s.begin)).To(Equal(2*time.Second), "the probes that were under way have ended")
		s.Watch(orders, Target{})
		s.Expect(s.probed).NotTo(HaveKey(orders))
		s.pass(time.Hour)
		s.Expect(s.probes()).To(HaveLen(probesAtOnce))
		s.Expect(s.enqueued).To(BeEmpty())
		s.Expect(s.Result(orders, Target{})).To(BeZero())
		s.Stop(orders)
	})
}

func TestProbingMayBeginBeforeTheManagerStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		var asked []string
		p := New(Options{Clock: clock.RealClock{}, Log: logr.Discard(), Enqueue: func(...types.NamespacedName) {}})
		p.ask = func(_ context.Context, namespace string, _ Target) outcome {
			asked = append(asked, namespace)
			return ok
		}
		p.Watch(orders, Target{})
		synctest.Wait()
		g.Expect(asked).To(Equal([]string{"shop"}), "and its Services are looked for in the namespace of the resource")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		g.Expect(p.Start(ctx)).To(Succeed())
	})
}
