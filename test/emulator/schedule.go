// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"container/heap"
	"time"
)

// RetryDelays are the documented delays before attempt 1…9 of an event [doc].
func RetryDelays() []time.Duration {
	return []time.Duration{
		0, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 12 * time.Hour,
		24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
	}
}

var (
	retryDelays = RetryDelays()
	maxAttempts = len(retryDelays)
)

// plan is one attempt to come. It is void once its event has another plan.
type plan struct {
	at  time.Time
	seq uint64
	ev  *event
}

func (p plan) void() bool { return p.ev.plan != p.seq }

// plans is a heap, soonest first, in the order of planning among equals.
type plans []plan

func (p plans) Len() int { return len(p) }

func (p plans) Less(i, j int) bool {
	if p[i].at.Equal(p[j].at) {
		return p[i].seq < p[j].seq
	}
	return p[i].at.Before(p[j].at)
}

func (p plans) Swap(i, j int) { p[i], p[j] = p[j], p[i] }

// Push is for container/heap.
func (p *plans) Push(x any) { *p = append(*p, x.(plan)) }

// Pop is for container/heap.
func (p *plans) Pop() any {
	last := len(*p) - 1
	out := (*p)[last]
	(*p)[last] = plan{}
	*p = (*p)[:last]
	return out
}

// next is the soonest plan that is not void.
func (p *plans) next() (plan, bool) {
	for len(*p) > 0 && (*p)[0].void() {
		heap.Pop(p)
	}
	if len(*p) == 0 {
		return plan{}, false
	}
	return (*p)[0], true
}
