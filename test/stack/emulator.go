// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"net/http"
	"net/url"

	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/process"
)

// Emulator is an emulator of Medblocks that runs, and its admin surface.
type Emulator struct {
	*process.Process
	URL string
	Caller
}

// StartEmulator starts an emulator and waits until it serves.
func (s *Stack) StartEmulator(ctx context.Context, flags ...string) (*Emulator, error) {
	p, address, err := s.serve(ctx, "emulator", s.Programs.Emulator, append([]string{"--listen=127.0.0.1:0"}, flags...)...)
	if err != nil {
		return nil, err
	}
	return &Emulator{Process: p, URL: address}, nil
}

// Endpoint is an endpoint as the emulator stores it, with what the vendor never shows again.
type Endpoint struct {
	ID         string         `json:"id"`
	URL        string         `json:"url"`
	Events     []string       `json:"events"`
	Status     string         `json:"status"`
	Metadata   map[string]any `json:"metadata"`
	APIVersion string         `json:"api_version"`
	UpdatedAt  string         `json:"updated_at"`
	Secret     string         `json:"secret"`
}

// Endpoints are those of an API key's workspace, or with an empty key all.
func (e *Emulator) Endpoints(ctx context.Context, apiKey string) ([]Endpoint, error) {
	var answer struct {
		Endpoints []Endpoint `json:"endpoints"`
	}
	err := e.call(ctx, http.MethodGet, e.URL+"/_emulator/endpoints?api_key="+url.QueryEscape(apiKey), nil, &answer)
	return answer.Endpoints, err
}

// Fire makes one event for every active endpoint of the API key's workspace.
func (e *Emulator) Fire(ctx context.Context, apiKey, eventType string) ([]emulator.FiredEvent, error) {
	var answer struct {
		Events []emulator.FiredEvent `json:"events"`
	}
	request := map[string]string{"api_key": apiKey, "type": eventType}
	err := e.call(ctx, http.MethodPost, e.URL+"/_emulator/events", request, &answer)
	return answer.Events, err
}

// Deliveries are the attempts to deliver an event, in their order.
func (e *Emulator) Deliveries(ctx context.Context, eventID string) ([]emulator.Delivery, error) {
	return e.deliveries(ctx, "event", eventID)
}

// DeliveriesTo are the attempts to deliver anything to an endpoint, in their order.
func (e *Emulator) DeliveriesTo(ctx context.Context, endpointID string) ([]emulator.Delivery, error) {
	return e.deliveries(ctx, "endpoint", endpointID)
}

func (e *Emulator) deliveries(ctx context.Context, filter, id string) ([]emulator.Delivery, error) {
	var answer struct {
		Deliveries []emulator.Delivery `json:"deliveries"`
	}
	err := e.call(ctx, http.MethodGet, e.URL+"/_emulator/deliveries?"+filter+"="+url.QueryEscape(id), nil, &answer)
	return answer.Deliveries, err
}

// Calls are the vendor calls that arrived, oldest first.
func (e *Emulator) Calls(ctx context.Context) ([]emulator.Call, error) {
	var answer struct {
		Calls []emulator.Call `json:"calls"`
	}
	err := e.call(ctx, http.MethodGet, e.URL+"/_emulator/calls", nil, &answer)
	return answer.Calls, err
}

// Counters are how many calls arrived, by operation and status.
func (e *Emulator) Counters(ctx context.Context) (emulator.Counters, error) {
	var counters emulator.Counters
	err := e.call(ctx, http.MethodGet, e.URL+"/_emulator/counters", nil, &counters)
	return counters, err
}

// ForgetCalls empties the log of calls, and starts counting anew.
func (e *Emulator) ForgetCalls(ctx context.Context) error {
	return e.call(ctx, http.MethodDelete, e.URL+"/_emulator/counters", nil, nil)
}

// LimitRate bounds the calls per second of the API key's workspace, which exists from then on; 0: no limit.
func (e *Emulator) LimitRate(ctx context.Context, apiKey string, perSecond float64) error {
	limits := map[string]any{"api_key": apiKey, "rate_limit": perSecond}
	return e.call(ctx, http.MethodPost, e.URL+"/_emulator/limits", limits, nil)
}

// Disable flips an endpoint as a person in the dashboard would.
func (e *Emulator) Disable(ctx context.Context, id string) error {
	return e.call(ctx, http.MethodPost, e.URL+"/_emulator/endpoints/"+url.PathEscape(id)+"/disable", nil, nil)
}

// SetKeyState makes an API key active, expired, revoked or forbidden.
func (e *Emulator) SetKeyState(ctx context.Context, apiKey, state string) error {
	key := map[string]string{"api_key": apiKey, "state": state}
	return e.call(ctx, http.MethodPost, e.URL+"/_emulator/keys", key, nil)
}

// Fault arms a fault; the fields are those of docs/emulator.md.
func (e *Emulator) Fault(ctx context.Context, fault map[string]any) error {
	return e.call(ctx, http.MethodPost, e.URL+"/_emulator/faults", fault, nil)
}
