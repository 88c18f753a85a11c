// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"fmt"
	"net/http"
	"strconv"
)

// failure is what a receiver was told to do to every request to the webhook path.
type failure struct {
	// status is 0 while the receiver is well.
	status int
	// handles: deliveries are handled before they fail.
	handles bool
}

// Fail makes every request to the webhook path fail with a status from 300 to
// 599, whatever its signature. The events are not accepted: they come again.
func (s *Server) Fail(status int) error { return s.setFailing(failure{status: status}) }

// LoseAnswers makes every request to the webhook path fail with such a status
// after it was handled, as a proxy does that has waited for too long. The sender
// cannot tell it from a failure: events that were accepted come again.
func (s *Server) LoseAnswers(status int) error {
	return s.setFailing(failure{status: status, handles: true})
}

// Recover undoes Fail and LoseAnswers.
func (s *Server) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = failure{}
}

func (s *Server) setFailing(f failure) error {
	if f.status < 300 || f.status > 599 {
		return fmt.Errorf("status %d is not a failure: give one from 300 to 599", f.status)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = f
	return nil
}

// failWhenTold comes before the verification, as an outage would.
func (s *Server) failWhenTold(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told := s.told(r.Method == http.MethodPost)
		if told.status == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if told.handles {
			next.ServeHTTP(lostAnswer{ResponseWriter: w, header: http.Header{}}, r)
		}
		s.logger.Info("delivery", "outcome", "told to fail", "status", told.status)
		http.Error(w, "told to fail", told.status)
	})
}

// told returns how to fail, and counts the delivery if it is one that fails without being handled.
func (s *Server) told(delivery bool) failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing.status != 0 && !s.failing.handles && delivery {
		s.counts.Failed++
	}
	return s.failing
}

// lostAnswer takes an answer that nobody gets. The connection's deadlines are still the handler's to set.
type lostAnswer struct {
	http.ResponseWriter
	header http.Header
}

func (l lostAnswer) Header() http.Header { return l.header }

func (lostAnswer) WriteHeader(int) {}

func (lostAnswer) Write(b []byte) (int, error) { return len(b), nil }

// Unwrap is for http.ResponseController.
func (l lostAnswer) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (s *Server) serveFail(status int, fail func(int) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status := status
		if text := r.URL.Query().Get("status"); text != "" {
			var err error
			if status, err = strconv.Atoi(text); err != nil {
				http.Error(w, "status is not a number", http.StatusBadRequest)
				return
			}
		}
		if err := fail(status); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.logger.Info("told to fail", "status", status)
		writeJSON(w, map[string]int{"failing": status})
	}
}

func (s *Server) serveRecover(w http.ResponseWriter, _ *http.Request) {
	s.Recover()
	s.logger.Info("recovered")
	writeJSON(w, map[string]int{"failing": 0})
}
