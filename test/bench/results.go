// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"time"
)

// results are what was measured. What belongs to a phase that did not run is zero.
type results struct {
	cfg      config
	template *template // a resource as the operator left it

	base, registered               footprint
	registration, update, deletion cost
	restart                        restart
	steady                         steady
	disable, drift                 latency
	limits                         []limited
	bare                           []bareResult
	comparators                    []comparator
}

// cost is what something costs for a number of resources together.
type cost struct {
	resources int
	took      time.Duration
	spent     tally
	cpu       time.Duration
}

// per is how many requests of a kind one resource costs.
func (c *cost) per(requests int) float64 { return float64(requests) / float64(max(c.resources, 1)) }

type restart struct {
	took           time.Duration // until nothing was left to do
	newcomer       time.Duration // until a resource was Ready that was applied meanwhile
	spent          tally
	full, disabled int // calls that list all endpoints, and the disabled ones
	footprint      footprint
}

type steady struct {
	watched        time.Duration
	spent          tally
	full, disabled int
	cpu            time.Duration
	footprint      footprint
}

// latency holds how long each sample took, sorted.
type latency struct {
	interval time.Duration
	measured []time.Duration
}

// percentile is the smallest time that so many per cent of the samples did not exceed.
func (l *latency) percentile(p int) time.Duration {
	if len(l.measured) == 0 {
		return 0
	}
	rank := int(math.Ceil(float64(len(l.measured)*p) / 100))
	return l.measured[max(rank-1, 0)]
}

// limited is how an account with few calls fared.
type limited struct {
	cost
	variant        string
	calls, refused int
	window         time.Duration // until the last call
	overtaken      int
}

// used is how many calls were made for each that the vendor would have answered: as many at once as in a second, and then those
// of the limit.
func (l *limited) used(limit float64) float64 {
	return float64(l.calls) / (math.Ceil(limit) + limit*l.window.Seconds())
}

// pages is how many calls one list of n endpoints takes.
func pages(n int) float64 { return math.Ceil(float64(n) / pageSize) }

type bareResult struct {
	events int // published for each resource
	cost
}

// comparator is a way to run the textbook controller, and what it costs.
type comparator struct {
	name        string
	concurrency int
	kubeQPS     float32
	kubeBurst   int
	interval    time.Duration
	cost
	watched   time.Duration
	atRest    tally
	footprint footprint
}

// calls is what it would cost to watch n resources for some time, at its interval.
func (c *comparator) calls(n int, window time.Duration) float64 {
	return float64(c.atRest.vendorCalls()) * float64(n) / float64(c.resources) * window.Seconds() / c.watched.Seconds()
}
