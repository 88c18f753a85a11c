// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"maps"
	"slices"
)

// Endpoints lists the endpoints of the key's workspace, or of all with an empty
// key, oldest first, with their secrets.
func (s *Server) Endpoints(apiKey string) []EndpointWithSecret {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []EndpointWithSecret{}
	for _, ws := range s.workspacesOf(apiKey) {
		for _, e := range ws.all.items {
			out = append(out, e.reveal())
		}
	}
	return out
}

func (e *endpoint) reveal() EndpointWithSecret {
	return EndpointWithSecret{Endpoint: e.clone(), Secret: e.secret, Workspace: e.workspace.name}
}

// Credentials are all API keys and signing secrets that there ever were: whoever tests a client looks for them where they
// must not be.
func (s *Server) Credentials() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.credentials)
}

// Endpoint returns one endpoint, or ErrNotFound.
func (s *Server) Endpoint(id string) (EndpointWithSecret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.endpoints[id]
	if !found {
		return EndpointWithSecret{}, fmt.Errorf("endpoint %q: %w", id, ErrNotFound)
	}
	return e.reveal(), nil
}

// DisableEndpoint does what a person does in the dashboard. ErrNotFound when there is none.
func (s *Server) DisableEndpoint(id string) error {
	return s.SetEndpoint(id, func(e *Endpoint) { e.Status = StatusDisabled })
}

// EnableEndpoint does what a person does in the dashboard. ErrNotFound when there is none.
func (s *Server) EnableEndpoint(id string) error {
	return s.SetEndpoint(id, func(e *Endpoint) { e.Status = StatusActive })
}

// SetEndpoint edits an endpoint behind everyone's back. Nothing is validated but
// the status, and the id stays. The function must not call the Server.
func (s *Server) SetEndpoint(id string, edit func(*Endpoint)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.endpoints[id]
	if !found {
		return fmt.Errorf("endpoint %q: %w", id, ErrNotFound)
	}
	edited := e.clone()
	edit(&edited)
	if err := checkStatus(edited.Status); err != nil {
		return fmt.Errorf("endpoint %q: %s", id, err.message)
	}
	s.changeEndpoint(e, s.opts.Clock.Now(), func(e *Endpoint) { *e = edited })
	return nil
}

// RotateEndpointSecret does what a person does in the dashboard, and returns the new secret.
func (s *Server) RotateEndpointSecret(id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.endpoints[id]
	if !found {
		return "", fmt.Errorf("endpoint %q: %w", id, ErrNotFound)
	}
	s.rotate(e)
	return e.secret, nil
}

// RemoveEndpoint does what a person does in the dashboard. ErrNotFound when there is none.
func (s *Server) RemoveEndpoint(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.endpoints[id]
	if !found {
		return fmt.Errorf("endpoint %q: %w", id, ErrNotFound)
	}
	s.dropEndpoint(e)
	return nil
}

// AddEndpoint adds an endpoint that somebody else made. Empty fields get
// defaults; the endpoint limit and the validation of the API do not apply.
func (s *Server) AddEndpoint(apiKey string, given Endpoint) (EndpointWithSecret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, known := s.keyFor(apiKey)
	if !known {
		return EndpointWithSecret{}, fmt.Errorf("API key: %w", ErrNotFound)
	}
	given = s.completed(given.clone())
	if err := checkStatus(given.Status); err != nil {
		return EndpointWithSecret{}, fmt.Errorf("emulator: %s", err.message)
	}
	if _, taken := s.endpoints[given.ID]; taken {
		return EndpointWithSecret{}, fmt.Errorf("emulator: endpoint %q exists", given.ID)
	}
	e := s.newEndpoint(given)
	s.endpoints[e.ID] = e
	k.workspace.add(e)
	return e.reveal(), nil
}

func (s *Server) completed(e Endpoint) Endpoint {
	if e.CreatedAt.IsZero() {
		e.CreatedAt = s.opts.Clock.Now()
	}
	if e.UpdatedAt.IsZero() {
		e.UpdatedAt = e.CreatedAt
	}
	if e.ID == "" {
		e.ID = s.ids.next(prefixEndpoint, e.CreatedAt)
	}
	if e.URL == "" {
		e.URL = "https://somebody-else.example.com/webhook"
	}
	if e.Events == nil {
		e.Events = []string{EventWildcard}
	}
	if e.Status == "" {
		e.Status = StatusActive
	}
	if e.APIVersion == "" {
		e.APIVersion = DefaultAPIVersion
	}
	return e
}

// Events lists the event records of an endpoint, oldest first; none when there is no such endpoint.
func (s *Server) Events(endpointID string) []EventRecord {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []EventRecord{}
	if e, found := s.endpoints[endpointID]; found {
		for _, ev := range e.events.items {
			out = append(out, ev.EventRecord)
		}
	}
	return out
}

// AddEvent adds a record to the history of record.WebhookEndpointID, which must
// be in the key's workspace (any, with an empty key). Empty fields get defaults.
// A record with NextAttemptAt is really attempted then.
func (s *Server) AddEvent(apiKey string, record EventRecord) (EventRecord, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.endpoints[record.WebhookEndpointID]
	if !found || !slices.Contains(s.workspacesOf(apiKey), e.workspace) {
		return EventRecord{}, fmt.Errorf("endpoint %q: %w", record.WebhookEndpointID, ErrNotFound)
	}
	record.Data = maps.Clone(record.Data)
	return s.addRecord(e, record, s.opts.Clock.Now()).EventRecord, nil
}

// SetEvents replaces the history of an endpoint; see AddEvent.
func (s *Server) SetEvents(endpointID string, records []EventRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.endpoints[endpointID]
	if !found {
		return fmt.Errorf("endpoint %q: %w", endpointID, ErrNotFound)
	}
	for _, ev := range slices.Clone(e.events.items) {
		s.forgetEvent(ev)
	}
	for _, record := range records {
		s.addRecord(e, record, s.opts.Clock.Now())
	}
	return nil
}

// SetMaxEndpoints sets the endpoint limit of the key's workspace, 0 for none,
// or of all workspaces that exist with an empty key.
func (s *Server) SetMaxEndpoints(apiKey string, limit int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ws := range s.workspacesOf(apiKey) {
		ws.maxEndpoints = limit
	}
}
