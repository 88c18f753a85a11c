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
	lies  *lies

	mu       sync.Mutex
	raging   bool
	round    int
	seen     map[faults.Call]uint64
	options  map[faults.Call][]faults.Fault
	started  map[string]*ongoing // by path
	crashIn  int                 // writes; 0: no crash is planned
	crashHow lab.CrashKind
}

// ongoing is a fault that takes several calls: the pages of one list.
type ongoing struct {
	handle lab.Middleware
	left   int
}

func newStorm(w *lab.World, seed uint64) *storm {
	return &storm{
		world: w, seed: seed, lies: newLies(w),
		options: map[faults.Call][]faults.Fault{}, started: map[string]*ongoing{},
	}
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
	clear(s.started)
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
	if rest := s.goesOn(r); rest != nil {
		return rest(w, r, send)
	}
	fault, lie := s.strikes(r)
	if lie != nil || fault == nil && faults.CallOf(r) == faults.List {
		return s.lies.tell(w, r, lie, send)
	}
	if fault == nil {
		return send()
	}
	return s.begin(r, fault)(w, r, send)
}

// begin makes a fault befall a request, and those that belong to it.
func (s *storm) begin(r *lab.Request, fault *faults.Fault) lab.Middleware {
	handle := fault.New(s.world)
	if fault.Calls > 1 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.started[r.Path] = &ongoing{handle: handle, left: fault.Calls - 1}
	}
	return handle
}

// goesOn returns what befalls the next page of a list that has begun to go wrong; nil: nothing does.
func (s *storm) goesOn(r *lab.Request) lab.Middleware {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := s.started[r.Path]
	if begun == nil || r.Side != lab.Medblocks {
		return nil
	}
	if begun.left--; begun.left <= 0 || r.Query.Get("starting_after") == "" {
		delete(s.started, r.Path)
	}
	if r.Query.Get("starting_after") == "" {
		return nil
	}
	return begun.handle
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

// Of a hundred requests, so many go wrong, and of those that ask what exists, so many more get a well-formed answer that is untrue.
const (
	wrongAtMedblocks  = 20
	wrongAtKubernetes = 6
	untrue            = 15
)

// strikes decides what goes wrong with a request, if anything, and whether it is an untrue answer.
func (s *storm) strikes(r *lab.Request) (fault, lie *faults.Fault) {
	call := faults.CallOf(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.raging || call == "" {
		return nil, nil
	}
	options, known := s.options[call]
	if !known {
		options = optionsFor(r.Side, call)
		s.options[call] = options
	}
	s.seen[call]++
	if lies := liesFor(call); r.Side == lab.Medblocks && len(lies) > 0 {
		if dice := s.roll("lie", call); dice%100 < untrue {
			return nil, &lies[dice/100%uint64(len(lies))]
		}
	}
	share := uint64(wrongAtMedblocks)
	if r.Side == lab.Kubernetes {
		share = wrongAtKubernetes
	}
	dice := s.roll("fault", call)
	if dice%100 >= share || len(options) == 0 {
		return nil, nil
	}
	return &options[dice/100%uint64(len(options))], nil
}

// roll is a number that depends on nothing but the seed and how many calls of that kind there were in this round.
func (s *storm) roll(what string, call faults.Call) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, s.seed, s.round, what, call, s.seen[call]) // a hash takes everything
	return h.Sum64()
}

func optionsFor(side lab.Side, call faults.Call) []faults.Fault {
	all := faults.OfKubernetes()
	if side == lab.Medblocks {
		all = faults.OfMedblocks("http://127.0.0.1:9")
	}
	return slices.DeleteFunc(all, func(f faults.Fault) bool { return !f.Befalls(call) || isLie(f) || isFatal(call, f) })
}

// isFatal tells whether an answer, which a single time is survived as the tests of single faults show, is too much for anybody
// among all the rest.
func isFatal(call faults.Call, f faults.Fault) bool {
	switch f.Kind {
	case "wrong id", "duplicate keys":
		return call == faults.Create
	case "late effect":
		return call == faults.Update // a person's disable could be undone by what was sent before it
	}
	return false
}
