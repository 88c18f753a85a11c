// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"sync"

	"github.com/medblocks/webhook-operator/test/faults"
	"github.com/medblocks/webhook-operator/test/lab"
)

// storm decides which request goes wrong, and how: by the seed, the round, and the number of the request among those of its kind.
type storm struct {
	world *lab.World
	seed  uint64

	mu       sync.Mutex
	raging   bool
	round    int
	seen     map[faults.Call]uint64
	options  map[faults.Call][]faults.Fault
	crashIn  int // writes; 0: no crash is planned
	crashHow lab.CrashKind
}

// rage makes requests go wrong from now on.
func (s *storm) rage(round int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raging, s.round, s.seen = true, round, map[faults.Call]uint64{}
}

// calm lets everything pass.
func (s *storm) calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raging, s.crashIn = false, 0
}

// crash ends the operator at one of its next writes.
func (s *storm) crash(in int, how lab.CrashKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashIn, s.crashHow = in, how
}

// handle is the middleware of every operator.
func (s *storm) handle(w *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
	if crash := s.crashes(r); crash != nil {
		return crash(w, r, send)
	}
	if fault := s.strikes(r); fault != nil {
		return fault.New(s.world)(w, r, send)
	}
	return send()
}

func (s *storm) crashes(r *lab.Request) lab.Middleware {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.raging || s.crashIn == 0 || !r.IsWrite() {
		return nil
	}
	if s.crashIn--; s.crashIn > 0 {
		return nil
	}
	return lab.CrashAt(r.Write, s.crashHow)
}

// Of a hundred requests, so many go wrong.
const (
	wrongAtMedblocks  = 20
	wrongAtKubernetes = 6
)

func (s *storm) strikes(r *lab.Request) *faults.Fault {
	call := faults.CallOf(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.raging || call == "" {
		return nil
	}
	options, known := s.options[call]
	if !known {
		options = optionsFor(r.Side, call)
		s.options[call] = options
	}
	s.seen[call]++
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, s.seed, s.round, call, s.seen[call]) // a hash takes everything
	dice := h.Sum64()
	share := uint64(wrongAtMedblocks)
	if r.Side == lab.Kubernetes {
		share = wrongAtKubernetes
	}
	if dice%100 >= share || len(options) == 0 {
		return nil
	}
	return &options[dice/100%uint64(len(options))]
}

func optionsFor(side lab.Side, call faults.Call) []faults.Fault {
	all := faults.OfKubernetes()
	if side == lab.Medblocks {
		all = faults.OfMedblocks("http://127.0.0.1:9")
	}
	return slices.DeleteFunc(all, func(f faults.Fault) bool { return !f.Befalls(call) || isLie(call, f) })
}

// isLie tells whether an answer is well-formed and untrue. One lie is survived, which the tests of single faults show; a vendor
// that lies again and again about what exists can hide an endpoint from anybody.
func isLie(call faults.Call, f faults.Fault) bool {
	switch f.Kind {
	case "status 404", "short list", "list that lags":
		return true
	case "wrong id", "duplicate keys":
		return call == faults.Create
	case "late effect":
		return call == faults.Update // a person's disable could be undone by what was sent before it
	}
	return false
}
