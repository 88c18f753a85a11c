// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

const (
	// settleLimit is how much virtual time a world may need to settle.
	settleLimit = 12 * time.Hour
	// longestStep bounds one move of the clock, so that on a busy machine nobody can miss much; where polls are rarer, they do.
	longestStep = 5 * time.Minute
)

// versions are the names and versions of the objects of a list, in an order of their own.
func versions(list client.ObjectList) string {
	var all []string
	_ = meta.EachListItem(list, func(o k8sruntime.Object) error {
		if object, ok := o.(client.Object); ok {
			all = append(all, object.GetName()+"="+object.GetResourceVersion())
		}
		return nil
	})
	slices.Sort(all)
	return strings.Join(all, " ")
}

// live are the operators that still run and are not paused.
func (w *World) live() []*Operator {
	return slices.DeleteFunc(slices.Clone(w.operators), func(op *Operator) bool { return op.Dead() || op.paused.Load() })
}

// Running is how many operators are neither killed nor stopped.
func (w *World) Running() int { return len(w.live()) }

// Quiesce waits until nothing is under way: everybody waits for the clock, or is dead.
func (w *World) Quiesce() {
	w.T.Helper()
	calm := 0
	// What is under way needs the processor, and what was handed from one goroutine to the next shows a moment later: so
	// the calm has to last.
	err := wait.PollUntilContextTimeout(w.Context(), time.Millisecond, w.patience, true, func(context.Context) (bool, error) {
		everybodyRuns()
		if calm++; !w.idle() {
			calm = 0
		}
		return calm >= 3, nil
	})
	if err != nil {
		w.T.Fatalf("still under way after %s: %s", w.patience, w.stuck())
	}
}

// everybodyRuns returns when every goroutine that was running has been on a processor since. A busy machine takes one away from somebody
// in the midst of work, for longer than a calm lasts; that nothing of it can be seen then says nothing. To stop the world, as reading
// the statistics does, Go has to wait for them all.
func everybodyRuns() {
	var unread runtime.MemStats
	runtime.ReadMemStats(&unread)
}

func (w *World) idle() bool {
	for _, op := range w.live() {
		if !op.idle() {
			return false
		}
	}
	return w.Vendor.Idle()
}

func (w *World) stuck() string {
	var lines []string
	for i, op := range w.operators {
		if op.Dead() {
			continue
		}
		lines = append(lines, fmt.Sprintf("operator %d: queue idle %t, wire idle %t, asleep %t, current %t",
			i+1, op.queue.Load().idle(), op.Wire.idle(), op.sleeper.asleep(), op.isCurrent()))
	}
	stacks := make([]byte, 1<<20)
	return strings.Join(lines, "; ") + "\n" + string(stacks[:runtime.Stack(stacks, true)])
}

// step moves the clock to the next deadline, but not beyond the limit, and waits until what falls due is done.
func (w *World) step(limit time.Time) {
	next := w.Clock.nextDue()
	for _, op := range w.live() {
		if q := op.queue.Load(); q != nil {
			next = earliest(next, q.nextDue())
		}
	}
	now := w.Clock.Now()
	if next.IsZero() || next.After(limit) {
		next = limit
	}
	if next.Before(now) {
		next = now
	}
	if longest := max(longestStep, w.Defaults.DisabledPollInterval); next.Sub(now) > longest {
		next = now.Add(longest)
	}
	w.Clock.moveTo(next)
	for _, op := range w.live() {
		if q := op.queue.Load(); q != nil {
			q.release()
		}
	}
	w.Quiesce()
}

// Advance lets that much virtual time pass, deadline by deadline.
func (w *World) Advance(d time.Duration) {
	w.T.Helper()
	w.Quiesce()
	end := w.Clock.Now().Add(d)
	for w.Clock.Now().Before(end) && len(w.live()) > 0 {
		w.step(end)
	}
	if now := w.Clock.Now(); now.Before(end) {
		w.Clock.moveTo(end)
	}
}

// Settle lets virtual time pass until nothing is left to do: every resource says that it is done or stalled, and nobody
// has written anything for two polls. It returns at once when no operator is left, as after a crash; the result tells
// whether the world has settled.
func (w *World) Settle() bool {
	w.T.Helper()
	w.Quiesce()
	limit := w.Clock.Now().Add(settleLimit)
	writes, since := w.active.Load(), w.Clock.Now()
	for {
		if len(w.live()) == 0 {
			return false
		}
		if now := w.active.Load(); now != writes {
			writes, since = now, w.Clock.Now()
		}
		if w.Clock.Now().Sub(since) >= 2*w.Defaults.PollInterval+time.Minute && w.Resting() {
			return true
		}
		if !w.Clock.Now().Before(limit) {
			w.T.Fatalf("not settled after %s:\n%s", settleLimit, w.Show())
		}
		w.step(limit)
	}
}

// Resting tells whether no resource waits for the operator, by what its status says.
func (w *World) Resting() bool {
	for _, res := range w.Resources() {
		switch {
		case res.Status.ObservedGeneration != res.Generation && res.DeletionTimestamp.IsZero():
			return false
		case isRedelivering(&res):
			return false
		case meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReconciling):
			return false
		case !res.DeletionTimestamp.IsZero() && !meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionStalled):
			return false
		}
	}
	return true
}

// isRedelivering tells whether events are still to be redelivered, now or at the next try.
func isRedelivering(res *Resource) bool {
	is := res.Status.Redelivery
	return is != nil && (is.State == v1alpha1.RedeliveryRunning || is.State == v1alpha1.RedeliveryWaiting)
}
