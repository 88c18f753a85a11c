// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"slices"
	"time"
)

// FaultKind says what goes wrong.
type FaultKind string

// Kinds that replace the answer. The call has no effect, unless AfterEffect is set.
const (
	// FaultStatus answers Status (default 500) with the vendor's error envelope.
	FaultStatus FaultKind = "status"
	// FaultUnavailable answers Status (default 503) with an empty body, as a load balancer does.
	FaultUnavailable FaultKind = "unavailable"
	// FaultHTML answers Status (default 502) with an HTML page.
	FaultHTML FaultKind = "html"
	// FaultHang answers nothing until the client gives up.
	FaultHang FaultKind = "hang"
	// FaultReset resets the connection.
	FaultReset FaultKind = "reset"
	// FaultRedirect answers Status (default 307) with Location.
	FaultRedirect FaultKind = "redirect"
	// FaultLostAnswer takes effect and cuts the connection: FaultReset with AfterEffect.
	FaultLostAnswer FaultKind = "lost_answer"
	// FaultLateEffect cuts the connection at once and takes effect only after Delay.
	FaultLateEffect FaultKind = "late_effect"
)

// Kinds that take effect, and spoil a successful answer.
const (
	// FaultDelay is right in everything, but takes Delay. The effect comes after
	// the delay (even when the client has gone), or before it with AfterEffect.
	FaultDelay FaultKind = "delay"
	// FaultEmptyBody keeps the status and sends no body.
	FaultEmptyBody FaultKind = "empty_body"
	// FaultTruncatedJSON sends the first half of the JSON as if that were all.
	FaultTruncatedJSON FaultKind = "truncated_json"
	// FaultTruncatedPage announces the whole body, and cuts the connection in the middle.
	FaultTruncatedPage FaultKind = "truncated_page"
	// FaultStalledBody sends half of the body, and then nothing until the client gives up.
	FaultStalledBody FaultKind = "stalled_body"
	// FaultTrailingJunk sends more after the JSON value.
	FaultTrailingJunk FaultKind = "trailing_junk"
	// FaultHugeBody pads the JSON to 8 MiB.
	FaultHugeBody FaultKind = "huge_body"
	// FaultGzipBomb pads it to 16 MiB, compressed to some 16 KiB.
	FaultGzipBomb FaultKind = "gzip_bomb"
	// FaultWrongID answers with an id that was not asked for (in a list: on the first item).
	FaultWrongID FaultKind = "wrong_id"
	// FaultNoID leaves the id out (in a list: of the first item).
	FaultNoID FaultKind = "no_id"
	// FaultNoSecret leaves the secret out.
	FaultNoSecret FaultKind = "no_secret"
)

// Kinds for lists.
const (
	// FaultPartialPage sends half of the page with has_more, and fails the page after it with Status (default 500).
	FaultPartialPage FaultKind = "partial_page"
	// FaultShortPage sends half of the page and says that this was all.
	FaultShortPage FaultKind = "short_page"
	// FaultRepeatedCursor sends a page whose next_cursor leads to the same page again.
	FaultRepeatedCursor FaultKind = "repeated_cursor"
	// FaultNoCursor says has_more without a next_cursor.
	FaultNoCursor FaultKind = "no_cursor"
	// FaultStaleList answers as before the last Lag writes (default 1). Endpoints only.
	FaultStaleList FaultKind = "stale_list"
)

// FaultKinds lists all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultStatus, FaultUnavailable, FaultHTML, FaultHang, FaultReset, FaultRedirect, FaultLostAnswer, FaultLateEffect,
		FaultDelay, FaultEmptyBody, FaultTruncatedJSON, FaultTruncatedPage, FaultStalledBody, FaultTrailingJunk,
		FaultHugeBody, FaultGzipBomb, FaultWrongID, FaultNoID, FaultNoSecret,
		FaultPartialPage, FaultShortPage, FaultRepeatedCursor, FaultNoCursor, FaultStaleList,
	}
}

// Fault makes the next Times calls of an operation go wrong. Faults are used up
// in the order they were armed; a call meets at most one.
type Fault struct {
	// Operation defaults to OperationAny.
	Operation Operation
	// Times defaults to 1; −1 means until cleared.
	Times int
	// APIKey restricts the fault to calls with this key.
	APIKey string
	Kind   FaultKind
	// AfterEffect lets the kinds that replace the answer take effect first.
	AfterEffect bool
	Status      int
	// Type, Code, Message and Param fill the envelope; each has a default that fits Status.
	Type    string
	Code    string
	Message string
	Param   string
	// RetryAfter is sent as it is in a Retry-After header, if set: seconds, a date, or nonsense.
	RetryAfter string
	// Location of FaultRedirect.
	Location string
	// Delay comes before whatever the kind does. It is wall-clock time whatever
	// Options.Clock is, since the client's timeout that it is there to test is too.
	Delay time.Duration
	// Lag of FaultStaleList, in writes.
	Lag int
}

type armedFault struct {
	Fault
	// continuation faults hit only a list's second and later pages.
	continuation bool
}

// replaces tells the kinds that send something other than the call's answer.
func (f *Fault) replaces() bool {
	switch f.Kind {
	case FaultStatus, FaultUnavailable, FaultHTML, FaultHang, FaultReset, FaultRedirect, FaultLostAnswer, FaultLateEffect:
		return true
	}
	return false
}

func (f *Fault) effectFirst() bool {
	return f.AfterEffect || f.Kind == FaultLostAnswer
}

func (f *Fault) status(fallback int) int {
	if f.Status != 0 {
		return f.Status
	}
	return fallback
}

// apiError is the envelope of a fault, with defaults that fit the status.
func (f *Fault) apiError() *apiError {
	status := f.status(500)
	kind, code := typeOfStatus(status)
	e := &apiError{
		status: status, kind: kind, code: code, message: "Injected fault", param: f.Param, retryAfter: f.RetryAfter,
	}
	if f.Type != "" {
		e.kind = f.Type
	}
	if f.Code != "" {
		e.code = f.Code
	}
	if f.Message != "" {
		e.message = f.Message
	}
	return e
}

func (f *Fault) validate() error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("emulator: unknown fault kind %q, want one of %q", f.Kind, FaultKinds())
	}
	if f.Operation != OperationAny && !slices.Contains(Operations(), f.Operation) {
		return fmt.Errorf("emulator: unknown operation %q, want one of %q or %q", f.Operation, Operations(), OperationAny)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("emulator: status %d is not from 200 to 599", f.Status)
	}
	if f.Times < -1 || f.Delay < 0 || f.Lag < 0 {
		return fmt.Errorf("emulator: times, delay and lag must not be negative (times may be -1)")
	}
	return nil
}

func (f Fault) withDefaults() Fault {
	if f.Operation == "" {
		f.Operation = OperationAny
	}
	if f.Times == 0 {
		f.Times = 1
	}
	return f
}

// InjectFault arms a fault. It panics on a kind or an operation that does not
// exist: a test with such a fault would prove nothing.
func (s *Server) InjectFault(f Fault) {
	if err := s.injectFault(f); err != nil {
		panic(err)
	}
}

func (s *Server) injectFault(f Fault) error {
	f = f.withDefaults()
	if err := f.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &armedFault{Fault: f})
	return nil
}

// ClearFaults disarms all faults. Calls that one already holds stay held.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Faults lists what is still armed, with the number of calls left in Times.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Fault{}
	for _, f := range s.faults {
		out = append(out, f.Fault)
	}
	return out
}

// takeFault uses up one call of the first fault that matches, if any.
func (s *Server) takeFault(c *call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		matches := (f.Operation == OperationAny || f.Operation == c.op) &&
			(f.APIKey == "" || f.APIKey == c.key) &&
			(!f.continuation || c.query.Has("starting_after"))
		if !matches {
			continue
		}
		taken := f.Fault
		if f.Times > 0 {
			f.Times--
		}
		if f.Times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return &taken
	}
	return nil
}
