// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http"
	"slices"
	"time"
)

// maxEventsPerEndpoint bounds the history of one endpoint; the oldest go first.
const maxEventsPerEndpoint = 10_000

func (s *Server) listEvents(c *call, ws *workspace) (answer, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.quirks
	e, err := s.lookup(ws, c.id)
	if err != nil {
		return answer{}, err
	}
	p, err := q.paging(c.query, eventIDPattern)
	if err != nil {
		return answer{}, err
	}
	view := &e.events
	switch {
	case !c.query.Has("delivered"):
	case c.query.Get("delivered") == "true":
		view = &e.delivered
	case c.query.Get("delivered") == "false":
		view = &e.undelivered
	default:
		return answer{}, invalid("delivered", "delivered must be true or false")
	}
	if err := q.checkCursor(p, e.events.has(p.after)); err != nil {
		return answer{}, err
	}
	items, more := view.page(p.after, p.limit, q.EventsOldestFirst)
	list := wireList{ResourceType: "list", Data: []any{}, HasMore: more}
	for _, ev := range items {
		list.Data = append(list.Data, q.event(ev.EventRecord))
	}
	if more {
		list.NextCursor = q.toCursor(items[len(items)-1].ID)
	}
	return ok(http.StatusOK, list), nil
}

// redeliverEvent makes one attempt within the call and answers with its result.
func (s *Server) redeliverEvent(c *call, ws *workspace) (answer, *apiError) {
	ev, err := s.admitRedelivery(c, ws)
	if err != nil {
		return answer{}, err
	}
	s.worker.attempt(s.ctx, ev, true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worker.running--
	return ok(http.StatusOK, s.quirks.event(ev.EventRecord)), nil
}

func (s *Server) admitRedelivery(c *call, ws *workspace) (*event, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ev, found := s.events[c.id]
	if !found || ev.endpoint.workspace != ws {
		return nil, notFound("event", c.id)
	}
	now := s.opts.Clock.Now()
	if last := ev.LastRedeliveredAt; last != nil && now.Sub(*last) < s.opts.RedeliveryInterval {
		return nil, tooOften(s.opts.RedeliveryInterval - now.Sub(*last))
	}
	if ev.endpoint.Status == StatusDisabled && !s.quirks.RedeliverDisabled {
		return nil, &apiError{
			status: http.StatusConflict, kind: typeConflict, code: "endpoint_disabled",
			message: "The event's webhook endpoint is disabled",
		}
	}
	// Noted before the attempt, so that of two calls at once only one goes through.
	ev.LastRedeliveredAt = &now
	s.worker.running++
	return ev, nil
}

// Fire makes one event of the type for every active endpoint subscribed to it,
// in the key's workspace or, with an empty key, in all, and delivers them. A
// type outside the catalogue reaches the endpoints subscribed to "*". The data
// is what the envelope's data.object holds; nil takes a sample. Data that is
// already {"object": {…}} is taken as the whole of data.
func (s *Server) Fire(apiKey, eventType string, data any) []FiredEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	content := eventData(eventType, data, s.opts.Clock.Now())
	fired := []FiredEvent{}
	for _, ws := range s.workspacesOf(apiKey) {
		for _, e := range ws.all.items {
			queue := e.Status == StatusDisabled && s.quirks.QueueWhileDisabled
			if !e.subscribes(eventType) || (e.Status != StatusActive && !queue) {
				continue
			}
			ev := s.newEvent(e, eventType, content)
			if queue {
				s.worker.park(ev)
			} else {
				s.worker.schedule(ev, ev.CreatedAt)
			}
			fired = append(fired, FiredEvent{ID: ev.ID, WebhookEndpointID: e.ID})
		}
	}
	return fired
}

// workspacesOf is the key's workspace, or all in a stable order; s.mu is held.
func (s *Server) workspacesOf(apiKey string) []*workspace {
	if apiKey != "" {
		if k, found := s.keyFor(apiKey); found {
			return []*workspace{k.workspace}
		}
		return nil
	}
	names := make([]string, 0, len(s.workspaces))
	for name := range s.workspaces {
		names = append(names, name)
	}
	slices.Sort(names)
	out := make([]*workspace, 0, len(names))
	for _, name := range names {
		out = append(out, s.workspaces[name])
	}
	return out
}

func (s *Server) newEvent(e *endpoint, eventType string, data map[string]any) *event {
	now := s.opts.Clock.Now()
	return s.storeEvent(e, EventRecord{
		ID: s.ids.next(prefixEvent, now), WebhookEndpointID: e.ID, Type: eventType, Data: data,
		APIVersion: e.APIVersion, CreatedAt: now,
	})
}

// storeEvent files a record and fixes the bytes that every attempt sends; s.mu is held.
func (s *Server) storeEvent(e *endpoint, record EventRecord) *event {
	ev := &event{EventRecord: record, endpoint: e, scheduled: min(record.Attempts, maxAttempts)}
	ev.payload = encode(envelope{
		ID: ev.ID, Object: "event", Type: ev.Type, APIVersion: ev.APIVersion,
		CreatedAt: s.quirks.time(ev.CreatedAt), Data: ev.Data,
	})
	s.events[ev.ID] = ev
	e.addEvent(ev)
	if len(e.events.items) > maxEventsPerEndpoint {
		s.forgetEvent(e.events.items[0])
	}
	return ev
}

func (s *Server) forgetEvent(ev *event) {
	s.worker.cancel(ev)
	delete(s.events, ev.ID)
	ev.endpoint.events.remove(ev.ID)
	ev.endpoint.delivered.remove(ev.ID)
	ev.endpoint.undelivered.remove(ev.ID)
}

// addRecord files history as it is given; a NextAttemptAt is kept to. s.mu is held.
func (s *Server) addRecord(e *endpoint, record EventRecord, now time.Time) *event {
	if record.CreatedAt.IsZero() {
		record.CreatedAt = now
	}
	if record.ID == "" {
		record.ID = s.ids.next(prefixEvent, record.CreatedAt)
	}
	if record.Type == "" {
		record.Type = EventTypes()[0]
	}
	if record.APIVersion == "" {
		record.APIVersion = e.APIVersion
	}
	if record.Data == nil {
		record.Data = eventData(record.Type, nil, record.CreatedAt)
	}
	record.WebhookEndpointID = e.ID
	next := record.NextAttemptAt
	record.NextAttemptAt = nil
	ev := s.storeEvent(e, record)
	if next != nil && ev.DeliveredAt == nil && ev.scheduled < maxAttempts && e.Status == StatusActive {
		s.worker.schedule(ev, *next)
	}
	return ev
}
