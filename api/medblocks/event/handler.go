// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// DefaultMaxBodyBytes is the most that a Handler reads of a body.
	DefaultMaxBodyBytes = 1 << 20
	// DefaultTimeout leaves the network a second of the vendor's five (vendor).
	DefaultTimeout = 4 * time.Second
	// DefaultSecretsWait leaves a second of the default timeout to handle the event.
	DefaultSecretsWait = 3 * time.Second
	// DefaultMaxWaiting takes some forty deliveries a second for the default wait.
	DefaultMaxWaiting = 128
)

// Outcome is what became of one delivery.
type Outcome string

// The outcomes, and the status that the sender gets for each.
const (
	// OutcomeHandled: handled now (200).
	OutcomeHandled Outcome = "handled"
	// OutcomeDuplicate: handled before (200).
	OutcomeDuplicate Outcome = "duplicate"
	// OutcomeInProgress: the same event is being handled right now. Not a success,
	// because that handling may still fail (503, so that the vendor asks again).
	OutcomeInProgress Outcome = "in_progress"
	// OutcomeRejected: not a request with a genuine event (400, 401, 405, 408, 413).
	OutcomeRejected Outcome = "rejected"
	// OutcomeFailed: the handler failed or panicked (500), or there were no
	// secrets or no deduplicator to work with (503).
	OutcomeFailed Outcome = "failed"
	// OutcomeTimedOut: the handler is still at work (503). A second report, with
	// Late set, says how it ended.
	OutcomeTimedOut Outcome = "timed_out"
)

// Delivery reports on one delivery.
type Delivery struct {
	Outcome Outcome
	// Event is the zero Event where no genuine one was found.
	Event Event
	// StatusCode is what the sender was answered; 0 if Late.
	StatusCode int
	// Err is nil for handled events and duplicates. It may come with a handled
	// event, if the deduplicator could not note it down.
	Err error
	// Late says that the sender was answered before the handler was done.
	Late bool
	// Waited is how long the delivery waited for other secrets: 0 if its signature
	// was known at once, if it was not let wait, and if Late.
	Waited time.Duration
	// Duration since the request began.
	Duration time.Duration
}

// Options of a Handler. Handle and Verifier.Secrets are required.
type Options struct {
	Verifier Verifier
	// Handle is given each event once. An error, or a panic, is answered with 500
	// and forgets the event, so that the vendor's next attempt gets here again:
	// return nil for an event that you do not want. Its context ends at Timeout,
	// not when the sender hangs up: an answer that nobody hears is no reason to
	// stop half-way. A Handle that is still at work then is answered with 503 and
	// left to finish; if it does so without an error, the vendor's next attempt is
	// a duplicate.
	Handle func(ctx context.Context, e Event) error
	// Deduplicator defaults to a NewMemoryDeduplicator.
	Deduplicator Deduplicator
	// MaxBodyBytes defaults to DefaultMaxBodyBytes.
	MaxBodyBytes int64
	// Timeout bounds one delivery from reading the body to the answer; it defaults
	// to DefaultTimeout.
	Timeout time.Duration
	// SecretsWait is how long after its beginning a delivery may still wait for
	// other secrets, if its signature is well-formed and of the present but made by
	// none that is known, or if none is there: Medblocks signs with a new secret at
	// once, and that reaches a mounted Secret only some time later. Secrets are
	// looked at ten times a second meanwhile. The wait ends early with the request's
	// context, that is, when the sender hangs up or the server's BaseContext ends.
	// It defaults to DefaultSecretsWait, is at most three quarters of Timeout, and
	// negative means that nothing waits. Nothing waits for StaticSecrets and
	// SecretsFromEnv either.
	SecretsWait time.Duration
	// MaxWaiting bounds how many deliveries wait at once; further ones are refused
	// at once. It defaults to DefaultMaxWaiting.
	MaxWaiting int
	// Observe, when set, is told about every delivery just before it is answered.
	// It must not block, and is called from several goroutines.
	Observe func(Delivery)
}

type handler struct {
	Options
	lookout *lookout
}

// NewHandler returns a handler for the path that the endpoint's URL names. Mount
// it on any mux; it answers POST alone. It panics without Handle or
// Verifier.Secrets, as it could only ever fail.
func NewHandler(options Options) http.Handler {
	if options.Handle == nil || options.Verifier.Secrets == nil {
		panic("event: NewHandler needs Handle and Verifier.Secrets")
	}
	if options.Deduplicator == nil {
		options.Deduplicator = NewMemoryDeduplicator(0)
	}
	if options.MaxBodyBytes <= 0 {
		options.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if options.Timeout <= 0 {
		options.Timeout = DefaultTimeout
	}
	if options.SecretsWait == 0 {
		options.SecretsWait = DefaultSecretsWait
	}
	options.SecretsWait = min(options.SecretsWait, options.Timeout*3/4)
	if options.MaxWaiting <= 0 {
		options.MaxWaiting = DefaultMaxWaiting
	}
	return &handler{options, &lookout{Verifier: options.Verifier, limit: options.MaxWaiting}}
}

// ServeHTTP answers one delivery.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	report := h.serve(w, r, start)
	report.Duration = time.Since(start)
	if h.Observe != nil {
		h.Observe(report) // before the answer: whoever has that finds the delivery observed
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(report.StatusCode)
	_, _ = io.WriteString(w, answerText(report)+"\n")
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, start time.Time) Delivery {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return rejected(http.StatusMethodNotAllowed, errors.New("only POST is accepted"))
	}
	// A sender that trickles its body must not hold the connection for ever. Not
	// every ResponseWriter can do this; those that cannot have their own limits.
	_ = http.NewResponseController(w).SetReadDeadline(start.Add(h.Timeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.MaxBodyBytes))
	if err != nil {
		return rejected(statusOfReadError(err), err)
	}
	// The handler has its own deadline: this one must not cut a later request on
	// the same connection.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	ctx, cancel := context.WithDeadline(context.WithoutCancel(r.Context()), start.Add(h.Timeout))

	e, waited, err := h.construct(ctx, r, body, start)
	if err != nil {
		cancel()
		report := refused(err)
		report.Waited = waited
		return report
	}
	report := h.process(ctx, cancel, e, start)
	report.Waited = waited
	return report
}

// process waits for the handler no longer than the deadline, whether or not the
// handler heeds it.
func (h *handler) process(ctx context.Context, cancel context.CancelFunc, e Event, start time.Time) Delivery {
	answered := make(chan Delivery) // unbuffered: whether somebody still waits decides who reports
	abandoned := make(chan struct{})
	go func() {
		defer cancel()
		report := h.handleOnce(ctx, e)
		select {
		case answered <- report:
		case <-abandoned:
			report.Late, report.StatusCode, report.Duration = true, 0, time.Since(start)
			if h.Observe != nil {
				h.Observe(report)
			}
		}
	}()
	timer := time.NewTimer(time.Until(start.Add(h.Timeout)))
	defer timer.Stop()
	select {
	case report := <-answered:
		return report
	case <-timer.C:
		close(abandoned)
		return Delivery{
			Outcome: OutcomeTimedOut, Event: e, StatusCode: http.StatusServiceUnavailable,
			Err: fmt.Errorf("not handled within %s", h.Timeout),
		}
	}
}

// handleOnce hands the event over unless somebody has it or had it.
func (h *handler) handleOnce(ctx context.Context, e Event) Delivery {
	claim, err := h.Deduplicator.Claim(ctx, e.ID)
	switch {
	case err != nil:
		return Delivery{
			Outcome: OutcomeFailed, Event: e, StatusCode: http.StatusServiceUnavailable,
			Err: fmt.Errorf("deduplicator: %w", err),
		}
	case claim == Done:
		return Delivery{Outcome: OutcomeDuplicate, Event: e, StatusCode: http.StatusOK}
	case claim == InProgress:
		return Delivery{
			Outcome: OutcomeInProgress, Event: e, StatusCode: http.StatusServiceUnavailable,
			Err: errors.New("the same event is being handled"),
		}
	}
	handleErr := h.callHandle(ctx, e)
	// The claim ends even when the handler has used up all the time.
	endCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.Timeout)
	defer cancel()
	if handleErr != nil {
		if err := h.Deduplicator.Release(endCtx, e.ID); err != nil {
			handleErr = errors.Join(handleErr, fmt.Errorf("deduplicator: %w", err))
		}
		return Delivery{Outcome: OutcomeFailed, Event: e, StatusCode: http.StatusInternalServerError, Err: handleErr}
	}
	// A handled event that could not be noted down was handled all the same:
	// anything but success would only have it handled twice.
	report := Delivery{Outcome: OutcomeHandled, Event: e, StatusCode: http.StatusOK}
	if err := h.Deduplicator.Complete(endCtx, e.ID); err != nil {
		report.Err = fmt.Errorf("deduplicator: %w", err)
	}
	return report
}

func (h *handler) callHandle(ctx context.Context, e Event) (err error) {
	// A panic here is not on the server's goroutine, so nobody else would catch it.
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the handler panicked: %v", cause)
		}
	}()
	return h.Handle(ctx, e)
}
