// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// CrashKind says when, around a write, the operator dies.
type CrashKind string

// The three moments at which a write can be cut off.
const (
	// BeforeSent: the write never leaves.
	BeforeSent CrashKind = "before it is sent"
	// AnswerLost: the write takes effect, and its answer never arrives.
	AnswerLost CrashKind = "after its effect"
	// AnswerArrived: the answer arrives, and nothing is done with it that others could see.
	AnswerArrived CrashKind = "after its answer"
)

// CrashKinds are all of them.
func CrashKinds() []CrashKind { return []CrashKind{BeforeSent, AnswerLost, AnswerArrived} }

// CrashAt ends the operator around its write number k since Intercept: it cuts the wire.
func CrashAt(k int, kind CrashKind) Middleware {
	return func(w *Wire, r *Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Write != k {
			return send()
		}
		if kind == BeforeSent {
			w.Cut()
			return nil, ErrCut
		}
		resp, err := send()
		if err != nil {
			w.Cut()
			return nil, err
		}
		content, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		w.Cut()
		if kind == AnswerLost || err != nil {
			return nil, ErrCut
		}
		resp.Body = io.NopCloser(bytes.NewReader(content))
		return resp, nil
	}
}

// Point names where an operator died.
func (k CrashKind) Point(number int, r Request) string {
	return fmt.Sprintf("write %d (%s), %s", number, r.String(), k)
}
