// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// adminHandler serves the emulator's own calls. They are no part of the vendor's API.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_emulator/healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("POST /_emulator/events", s.adminFire)
	mux.HandleFunc("GET /_emulator/events", s.adminEvents)
	mux.HandleFunc("GET /_emulator/deliveries", s.adminDeliveries)
	mux.HandleFunc("GET /_emulator/calls", func(w http.ResponseWriter, _ *http.Request) {
		adminAnswer(w, http.StatusOK, map[string]any{"calls": s.Calls()})
	})
	mux.HandleFunc("GET /_emulator/counters", func(w http.ResponseWriter, _ *http.Request) {
		adminAnswer(w, http.StatusOK, s.Counters())
	})
	mux.HandleFunc("DELETE /_emulator/counters", adminDo(s.ResetCounters))
	mux.HandleFunc("POST /_emulator/faults", s.adminInject)
	mux.HandleFunc("GET /_emulator/faults", s.adminFaults)
	mux.HandleFunc("DELETE /_emulator/faults", adminDo(s.ClearFaults))
	mux.HandleFunc("GET /_emulator/quirks", s.adminQuirks)
	mux.HandleFunc("POST /_emulator/quirks", s.adminSetQuirks)
	mux.HandleFunc("DELETE /_emulator/quirks", adminDo(func() { s.SetQuirks(s.opts.Quirks) }))
	mux.HandleFunc("GET /_emulator/endpoints", s.adminEndpoints)
	mux.HandleFunc("POST /_emulator/endpoints/{id}/disable", s.adminEdit(s.DisableEndpoint))
	mux.HandleFunc("POST /_emulator/endpoints/{id}/enable", s.adminEdit(s.EnableEndpoint))
	mux.HandleFunc("POST /_emulator/endpoints/{id}/rotate", s.adminEdit(func(id string) error {
		_, err := s.RotateEndpointSecret(id)
		return err
	}))
	mux.HandleFunc("DELETE /_emulator/endpoints/{id}", s.adminRemove)
	mux.HandleFunc("POST /_emulator/keys", s.adminKey)
	mux.HandleFunc("POST /_emulator/limits", s.adminLimits)
	return mux
}

func adminAnswer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(encode(body), '\n'))
}

func adminError(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, ErrNotFound) {
		status = http.StatusNotFound
	}
	adminAnswer(w, status, map[string]string{"error": err.Error()})
}

func adminDo(f func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		f()
		w.WriteHeader(http.StatusNoContent)
	}
}

// adminBody is strict: a misspelt field in a test's fault must not pass unnoticed.
func adminBody(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		adminError(w, err)
		return false
	}
	return true
}

type adminFireRequest struct {
	APIKey string          `json:"api_key"`
	Type   string          `json:"type"`
	Data   json.RawMessage `json:"data"`
	// AllowUnknown lets a type pass that is not in the catalogue.
	AllowUnknown bool `json:"allow_unknown"`
}

func (s *Server) adminFire(w http.ResponseWriter, r *http.Request) {
	req := adminFireRequest{}
	if !adminBody(w, r, &req) {
		return
	}
	if req.Type == "" {
		req.Type = EventTypes()[0]
	}
	if !req.AllowUnknown && !slices.Contains(EventTypes(), req.Type) {
		adminError(w, errors.New("unknown event type "+req.Type+" (allow_unknown sends it to subscribers of * all the same)"))
		return
	}
	var data any
	if len(req.Data) > 0 && string(req.Data) != "null" {
		data = req.Data
	}
	adminAnswer(w, http.StatusOK, map[string]any{"events": s.Fire(req.APIKey, req.Type, data)})
}

func (s *Server) adminEvents(w http.ResponseWriter, r *http.Request) {
	out := []wireEvent{}
	for _, record := range s.Events(r.URL.Query().Get("endpoint")) {
		out = append(out, s.Quirks().event(record))
	}
	adminAnswer(w, http.StatusOK, map[string]any{"events": out})
}

func (s *Server) adminDeliveries(w http.ResponseWriter, r *http.Request) {
	endpoint, event := r.URL.Query().Get("endpoint"), r.URL.Query().Get("event")
	other := func(d Delivery) bool {
		return (endpoint != "" && d.WebhookEndpointID != endpoint) || (event != "" && d.EventID != event)
	}
	out := slices.DeleteFunc(s.Deliveries(), other)
	if out == nil {
		out = []Delivery{}
	}
	adminAnswer(w, http.StatusOK, map[string]any{"deliveries": out})
}

func (s *Server) adminEndpoints(w http.ResponseWriter, r *http.Request) {
	out := []wireEndpoint{}
	for _, e := range s.Endpoints(r.URL.Query().Get("api_key")) {
		out = append(out, adminEndpoint(e))
	}
	adminAnswer(w, http.StatusOK, map[string]any{"endpoints": out})
}

// adminEndpoint shows an endpoint as it is stored, whatever quirks are on.
func adminEndpoint(e EndpointWithSecret) wireEndpoint {
	out := Quirks{}.endpoint(e.Endpoint)
	out.Secret, out.Workspace = e.Secret, e.Workspace
	return out
}

func (s *Server) adminEdit(edit func(id string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		err := edit(id)
		e, lookup := s.Endpoint(id)
		if err := errors.Join(err, lookup); err != nil {
			adminError(w, err)
			return
		}
		adminAnswer(w, http.StatusOK, adminEndpoint(e))
	}
}

func (s *Server) adminRemove(w http.ResponseWriter, r *http.Request) {
	if err := s.RemoveEndpoint(r.PathValue("id")); err != nil {
		adminError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) adminKey(w http.ResponseWriter, r *http.Request) {
	var key Key
	if !adminBody(w, r, &key) {
		return
	}
	if err := s.SetKey(key); err != nil {
		adminError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) adminLimits(w http.ResponseWriter, r *http.Request) {
	var req struct {
		APIKey       string   `json:"api_key"`
		MaxEndpoints *int     `json:"max_endpoints"`
		RateLimit    *float64 `json:"rate_limit"`
		RateBurst    int      `json:"rate_burst"`
	}
	if !adminBody(w, r, &req) {
		return
	}
	if req.MaxEndpoints != nil {
		s.SetMaxEndpoints(req.APIKey, *req.MaxEndpoints)
	}
	if req.RateLimit != nil {
		s.SetRateLimit(req.APIKey, *req.RateLimit, req.RateBurst)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) adminQuirks(w http.ResponseWriter, _ *http.Request) {
	adminAnswer(w, http.StatusOK, s.Quirks())
}

// adminSetQuirks changes the quirks that the body names.
func (s *Server) adminSetQuirks(w http.ResponseWriter, r *http.Request) {
	quirks := s.Quirks()
	if !adminBody(w, r, &quirks) {
		return
	}
	s.SetQuirks(quirks)
	adminAnswer(w, http.StatusOK, quirks)
}

type adminFault struct {
	Operation   Operation `json:"operation"`
	Times       int       `json:"times"`
	APIKey      string    `json:"api_key,omitempty"`
	Kind        FaultKind `json:"kind"`
	AfterEffect bool      `json:"after_effect,omitempty"`
	Status      int       `json:"status,omitempty"`
	Type        string    `json:"type,omitempty"`
	Code        string    `json:"code,omitempty"`
	Message     string    `json:"message,omitempty"`
	Param       string    `json:"param,omitempty"`
	RetryAfter  string    `json:"retry_after,omitempty"`
	Location    string    `json:"location,omitempty"`
	Delay       string    `json:"delay,omitempty"`
	Lag         int       `json:"lag,omitempty"`
}

func (a adminFault) fault() (Fault, error) {
	f := Fault{
		Operation: a.Operation, Times: a.Times, APIKey: a.APIKey, Kind: a.Kind, AfterEffect: a.AfterEffect,
		Status: a.Status, Type: a.Type, Code: a.Code, Message: a.Message, Param: a.Param,
		RetryAfter: a.RetryAfter, Location: a.Location, Lag: a.Lag,
	}
	if a.Delay == "" {
		return f, nil
	}
	var err error
	f.Delay, err = time.ParseDuration(a.Delay)
	return f, err
}

func shownFault(f Fault) adminFault {
	out := adminFault{
		Operation: f.Operation, Times: f.Times, APIKey: f.APIKey, Kind: f.Kind, AfterEffect: f.AfterEffect,
		Status: f.Status, Type: f.Type, Code: f.Code, Message: f.Message, Param: f.Param,
		RetryAfter: f.RetryAfter, Location: f.Location, Lag: f.Lag,
	}
	if f.Delay > 0 {
		out.Delay = f.Delay.String()
	}
	return out
}

func (s *Server) adminInject(w http.ResponseWriter, r *http.Request) {
	var req adminFault
	if !adminBody(w, r, &req) {
		return
	}
	f, err := req.fault()
	if err == nil {
		err = s.injectFault(f)
	}
	if err != nil {
		adminError(w, err)
		return
	}
	adminAnswer(w, http.StatusOK, shownFault(f.withDefaults()))
}

func (s *Server) adminFaults(w http.ResponseWriter, _ *http.Request) {
	out := []adminFault{}
	for _, f := range s.Faults() {
		out = append(out, shownFault(f))
	}
	adminAnswer(w, http.StatusOK, map[string]any{"faults": out})
}
