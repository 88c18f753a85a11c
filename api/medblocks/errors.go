// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// ErrInvalidArgument is wrapped by the error of a call that was not made, because
// an argument cannot be sent: an id that is no id, a change that changes nothing.
var ErrInvalidArgument = errors.New("invalid argument")

// APIError is an answer outside 2xx. Redirects are such answers: they are not
// followed, because the key would travel with them. All texts are bounded, on one
// line, and free of credentials, also when the answer quoted some.
type APIError struct {
	Operation  Operation
	StatusCode int
	// Type, Code, Message, Param and DocURL are the vendor's; empty when the
	// answer did not say.
	Type, Code, Message, Param, DocURL string
	RequestID                          string
	// RetryAfter is how long the answer asked to wait, from 0 to MaxRetryAfter.
	RetryAfter time.Duration
	// HasRetryAfter is false when the header was missing or meant nothing.
	HasRetryAfter bool
	// Envelope says that the body was the vendor's own error envelope. Without it
	// anything between here and the vendor may have answered.
	Envelope bool

	// origin describes an answer that is not the vendor's envelope.
	origin string
}

// Error holds the request id, so it is for logs; see Summary for conditions.
func (e *APIError) Error() string {
	text := fmt.Sprintf("%s: %s", e.Operation, e.summary())
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

func (e *APIError) summary() string {
	parts := []string{strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode)))}
	if name := strings.Trim(e.Type+"/"+e.Code, "/"); name != "" {
		parts = append(parts, name)
	}
	if e.Message != "" {
		message := e.Message
		if e.RequestID != "" {
			message = strings.ReplaceAll(message, e.RequestID, "…")
		}
		parts = append(parts, message)
	}
	if e.Param != "" {
		parts = append(parts, "field "+e.Param)
	}
	if !e.Envelope && e.origin != "" {
		parts = append(parts, e.origin)
	}
	return strings.Join(parts, ": ")
}

// TransportError means that no answer arrived: network, proxy, TLS, timeout or a
// cancelled context. Whether the call had its effect is unknown.
type TransportError struct {
	Operation Operation
	// Err is the cause, without the key.
	Err error
}

// Error names the operation and the cause. It may hold addresses and port
// numbers that differ each time; see Summary.
func (e *TransportError) Error() string { return fmt.Sprintf("%s: no answer: %v", e.Operation, e.Err) }

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

func (e *TransportError) summary() string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		record      tls.RecordHeaderError
		network     net.Error
	)
	switch {
	case errors.Is(e.Err, context.Canceled):
		return "the call was cancelled"
	case errors.As(e.Err, &dns):
		return "no answer: the host name cannot be resolved"
	case errors.As(e.Err, &certificate), errors.As(e.Err, &authority):
		return "no answer: the server's TLS certificate cannot be verified"
	case errors.As(e.Err, &record):
		return "no answer: the server does not speak TLS"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "no answer: connection refused"
	case errors.Is(e.Err, syscall.ECONNRESET), errors.Is(e.Err, io.EOF), errors.Is(e.Err, io.ErrUnexpectedEOF):
		return "no answer: the connection was closed before an answer"
	case errors.Is(e.Err, context.DeadlineExceeded), errors.As(e.Err, &network) && network.Timeout():
		return "no answer in time"
	}
	return "no answer: network error"
}

// MalformedError is a 2xx answer that cannot be used: not JSON, cut short, too
// large, of another object, or without something that must be there. The call
// may well have had its effect.
type MalformedError struct {
	Operation  Operation
	StatusCode int
	RequestID  string
	// Reason says what is wrong, without quoting the answer.
	Reason string

	tooLarge bool
}

// Error holds the request id, so it is for logs; see Summary for conditions.
func (e *MalformedError) Error() string {
	text := fmt.Sprintf("%s: %s", e.Operation, e.summary())
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

func (e *MalformedError) summary() string {
	return fmt.Sprintf("unusable answer (status %d): %s", e.StatusCode, e.Reason)
}

// Summary is the text of err that stays the same when the same thing goes wrong
// again: no request ids, times, addresses or ports. It is what belongs into a
// condition; err.Error() is what belongs into a log. "" for nil.
func Summary(err error) string {
	var (
		api       *APIError
		transport *TransportError
		malformed *MalformedError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &api):
		return api.summary()
	case errors.As(err, &transport):
		return transport.summary()
	case errors.As(err, &malformed):
		return malformed.summary()
	}
	return err.Error()
}
