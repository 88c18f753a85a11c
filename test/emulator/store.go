// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// KeyState is what the vendor thinks of an API key.
type KeyState string

// The states of a key and their answers: active works, expired is 401
// expired_api_key, revoked is 401 invalid_api_key, forbidden is 403.
const (
	KeyActive    KeyState = "active"
	KeyExpired   KeyState = "expired"
	KeyRevoked   KeyState = "revoked"
	KeyForbidden KeyState = "forbidden"
)

// Key describes an API key for SetKey.
type Key struct {
	APIKey string `json:"api_key"`
	// Workspace is a name; keys with the same name share its endpoints. Empty
	// keeps the key's workspace, or opens one of its own.
	Workspace string `json:"workspace,omitempty"`
	// State defaults to KeyActive.
	State KeyState `json:"state,omitempty"`
	// APIVersion is the version pinned on the key [doc]. Default DefaultAPIVersion.
	APIVersion string `json:"api_version,omitempty"`
}

type apiKey struct {
	workspace *workspace
	state     KeyState
	version   string
}

// workspace, endpoint and event are guarded by Server.mu.
type workspace struct {
	name         string
	maxEndpoints int
	limiter      *rate.Limiter // nil: no limit
	all          index[*endpoint]
	byStatus     map[string]*index[*endpoint]
	// undo remembers what the last writes replaced, newest last, so that a
	// stale_list fault can answer as if they had not happened yet.
	undo []undo
}

type undo struct {
	id string
	// before is nil when the write created the endpoint.
	before *Endpoint
}

const undoDepth = 256

type endpoint struct {
	Endpoint
	workspace      *workspace
	secret         string
	previousSecret string
	events         index[*event]
	delivered      index[*event]
	undelivered    index[*event]
}

type event struct {
	EventRecord
	endpoint *endpoint
	payload  []byte
	// scheduled counts attempts of the schedule, without redeliveries: the ninth
	// disables the endpoint.
	scheduled int
	inflight  int
	// parked events wait for a re-enable (only with quirks).
	parked bool
	// plan identifies the newest plan; older heap entries are void. 0: none.
	plan uint64
}

func endpointKey(e *endpoint) string { return e.ID }
func eventKey(e *event) string       { return e.ID }

func newWorkspace(name string, maxEndpoints int) *workspace {
	w := &workspace{name: name, maxEndpoints: maxEndpoints, all: newIndex(endpointKey), byStatus: map[string]*index[*endpoint]{}}
	for _, status := range []string{StatusActive, StatusDisabled} {
		x := newIndex(endpointKey)
		w.byStatus[status] = &x
	}
	return w
}

func (w *workspace) remember(id string, before *Endpoint) {
	if len(w.undo) == undoDepth {
		w.undo = slices.Delete(w.undo, 0, 1)
	}
	w.undo = append(w.undo, undo{id: id, before: before})
}

// view is the index that a list with the status filter pages through.
func (w *workspace) view(status string) *index[*endpoint] {
	if status == "" {
		return &w.all
	}
	return w.byStatus[status]
}

// staleView is the view as it was before the last writes.
func (w *workspace) staleView(status string, writes int) *index[*endpoint] {
	before := map[string]*Endpoint{}
	for i := len(w.undo) - 1; i >= 0 && writes > 0; i-- {
		before[w.undo[i].id] = w.undo[i].before
		writes--
	}
	out := newIndex(endpointKey)
	for _, e := range w.all.items {
		if _, changed := before[e.ID]; !changed && (status == "" || e.Status == status) {
			out.items = append(out.items, e)
		}
	}
	for _, e := range before {
		if e != nil && (status == "" || e.Status == status) {
			out.insert(&endpoint{Endpoint: *e})
		}
	}
	return &out
}

func (w *workspace) add(e *endpoint) {
	e.workspace = w
	w.all.insert(e)
	w.byStatus[e.Status].insert(e)
	w.remember(e.ID, nil)
}

func (w *workspace) remove(e *endpoint) {
	before := e.clone()
	w.all.remove(e.ID)
	w.byStatus[e.Status].remove(e.ID)
	w.remember(e.ID, &before)
}

// change applies f to the endpoint and keeps the indexes right. It tells whether
// the status changed.
func (e *endpoint) change(now time.Time, f func(*Endpoint)) bool {
	before := e.clone()
	w := e.workspace
	w.remember(e.ID, &before)
	f(&e.Endpoint)
	e.ID = before.ID
	e.UpdatedAt = now
	if e.Status == before.Status {
		return false
	}
	w.byStatus[before.Status].remove(e.ID)
	w.byStatus[e.Status].insert(e)
	return true
}

// addEvent files an event record under its delivery state.
func (e *endpoint) addEvent(ev *event) {
	e.events.insert(ev)
	if ev.DeliveredAt != nil {
		e.delivered.insert(ev)
		return
	}
	e.undelivered.insert(ev)
}

// markDelivered keeps the time of the first delivery.
func (e *endpoint) markDelivered(ev *event, at time.Time) {
	if ev.DeliveredAt != nil {
		return
	}
	ev.DeliveredAt = &at
	e.undelivered.remove(ev.ID)
	e.delivered.insert(ev)
}

func (e *endpoint) subscribes(eventType string) bool {
	return slices.Contains(e.Events, eventType) || slices.Contains(e.Events, EventWildcard)
}

// workspaceName derives a name that does not give the key away.
func workspaceName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "ws_" + hex.EncodeToString(sum[:6])
}

// openWorkspace finds or makes the workspace of that name; s.mu is held.
func (s *Server) openWorkspace(name string) *workspace {
	if w, found := s.workspaces[name]; found {
		return w
	}
	w := newWorkspace(name, s.opts.MaxEndpoints)
	w.limiter = newLimiter(s.opts.RateLimit, s.opts.RateBurst)
	s.workspaces[name] = w
	return w
}

// keyFor finds a key, or opens a workspace for a new one where that is allowed; s.mu is held.
func (s *Server) keyFor(key string) (*apiKey, bool) {
	if k, found := s.keys[key]; found {
		return k, true
	}
	if len(s.opts.APIKeys) > 0 || !apiKeyPattern.MatchString(key) {
		return nil, false
	}
	return s.addKey(key), true
}

// addKey adds a key with a workspace of its own; s.mu is held, or nobody knows s yet.
func (s *Server) addKey(key string) *apiKey {
	k := &apiKey{workspace: s.openWorkspace(workspaceName(key)), state: KeyActive, version: DefaultAPIVersion}
	s.keys[key] = k
	s.credentials = append(s.credentials, key)
	return k
}

// SetKey adds a key or changes one, whether or not Options.APIKeys names any.
func (s *Server) SetKey(key Key) error {
	if !apiKeyPattern.MatchString(key.APIKey) {
		return fmt.Errorf("emulator: an API key looks like mb_sk_sbx_… or mb_sk_live_…")
	}
	states := []KeyState{"", KeyActive, KeyExpired, KeyRevoked, KeyForbidden}
	if !slices.Contains(states, key.State) {
		return fmt.Errorf("emulator: unknown key state %q", key.State)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, found := s.keys[key.APIKey]
	if !found {
		k = &apiKey{version: DefaultAPIVersion}
		s.keys[key.APIKey] = k
		s.credentials = append(s.credentials, key.APIKey)
	}
	switch {
	case key.Workspace != "":
		k.workspace = s.openWorkspace(key.Workspace)
	case k.workspace == nil:
		k.workspace = s.openWorkspace(workspaceName(key.APIKey))
	}
	k.state = KeyActive
	if key.State != "" {
		k.state = key.State
	}
	if key.APIVersion != "" {
		k.version = key.APIVersion
	}
	return nil
}
