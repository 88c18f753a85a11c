// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/lab"
)

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(time.Minute)
	lab.Main(m, lab.Options{})
}

const (
	hooks   = "hooks"
	signing = hooks + "-signing-secret"
)

// pause is an operator whose process stops running in the middle of a request.
type pause struct {
	// reached is closed when it has stopped.
	reached chan struct{}
	resume  chan struct{}
}

// pauseAt stops an operator at its first request of that kind: before it is sent, or when its answer has arrived but was not
// read yet. Nothing of the operator passes until it is resumed.
func pauseAt(op *lab.Operator, method, path string, afterEffect bool) *pause {
	p := &pause{reached: make(chan struct{}), resume: make(chan struct{})}
	first := true
	op.Wire.Intercept(func(w *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		select {
		case <-p.reached:
			return p.held(w, send)
		default:
		}
		if r.Side != lab.Medblocks || r.Method != method || r.Path != path || !first {
			return send()
		}
		first = false
		if !afterEffect {
			op.Pause()
			close(p.reached)
			return p.held(w, send)
		}
		resp, err := send()
		op.Pause()
		close(p.reached)
		return p.held(w, func() (*http.Response, error) { return resp, err })
	})
	return p
}

func (p *pause) held(w *lab.Wire, send func() (*http.Response, error)) (*http.Response, error) {
	select {
	case <-p.resume:
		return send()
	case <-w.Done():
		return nil, lab.ErrCut
	}
}
