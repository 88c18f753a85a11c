// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"k8s.io/utils/clock"
)

// Options configure a Server. The zero value works.
type Options struct {
	// Clock is the emulator's time: created_at, the retry schedule, the
	// redelivery limit. Default: the real clock. A clock/testing.FakeClock works;
	// see the package documentation for how a test steps it.
	Clock clock.Clock
	// APIKeys are the only keys that open a workspace, one each. Without any,
	// every well-formed key (mb_sk_sbx_…, mb_sk_live_…) opens its own on first use.
	APIKeys []string
	// APIVersions are accepted in the Version header beside DefaultAPIVersion.
	APIVersions []string
	// TimeScale is how many times faster than real the retry schedule runs: with
	// 3600 an hour takes a second. Values below or equal to 0 mean 1. It scales
	// neither the 5 s timeout of an attempt nor the redelivery limit.
	TimeScale float64
	// MaxEndpoints is the endpoint limit of every workspace; 0 means none. The
	// vendor has one, but does not publish the number [doc].
	MaxEndpoints int
	// Latency is how long every vendor call takes, on the wall clock, before it
	// takes effect; LatencyJitter adds up to as much again, evenly spread.
	Latency, LatencyJitter time.Duration
	// RateLimit is how many calls per second a workspace may make, and RateBurst
	// how many at once (default: a second's worth). More are answered with 429
	// and Retry-After. 0 means no limit. The vendor has one, but does not publish
	// the number [assumed].
	RateLimit float64
	RateBurst int
	// MaxBodyBytes is the largest request body; more is a 413. Default 1 MiB [assumed].
	MaxBodyBytes int64
	// RedeliveryInterval is the least time between two redeliveries of one event. Default one minute [doc].
	RedeliveryInterval time.Duration
	// DeliveryTimeout is the time a receiver has for its answer, on the wall
	// clock. Default 5 s [doc]; a test of slow receivers may shorten it.
	DeliveryTimeout time.Duration
	// DeliveryClient sends the deliveries, for example one that trusts a test CA.
	// Redirects are not followed whatever its CheckRedirect says. The default
	// verifies TLS against the system's roots, uses no proxy, and connects to
	// loopback addresses only, unless DeliverAnywhere is set.
	DeliveryClient *http.Client
	// DeliveryTLS configures TLS of the default DeliveryClient, for example with
	// a certificate authority to trust.
	DeliveryTLS *tls.Config
	// DeliverAnywhere lets the default DeliveryClient connect to any address.
	// Without it an attempt to reach another machine fails without a packet sent:
	// a test that registers https://api.example.com must not post to it.
	DeliverAnywhere bool
	// Quirks are the initial quirks.
	Quirks Quirks
	// Hook, when set, sees every vendor call twice. See Hook.
	Hook Hook
	// Logger gets one line per vendor call and per delivery attempt. It is never
	// given API keys or secrets. Default: none.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.TimeScale <= 0 {
		o.TimeScale = 1
	}
	if o.MaxBodyBytes <= 0 {
		o.MaxBodyBytes = 1 << 20
	}
	if o.RedeliveryInterval <= 0 {
		o.RedeliveryInterval = time.Minute
	}
	if o.DeliveryTimeout <= 0 {
		o.DeliveryTimeout = attemptTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Phase tells when a Hook is called.
type Phase string

const (
	// PhaseBefore is before authentication and validation: nothing has happened yet.
	PhaseBefore Phase = "before"
	// PhaseAfterEffect is after the call took effect, before its answer is sent.
	PhaseAfterEffect Phase = "after_effect"
)

// HookCall is what a Hook is told.
type HookCall struct {
	Operation Operation
	Phase     Phase
	APIKey    string
	// ID is the endpoint or event in the path, if any.
	ID        string
	RequestID string
	// Status is the answer's status, in PhaseAfterEffect only.
	Status int
}

// Hook intercepts vendor calls, for tests that must act between two writes (stop
// the operator, change an endpoint, hold an answer back). It runs on the call's
// own goroutine with no lock held, so it may block and may use the Server. An
// error cuts the connection: in PhaseBefore nothing happens at the vendor, in
// PhaseAfterEffect the answer is lost.
type Hook func(HookCall) error
