// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"net/http"
	"strings"
	"sync"
)

// AdminPrefix is where the emulator's own calls live; everything else is the vendor's.
const AdminPrefix = "/_emulator/"

// Server is the emulated vendor. It is an http.Handler for the vendor's API and
// for the admin surface, and runs the delivery worker. Safe for concurrent use.
type Server struct {
	opts   Options
	ids    *ulids
	admin  http.Handler
	ctx    context.Context //nolint:containedctx // it is the server's own lifetime, ended by Close, and no call's
	cancel context.CancelFunc
	wg     sync.WaitGroup
	worker *worker

	// mu guards everything below and everything reachable from it.
	mu         sync.Mutex
	quirks     Quirks
	hook       Hook
	workspaces map[string]*workspace
	keys       map[string]*apiKey
	endpoints  map[string]*endpoint
	events     map[string]*event
	faults     []*armedFault
	counters   Counters
	calls      []Call
	deliveries []Delivery
	// credentials are all API keys and signing secrets that there ever were.
	credentials []string
}

// New starts a Server; Close stops it.
func New(opts Options) *Server {
	opts = opts.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		opts: opts, ids: newULIDs(), ctx: ctx, cancel: cancel,
		quirks: opts.Quirks, hook: opts.Hook,
		workspaces: map[string]*workspace{}, keys: map[string]*apiKey{},
		endpoints: map[string]*endpoint{}, events: map[string]*event{},
		counters: newCounters(),
	}
	for _, key := range opts.APIKeys {
		s.addKey(key)
	}
	s.admin = s.adminHandler()
	s.worker = newWorker(s)
	s.wg.Go(s.worker.run)
	return s
}

// Close stops the delivery worker, aborts attempts in flight, ends calls that an
// injected fault holds, and waits for all of them. It may be called twice.
func (s *Server) Close() {
	// Under the lock, so that background starts nothing after the wait began.
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.wg.Wait()
}

// SetHook replaces Options.Hook; nil removes it.
func (s *Server) SetHook(h Hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = h
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, AdminPrefix) {
		s.admin.ServeHTTP(w, r)
		return
	}
	s.serveVendor(w, r)
}
