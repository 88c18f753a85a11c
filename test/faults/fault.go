// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"net/http"
	"sync"
	"time"

	"github.com/medblocks/webhook-operator/test/lab"
)

// Fault is something that goes wrong with a call.
type Fault struct {
	Name string
	// Kind groups faults that are alike.
	Kind string
	// Befalls tells whether the fault makes sense for a call.
	Befalls func(Call) bool
	// New makes the middleware of one occurrence.
	New func(*lab.World) lab.Middleware
	// Calls are as many as one occurrence takes; 0 means 1.
	Calls int
	// Refusal: the answer says that the request itself is at fault, and the vendor is believed. Only another request helps.
	Refusal bool
	// Hangs: it lasts until the caller gives up, in real time.
	Hangs bool
	// Harmless: the answer is as good as any.
	Harmless bool
}

// answerFunc answers a call in the place of its receiver.
type answerFunc func(w *lab.World, r *lab.Request) (*http.Response, error)

// instead answers without the call ever being made.
func instead(answer answerFunc) func(*lab.World) lab.Middleware {
	return func(world *lab.World) lab.Middleware {
		return func(_ *lab.Wire, r *lab.Request, _ func() (*http.Response, error)) (*http.Response, error) {
			return answer(world, r)
		}
	}
}

// after lets the call have its effect, and answers something else.
func after(answer answerFunc) func(*lab.World) lab.Middleware {
	return func(world *lab.World) lab.Middleware {
		return func(_ *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
			resp, err := send()
			if err != nil {
				return nil, err
			}
			_ = resp.Body.Close()
			return answer(world, r)
		}
	}
}

// Injection has calls go wrong from a certain one on.
type Injection struct {
	Call  Call
	Fault Fault
	// First is the number of the first call of its kind that goes wrong, from 1; 0 means 1.
	First int
	// Lasts is for how long (virtual time) calls go wrong from then on. Otherwise only those of one occurrence do.
	Lasts time.Duration

	mu         sync.Mutex
	seen, hits int
	began      time.Time
}

// Middleware injects the fault.
func (i *Injection) Middleware(world *lab.World) lab.Middleware {
	fault := i.Fault.New(world)
	return func(w *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if CallOf(r) != i.Call || !i.strikes(world.Clock.Now()) {
			return send()
		}
		return fault(w, r, send)
	}
}

func (i *Injection) strikes(now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.seen++
	if i.seen < max(i.First, 1) {
		return false
	}
	if i.began.IsZero() {
		i.began = now
	}
	if i.hits >= max(i.Fault.Calls, 1) && now.Sub(i.began) >= i.Lasts {
		return false
	}
	i.hits++
	return true
}

// Hits is how many calls went wrong.
func (i *Injection) Hits() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hits
}
