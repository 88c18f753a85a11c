// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"time"

	"github.com/medblocks/webhook-operator/test/lab"
)

var errReset = fmt.Errorf("read tcp: %w", syscall.ECONNRESET)

var errGaveUp = errors.New("the caller gave up")

// connections are faults of the way there or back.
func connections() []Fault {
	reset := func(*lab.World, *lab.Request) (*http.Response, error) { return nil, errReset }
	hang := func(_ *lab.World, r *lab.Request) (*http.Response, error) {
		<-r.Done()
		return nil, errGaveUp
	}
	return []Fault{
		{Name: "reset", Kind: "reset", Befalls: always, New: instead(reset)},
		{Name: "lost answer", Kind: "lost answer", Befalls: writes, New: after(reset)},
		{Name: "hang", Kind: "hang", Hangs: true, Befalls: always, New: instead(hang)},
		{Name: "hang after the effect", Kind: "hang", Hangs: true, Befalls: writes, New: after(hang)},
		{Name: "slow drip", Kind: "slow drip", Hangs: true, Befalls: always, New: drip},
		{Name: "effect after the caller gave up", Kind: "late effect", Befalls: writes, New: late},
	}
}

// drip lets an answer arrive so slowly that its end never comes.
func drip(*lab.World) lab.Middleware {
	return func(_ *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		resp, err := send()
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
		return response(resp.StatusCode, resp.Header, &dripping{done: r.Done()}), nil
	}
}

// dripping is a body of white space that ends when the caller gives up.
type dripping struct{ done <-chan struct{} }

func (d *dripping) Read(p []byte) (int, error) {
	timer := time.NewTimer(5 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-d.done:
		return 0, io.ErrUnexpectedEOF
	case <-timer.C:
		p[0] = ' '
		return 1, nil
	}
}

// lateBy is how much later than its caller has given up a call takes effect: within the time that a call may be in flight.
const lateBy = 20 * time.Second

// late loses the connection at once, and has the call take effect later all the same.
func late(world *lab.World) lab.Middleware {
	return func(w *lab.Wire, r *lab.Request, _ func() (*http.Response, error)) (*http.Response, error) {
		timer := world.Clock.NewTimer(lateBy)
		call := httptest.NewRequest(r.Method, r.Path, strings.NewReader(r.Body))
		call.Header.Set("Authorization", "Bearer "+world.Key)
		go func() {
			select {
			case <-timer.C():
				world.Vendor.ServeHTTP(httptest.NewRecorder(), call)
			case <-w.Done():
			}
		}()
		return nil, errReset
	}
}
