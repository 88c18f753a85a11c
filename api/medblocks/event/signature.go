// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the header that carries the signature (vendor).
const SignatureHeader = "Medblocks-Signature"

// DefaultTolerance is how far the time in a signature may be from the receiver's
// clock, to either side (assumed).
const DefaultTolerance = 5 * time.Minute

// The ways in which a body is not an event to trust. Tell them apart with
// errors.Is; the texts around them may change.
var (
	// ErrMissingSignature: there is no signature at all. Somebody else called, or
	// a proxy dropped the header.
	ErrMissingSignature = errors.New("the signature header is missing")
	// ErrMalformedSignature: the header is not t=<seconds>,v1=<hex>.
	ErrMalformedSignature = errors.New("the signature header is malformed")
	// ErrTimestampOutsideWindow: the signature is genuine but too old or from the
	// future: a replay, or a clock that is wrong.
	ErrTimestampOutsideWindow = errors.New("the signature's time is outside the window")
	// ErrSignatureMismatch: no secret made any of the signatures. Forged, changed
	// on the way (was the body parsed and encoded again?), or the wrong secret.
	ErrSignatureMismatch = errors.New("no signature matches")
	// ErrNotAnEvent: the body is authentic but cannot be read as an event.
	ErrNotAnEvent = errors.New("the payload is not an event")
)

// ErrNoSecrets is not about the sender: the receiver has no secret to verify with.
var ErrNoSecrets = errors.New("there is no secret to verify with")

const (
	maxHeaderLength = 4096
	maxSignatures   = 16
	// maxTimestampDigits reaches the year 33658 and cannot overflow.
	maxTimestampDigits = 12
)

// Clock tells the time. k8s.io/utils/clock and its fakes are Clocks.
type Clock interface{ Now() time.Time }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// Verifier verifies signed bodies. Only Secrets is required; it is safe for
// concurrent use if its Secrets and Clock are.
type Verifier struct {
	Secrets SecretSource
	// Tolerance defaults to DefaultTolerance. A negative one accepts any time,
	// which is for reading stored deliveries and nothing else.
	Tolerance time.Duration
	// Clock defaults to the system's.
	Clock Clock
}

// ConstructEvent verifies and decodes a body with DefaultTolerance and the
// system's clock. The body must be the bytes that came over the wire. Every
// secret is accepted, so give the current and the previous one; empty ones are
// skipped. Its errors are those above; a failing one returns the zero Event.
func ConstructEvent(rawBody []byte, signatureHeader string, secrets ...string) (Event, error) {
	return Verifier{Secrets: StaticSecrets(secrets...)}.ConstructEvent(context.Background(), rawBody, signatureHeader)
}

// ConstructEvent verifies and decodes a body. The signature is looked at before
// its time, and both before the body: what an error says about the time or the
// body is said about something genuine.
func (v Verifier) ConstructEvent(ctx context.Context, rawBody []byte, signatureHeader string) (Event, error) {
	signed, err := parseSignatureHeader(signatureHeader)
	if err != nil {
		return Event{}, err
	}
	secrets, err := v.secrets(ctx)
	if err != nil {
		return Event{}, err
	}
	return v.construct(rawBody, signed, secrets)
}

func (v Verifier) construct(rawBody []byte, signed signature, secrets []string) (Event, error) {
	index := signed.matchingSecret(rawBody, secrets)
	if index < 0 {
		return Event{}, ErrSignatureMismatch
	}
	if err := v.checkTime(signed.at); err != nil {
		return Event{}, err
	}
	e, err := ParseUnverified(rawBody)
	if err != nil {
		return Event{}, err
	}
	e.SignedAt, e.SecretIndex = signed.at, index
	return e, nil
}

func (v Verifier) secrets(ctx context.Context) ([]string, error) {
	if v.Secrets == nil {
		return nil, ErrNoSecrets
	}
	secrets, err := v.Secrets.WebhookSecrets(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSecrets, err)
	}
	for _, secret := range secrets {
		if secret != "" {
			return secrets, nil
		}
	}
	return nil, ErrNoSecrets
}

func (v Verifier) checkTime(at time.Time) error {
	clock, tolerance := v.Clock, v.Tolerance
	if clock == nil {
		clock = systemClock{}
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	if off := clock.Now().Sub(at).Abs(); tolerance > 0 && off > tolerance {
		return fmt.Errorf("%w: it is %s off, %s is allowed", ErrTimestampOutsideWindow, off.Round(time.Second), tolerance)
	}
	return nil
}

// Sign returns the value of the signature header for a body, for senders and
// tests. The time is cut to seconds; it must not be before 1970.
func Sign(rawBody []byte, secret string, at time.Time) string {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + timestamp + ",v1=" + hex.EncodeToString(computeMAC(rawBody, secret, timestamp))
}

func computeMAC(rawBody []byte, secret, timestamp string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp))
	mac.Write([]byte{'.'})
	mac.Write(rawBody)
	return mac.Sum(nil)
}

// signature is a parsed header. The timestamp's own text is kept, because it is
// what was signed.
type signature struct {
	timestamp string
	at        time.Time
	macs      [][]byte
}

// parseSignatureHeader accepts several v1 signatures, as while a secret is being
// rotated, and skips schemes that it does not know, so that the vendor can add
// one. Two times, or none, are an error: which of them was signed?
func parseSignatureHeader(header string) (signature, error) {
	if strings.TrimSpace(header) == "" {
		return signature{}, ErrMissingSignature
	}
	if len(header) > maxHeaderLength {
		return signature{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformedSignature, maxHeaderLength)
	}
	var parsed signature
	for item := range strings.SplitSeq(header, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(item), "=")
		if !found {
			return signature{}, fmt.Errorf("%w: an item is not name=value", ErrMalformedSignature)
		}
		switch name {
		case "t":
			if err := parsed.setTime(value); err != nil {
				return signature{}, err
			}
		case "v1":
			parsed.addMAC(value)
		}
	}
	switch {
	case parsed.timestamp == "":
		return signature{}, fmt.Errorf("%w: no time", ErrMalformedSignature)
	case len(parsed.macs) == 0:
		return signature{}, fmt.Errorf("%w: no v1 signature", ErrMalformedSignature)
	case len(parsed.macs) > maxSignatures:
		return signature{}, fmt.Errorf("%w: more than %d signatures", ErrMalformedSignature, maxSignatures)
	}
	return parsed, nil
}

// addMAC skips what is no HMAC-SHA256: beside a good one it does no harm.
func (s *signature) addMAC(text string) {
	if mac, err := hex.DecodeString(text); err == nil && len(mac) == sha256.Size {
		s.macs = append(s.macs, mac)
	}
}

func (s *signature) setTime(text string) error {
	if s.timestamp != "" {
		return fmt.Errorf("%w: more than one time", ErrMalformedSignature)
	}
	if text == "" || len(text) > maxTimestampDigits || strings.Trim(text, "0123456789") != "" {
		return fmt.Errorf("%w: the time is not in seconds", ErrMalformedSignature)
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: the time is not in seconds", ErrMalformedSignature)
	}
	s.timestamp, s.at = text, time.Unix(seconds, 0).UTC()
	return nil
}

// matchingSecret returns the index of the first secret that made one of the
// signatures, or -1. It never leaves early and compares in constant time.
func (s signature) matchingSecret(rawBody []byte, secrets []string) int {
	match := -1
	for i, secret := range secrets {
		if secret == "" {
			continue // anybody can sign with an empty key
		}
		expected := computeMAC(rawBody, secret, s.timestamp)
		for _, mac := range s.macs {
			if hmac.Equal(mac, expected) && match < 0 {
				match = i
			}
		}
	}
	return match
}
