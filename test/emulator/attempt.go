// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// maxResponseBody bounds what is kept of a receiver's answer. The vendor does
// not document its bound [assumed].
const maxResponseBody = 1024

// attempt makes one attempt and records what came of it.
func (w *worker) attempt(ctx context.Context, ev *event, redelivery bool) {
	d, secrets := w.begin(ev, redelivery)
	d.Signature = signature(ev.payload, d.At, secrets)
	w.post(ctx, &d, ev.payload)
	if w.s.ctx.Err() != nil {
		return // aborted by Close: the receiver is not to blame
	}
	w.s.opts.Logger.Info("delivery attempt", "event", d.EventID, "endpoint", d.WebhookEndpointID, "attempt", d.Attempt,
		"redelivery", redelivery, "status", d.StatusCode, "error", d.Error)
	w.end(ev, d)
}

// begin fixes what the attempt is made with: URL and secret of this moment.
func (w *worker) begin(ev *event, redelivery bool) (Delivery, []string) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	ev.inflight++
	e := ev.endpoint
	secrets := []string{e.secret}
	if w.s.quirks.RotateOverlap && e.previousSecret != "" {
		secrets = append(secrets, e.previousSecret)
	}
	return Delivery{
		EventID: ev.ID, WebhookEndpointID: e.ID, Type: ev.Type, Attempt: ev.Attempts + ev.inflight,
		Redelivery: redelivery, At: w.s.opts.Clock.Now(), URL: e.URL, Body: string(ev.payload),
	}, secrets
}

// post sends the delivery and fills in the answer. The timeout is wall-clock
// time: a fake clock does not make a receiver faster.
func (w *worker) post(ctx context.Context, d *Delivery, payload []byte) {
	ctx, cancel := context.WithTimeout(ctx, w.s.opts.DeliveryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(payload))
	if err != nil {
		d.Error = err.Error()
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Medblocks-Webhooks/1.0 (emulator)")
	req.Header.Set(SignatureHeader, d.Signature)
	resp, err := w.client.Do(req)
	if err != nil {
		d.Error = err.Error()
		return
	}
	defer resp.Body.Close()
	d.StatusCode = resp.StatusCode
	// The status decides; a body that breaks off is kept as far as it came.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxResponseBody))
	d.ResponseBody = strings.ToValidUTF8(string(body), "\uFFFD")
}

// end writes the attempt into the event's record and decides what is next.
func (w *worker) end(ev *event, d Delivery) {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries = appendBounded(s.deliveries, d, maxDeliveries)
	ev.inflight--
	if s.events[ev.ID] != ev {
		return // deleted meanwhile
	}
	if !d.Redelivery || !s.quirks.RedeliveryNotCounted {
		ev.Attempts++
	}
	ev.LastStatusCode, ev.LastResponseBody = nil, nil
	if d.StatusCode != 0 {
		ev.LastStatusCode, ev.LastResponseBody = &d.StatusCode, &d.ResponseBody
	}
	now := s.opts.Clock.Now()
	if d.StatusCode >= 200 && d.StatusCode < 300 {
		w.cancel(ev)
		ev.endpoint.markDelivered(ev, now)
		return
	}
	if !d.Redelivery {
		w.failed(ev, now)
	}
}

// failed plans the next attempt of the schedule, or disables the endpoint after the ninth; s.mu is held.
func (w *worker) failed(ev *event, now time.Time) {
	ev.scheduled++
	w.cancel(ev)
	switch {
	case ev.DeliveredAt != nil: // a redelivery was faster
	case ev.scheduled >= maxAttempts:
		w.disable(ev.endpoint, now)
	case ev.endpoint.Status == StatusActive:
		w.schedule(ev, now.Add(w.delay(ev.scheduled+1)))
	case w.s.quirks.ResumeRetries:
		w.park(ev)
	}
}

// disable is the silent flip of the documentation: no event announces it.
func (w *worker) disable(e *endpoint, now time.Time) {
	if e.Status != StatusActive {
		return
	}
	w.s.opts.Logger.Info("endpoint disabled after the last attempt of an event failed", "endpoint", e.ID)
	w.s.changeEndpoint(e, now, func(e *Endpoint) { e.Status = StatusDisabled })
}

// deliveryClient is the client of Options, or the default one.
func deliveryClient(o Options) *http.Client {
	client := &http.Client{}
	if o.DeliveryClient != nil {
		*client = *o.DeliveryClient
	} else {
		dialer := &net.Dialer{Timeout: attemptTimeout}
		dial := dialer.DialContext
		if !o.DeliverAnywhere {
			dial = loopbackOnly(dialer)
		}
		client.Transport = &http.Transport{
			DialContext: dial, TLSClientConfig: o.DeliveryTLS,
			// A receiver that was restarted must not fail an attempt because of a connection to its predecessor.
			DisableKeepAlives: true,
		}
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// loopbackOnly refuses other hosts by name, before any look-up, and other
// addresses at the connection itself.
func loopbackOnly(dialer *net.Dialer) func(context.Context, string, string) (net.Conn, error) {
	dialer.Control = func(_, address string, _ syscall.RawConn) error {
		if a, err := netip.ParseAddrPort(address); err != nil || !a.Addr().IsLoopback() {
			return fmt.Errorf("the emulator delivers to this machine only, not to %s", address)
		}
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		addr, notIP := netip.ParseAddr(host)
		if host != "localhost" && !strings.HasSuffix(host, ".localhost") && (notIP != nil || !addr.IsLoopback()) {
			return nil, fmt.Errorf("the emulator delivers to this machine only, not to %s", host)
		}
		return dialer.DialContext(ctx, network, address)
	}
}
