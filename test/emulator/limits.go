// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// latency is how long this call takes.
func (s *Server) latency() time.Duration {
	if s.opts.LatencyJitter <= 0 {
		return s.opts.Latency
	}
	return s.opts.Latency + rand.N(s.opts.LatencyJitter)
}

// SetRateLimit sets how many calls per second the key's workspace may make, and
// how many at once (below 1: a second's worth), or those of all workspaces that
// exist with an empty key. 0 calls per second mean no limit.
func (s *Server) SetRateLimit(apiKey string, perSecond float64, burst int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ws := range s.workspacesOf(apiKey) {
		ws.limiter = newLimiter(perSecond, burst)
	}
}

func newLimiter(perSecond float64, burst int) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	if burst < 1 {
		burst = int(math.Ceil(perSecond))
	}
	return rate.NewLimiter(rate.Limit(perSecond), burst)
}

// throttle answers 429 to a call that comes too soon, and says when the next may
// come. A refused call takes nothing from the budget.
func (s *Server) throttle(ws *workspace) *apiError {
	s.mu.Lock()
	limiter, now := ws.limiter, s.opts.Clock.Now()
	s.mu.Unlock()
	if limiter == nil {
		return nil
	}
	turn := limiter.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	turn.CancelAt(now)
	return &apiError{
		status: http.StatusTooManyRequests, kind: typeRateLimit, code: "rate_limit_exceeded",
		message:    "Too many requests",
		retryAfter: strconv.Itoa(int(math.Ceil(wait.Seconds()))),
	}
}
