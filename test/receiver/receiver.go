// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package receiver is a sample receiver of Medblocks webhooks: what bin/receiver
// runs, and what tests run in their own process. It verifies deliveries with the
// event package, remembers what it accepted, and can be told to fail, so that one
// can watch what Medblocks and the operator make of it.
//
//	POST /webhooks/medblocks         deliveries
//	GET  /healthz                    200 when well, 503 while told to fail
//	GET  /_receiver/events           accepted events and counts, as a Report
//	POST /_receiver/fail?status=503  fail every request to the webhook path
//	POST /_receiver/lose?status=504  handle deliveries, and fail all the same
//	POST /_receiver/recover          stop failing
//
// The paths under /_receiver/ ask for no credentials: it is a sample, listen on
// loopback.
package receiver

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

const (
	// WebhookPath is where deliveries go.
	WebhookPath = "/webhooks/medblocks"
	// DefaultFailStatus is what a receiver that is told to fail answers.
	DefaultFailStatus = http.StatusServiceUnavailable
	// DefaultLoseStatus is what arrives in place of an answer that is lost.
	DefaultLoseStatus = http.StatusGatewayTimeout
	// maxKeptEvents bounds the list of accepted events; the latest are kept.
	maxKeptEvents = 1000
)

// Options of a Server. Secrets is required.
type Options struct {
	Secrets event.SecretSource
	// SecretsWait is how long a delivery may wait for other secrets, as in
	// event.Options.
	SecretsWait time.Duration
	// Clock defaults to the system's.
	Clock event.Clock
	// Logger defaults to none. It gets one line per delivery, without its payload.
	Logger *slog.Logger
}

// Server is a receiver. It is an http.Handler.
type Server struct {
	mux    *http.ServeMux
	clock  event.Clock
	logger *slog.Logger

	mu      sync.Mutex
	events  []AcceptedEvent
	counts  Counts
	failing failure
}

// AcceptedEvent is an event that was verified and handled.
type AcceptedEvent struct {
	ID         string     `json:"id"`
	Type       event.Type `json:"type"`
	ReceivedAt time.Time  `json:"received_at"`
	// Secret is "current" or "previous": which one had signed the event.
	Secret string `json:"secret"`
}

// Counts counts deliveries since the start.
type Counts struct {
	Accepted int `json:"accepted"`
	// AcceptedCurrent and AcceptedPrevious are the accepted ones by the secret that
	// had signed them.
	AcceptedCurrent  int `json:"accepted_current"`
	AcceptedPrevious int `json:"accepted_previous"`
	// Duplicates had been accepted before.
	Duplicates int `json:"duplicates"`
	// Rejected were refused: they carried no genuine event.
	Rejected int `json:"rejected"`
	// Failed were answered with an error for the receiver's own sake: it was told
	// to fail, or has no secret yet. Those whose answer was lost are counted by what
	// that was.
	Failed int `json:"failed"`
	// Waited had to wait for other secrets, whatever became of them.
	Waited int `json:"waited"`
}

// Report is the answer of GET /_receiver/events.
type Report struct {
	// Events in the order of their arrival, the latest 1000.
	Events []AcceptedEvent `json:"events"`
	Counts Counts          `json:"counts"`
	// Failing is the status that the receiver was told to fail with, 0 for none;
	// also where it handles deliveries before.
	Failing int `json:"failing"`
}

// New returns a receiver that is well.
func New(options Options) *Server {
	s := &Server{mux: http.NewServeMux(), clock: options.Clock, logger: options.Logger}
	if s.clock == nil {
		s.clock = systemClock{}
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	s.mux.Handle(WebhookPath, s.failWhenTold(event.NewHandler(event.Options{
		Verifier:    event.Verifier{Secrets: options.Secrets, Clock: s.clock},
		Handle:      s.accept,
		SecretsWait: options.SecretsWait,
		Observe:     s.observe,
	})))
	s.mux.HandleFunc("GET /healthz", s.serveHealth)
	s.mux.HandleFunc("GET /_receiver/events", s.serveEvents)
	s.mux.HandleFunc("POST /_receiver/fail", s.serveFail(DefaultFailStatus, s.Fail))
	s.mux.HandleFunc("POST /_receiver/lose", s.serveFail(DefaultLoseStatus, s.LoseAnswers))
	s.mux.HandleFunc("POST /_receiver/recover", s.serveRecover)
	return s
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// ServeHTTP serves deliveries and the admin paths.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Report returns what arrived so far.
func (s *Server) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Report{Events: append([]AcceptedEvent{}, s.events...), Counts: s.counts, Failing: s.failing.status}
}

func (s *Server) accept(_ context.Context, e event.Event) error {
	accepted := AcceptedEvent{ID: e.ID, Type: e.Type, ReceivedAt: s.clock.Now().UTC(), Secret: secretName(e)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Accepted++
	if e.SecretIndex == 0 {
		s.counts.AcceptedCurrent++
	} else {
		s.counts.AcceptedPrevious++
	}
	if len(s.events) == maxKeptEvents {
		s.events = append(s.events[:0], s.events[1:]...)
	}
	s.events = append(s.events, accepted)
	return nil
}

func secretName(e event.Event) string {
	if e.SecretIndex > 0 {
		return "previous"
	}
	return "current"
}

func (s *Server) observe(d event.Delivery) {
	s.mu.Lock()
	switch d.Outcome {
	case event.OutcomeDuplicate:
		s.counts.Duplicates++
	case event.OutcomeRejected:
		s.counts.Rejected++
	case event.OutcomeFailed, event.OutcomeInProgress, event.OutcomeTimedOut:
		s.counts.Failed++
	}
	if d.Waited > 0 {
		s.counts.Waited++
	}
	s.mu.Unlock()

	attributes := []any{"outcome", d.Outcome, "status", d.StatusCode}
	if d.Event.ID != "" {
		attributes = append(attributes, "id", d.Event.ID, "type", d.Event.Type, "secret", secretName(d.Event))
	}
	if d.Waited > 0 {
		attributes = append(attributes, "waited", d.Waited)
	}
	if d.Err != nil {
		attributes = append(attributes, "error", d.Err)
	}
	s.logger.Info("delivery", attributes...)
}

func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	if s.told(false).status != 0 {
		http.Error(w, "told to fail", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

func (s *Server) serveEvents(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Report()) }

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(value)
}
