// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (s *Server) createEndpoint(c *call, ws *workspace) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := parseFields(c.body, s.quirks)
	if err != nil {
		return answer{}, err
	}
	if f.url == nil {
		return answer{}, invalid("url", "url is required")
	}
	if f.events == nil {
		return answer{}, invalid("events", "events is required")
	}
	f.status = nil // new endpoints are active; status is not a field of this call
	if err := s.checkRoom(ws, *f.url); err != nil {
		return answer{}, err
	}
	now := s.opts.Clock.Now()
	e := s.newEndpoint(Endpoint{
		ID: s.ids.next(prefixEndpoint, now), Status: StatusActive, APIVersion: c.version, CreatedAt: now, UpdatedAt: now,
	})
	f.apply(&e.Endpoint, s.quirks)
	s.endpoints[e.ID] = e
	ws.add(e)
	status := http.StatusCreated
	if s.quirks.CreateStatus != 0 {
		status = s.quirks.CreateStatus
	}
	return ok(status, s.withSecret(e)), nil
}

func (s *Server) newEndpoint(e Endpoint) *endpoint {
	return &endpoint{
		Endpoint: e, secret: s.newSecret(),
		events: newIndex(eventKey), delivered: newIndex(eventKey), undelivered: newIndex(eventKey),
	}
}

// checkRoom enforces the endpoint limit [doc: there is one; status and code assumed].
func (s *Server) checkRoom(ws *workspace, url string) *apiError {
	if ws.maxEndpoints > 0 && len(ws.all.items) >= ws.maxEndpoints {
		status := http.StatusTooManyRequests
		if s.quirks.LimitStatus != 0 {
			status = s.quirks.LimitStatus
		}
		return &apiError{
			status: status, kind: typeQuota, code: "endpoint_quota_exceeded",
			message: "This workspace has reached its webhook endpoint limit",
		}
	}
	same := func(e *endpoint) bool { return e.URL == url }
	if s.quirks.UniqueURL && slices.ContainsFunc(ws.all.items, same) {
		return &apiError{
			status: http.StatusConflict, kind: typeConflict, code: "url_already_registered", param: "url",
			message: "An endpoint with this URL exists already",
		}
	}
	return nil
}

// apply writes the fields that are present.
func (f fields) apply(e *Endpoint, q Quirks) {
	if f.url != nil {
		e.URL = q.storedURL(*f.url)
	}
	if f.events != nil {
		e.Events = slices.Clone(f.events)
		if q.ReorderEvents {
			slices.Sort(e.Events)
		}
	}
	if f.hasDescription {
		e.Description = f.description
	}
	if f.hasMetadata {
		e.Metadata = f.mergedMetadata(e.Metadata, q)
	}
	if f.status != nil {
		e.Status = *f.status
	}
}

func (f fields) mergedMetadata(old map[string]any, q Quirks) map[string]any {
	if !q.MetadataMerge {
		return f.metadata
	}
	merged := maps.Clone(old)
	if merged == nil {
		merged = map[string]any{}
	}
	maps.Copy(merged, f.metadata)
	maps.DeleteFunc(merged, func(_ string, v any) bool { return v == nil })
	return merged
}

func (q Quirks) storedURL(text string) string {
	if !q.NormalizeURL {
		return text
	}
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	u.Host = strings.ToLower(u.Host)
	host, port, err := net.SplitHostPort(u.Host)
	if err == nil && ((u.Scheme == "https" && port == "443") || (u.Scheme == "http" && port == "80")) {
		u.Host = host
		if strings.Contains(host, ":") {
			u.Host = "[" + host + "]"
		}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

func (s *Server) withSecret(e *endpoint) wireEndpoint {
	out := s.quirks.endpoint(e.clone())
	out.Secret = e.secret
	return out
}

// lookup finds an endpoint in the workspace; s.mu is held. An id of another
// workspace is as unknown as one that never was.
func (s *Server) lookup(ws *workspace, id string) (*endpoint, *apiError) {
	if e, found := s.endpoints[id]; found && e.workspace == ws {
		return e, nil
	}
	return nil, notFound("webhook endpoint", id)
}

func (s *Server) listEndpoints(c *call, ws *workspace) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.quirks
	p, err := q.paging(c.query, endpointIDPattern)
	if err != nil {
		return answer{}, err
	}
	status := c.query.Get("status")
	if c.query.Has("status") {
		if err := checkStatus(status); err != nil {
			return answer{}, err
		}
	}
	if err := q.checkCursor(p, ws.all.has(p.after)); err != nil {
		return answer{}, err
	}
	view := ws.view(status)
	if c.fault != nil && c.fault.Kind == FaultStaleList {
		view = ws.staleView(status, max(c.fault.Lag, 1))
	}
	items, more := view.page(p.after, p.limit, q.EndpointsOldestFirst)
	list := wireList{ResourceType: "list", Data: []any{}, HasMore: more}
	for _, e := range items {
		list.Data = append(list.Data, q.endpoint(e.clone()))
	}
	if more {
		list.NextCursor = q.toCursor(items[len(items)-1].ID)
	}
	return ok(http.StatusOK, list), nil
}

func (s *Server) getEndpoint(c *call, ws *workspace) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.lookup(ws, c.id)
	if err != nil {
		return answer{}, err
	}
	return ok(http.StatusOK, s.quirks.endpoint(e.clone())), nil
}

func (s *Server) updateEndpoint(c *call, ws *workspace) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.lookup(ws, c.id)
	if err != nil {
		return answer{}, err
	}
	f, err := parseFields(c.body, s.quirks)
	if err != nil {
		return answer{}, err
	}
	if err := checkMetadata(f.mergedMetadata(e.Metadata, s.quirks)); err != nil {
		return answer{}, err
	}
	s.changeEndpoint(e, s.opts.Clock.Now(), func(e *Endpoint) { f.apply(e, s.quirks) })
	return ok(http.StatusOK, s.quirks.endpoint(e.clone())), nil
}

// changeEndpoint is the only way an endpoint changes, so that what follows from
// a status change follows always; s.mu is held.
func (s *Server) changeEndpoint(e *endpoint, now time.Time, f func(*Endpoint)) {
	if !e.change(now, f) {
		return
	}
	if e.Status == StatusDisabled {
		s.worker.hold(e)
		return
	}
	s.worker.resume(e, now)
}

func (s *Server) deleteEndpoint(c *call, ws *workspace) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.lookup(ws, c.id)
	if err != nil {
		return answer{}, err
	}
	s.dropEndpoint(e)
	if s.quirks.DeleteBody {
		return ok(http.StatusOK, map[string]any{"id": e.ID, "resource_type": "webhook_endpoint", "deleted": true}), nil
	}
	return ok(http.StatusNoContent, nil), nil
}

// dropEndpoint forgets the endpoint and its events; s.mu is held.
func (s *Server) dropEndpoint(e *endpoint) {
	e.workspace.remove(e)
	delete(s.endpoints, e.ID)
	for _, ev := range e.events.items {
		s.worker.cancel(ev)
		delete(s.events, ev.ID)
	}
}

func (s *Server) rotateSecret(c *call, ws *workspace) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.lookup(ws, c.id)
	if err != nil {
		return answer{}, err
	}
	s.rotate(e)
	return ok(http.StatusOK, s.withSecret(e)), nil
}

// newSecret makes a signing secret; s.mu is held.
func (s *Server) newSecret() string {
	secret := newSecret()
	s.credentials = append(s.credentials, secret)
	return secret
}

func (s *Server) rotate(e *endpoint) {
	e.change(s.opts.Clock.Now(), func(*Endpoint) {})
	e.previousSecret, e.secret = e.secret, s.newSecret()
}
