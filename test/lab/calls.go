// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// medblocks is the way to the vendor. A test of calls that hang has them end in real time.
func (op *Operator) medblocks() http.RoundTripper {
	if op.options.CallTimeout == 0 {
		return op.Wire.side(Medblocks, op.world.vendorRT)
	}
	wire := op.Wire.side(Medblocks, roundTripper(op.answer))
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		c := &call{}
		ctx, cancel := context.WithCancel(context.WithValue(req.Context(), callKey{}, c))
		go c.giveUp(ctx, cancel, op.options.CallTimeout)
		resp, err := wire.RoundTrip(req.WithContext(ctx))
		if err != nil {
			cancel()
			return nil, err
		}
		resp.Body = &body{ReadCloser: resp.Body, cancel: cancel}
		return resp, nil
	})
}

// answer has the vendor answer a call, and notes how long it is at work on that.
func (op *Operator) answer(req *http.Request) (*http.Response, error) {
	if c, ok := req.Context().Value(callKey{}).(*call); ok {
		c.answering.Store(true)
		defer c.answering.Store(false)
	}
	return op.world.vendorRT.RoundTrip(req)
}

type callKey struct{}

// call is a call that may hang.
type call struct{ answering atomic.Bool }

// giveUp ends the call after a while, unless it has ended. Where the vendor itself is at work on the answer, it does not hang: the
// machine is busy.
func (c *call) giveUp(ctx context.Context, cancel context.CancelFunc, after time.Duration) {
	timer := time.NewTimer(after)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if !c.answering.Load() {
			cancel()
			return
		}
		timer.Reset(after)
	}
}
