// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"context"
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// earlyWarning is after how many failed attempts an event makes deliveries unhealthy: the fourth one comes half an hour after the third.
const earlyWarning = 3

// deliveriesQuery asks for a page of an endpoint's newest events.
type deliveriesQuery struct {
	endpointID string
	// undelivered: only those that were not delivered.
	undelivered bool
}

// deliveries are the newest events of an endpoint: one page.
type deliveries struct {
	deliveriesQuery
	err    error
	events []medblocks.EventRecord
	// complete: there are no older ones.
	complete bool
}

// How soon the events are looked at after a look that failed, and after a restart, at the latest.
const (
	monitorRetry  = 5 * time.Minute
	monitorSpread = 15 * time.Minute
)

// observeDeliveries makes one call.
func (r *Reconciler) observeDeliveries(ctx context.Context, w *work, query deliveriesQuery) {
	is := r.lookAtDeliveries(ctx, w, query)
	now, interval := r.Clock.Now(), w.res.MonitoringInterval()
	w.mem.monitorDue = now.Add(interval - interval/20 + spread(interval/10, string(w.res.UID), now.String()))
	if is.err != nil {
		w.mem.monitorDue = now.Add(min(interval, monitorRetry))
	}
	w.mem.monitorInterval = interval
	w.obs.deliveries, w.obs.monitorDue = is, w.mem.monitorDue
}

func (r *Reconciler) lookAtDeliveries(ctx context.Context, w *work, query deliveriesQuery) *deliveries {
	is := &deliveries{deliveriesQuery: query}
	options := medblocks.ListEventsOptions{}
	if query.undelivered {
		options.Delivered = new(bool)
	}
	for event, err := range w.account.ListEvents(ctx, query.endpointID, options) {
		if err != nil {
			is.err = err
			return is
		}
		if is.events = append(is.events, event); len(is.events) == medblocks.DefaultPageSize {
			return is // to go on would be another call
		}
	}
	is.complete = true
	return is
}

// monitorDue is when the events are to be looked at next: at once where that is new or has changed. After a restart, those of a fleet are
// not looked at all at once.
func (r *Reconciler) monitorDue(w *work) time.Time {
	interval := w.res.MonitoringInterval()
	switch {
	case w.mem.monitorInterval == interval:
		return w.mem.monitorDue
	case w.mem.monitorInterval != 0 || !isMonitored(&w.res.Status):
		return time.Time{}
	}
	return r.begun().Add(spread(min(interval, monitorSpread), string(w.res.UID)))
}

// health is what the newest events say.
type health struct {
	// failing counts events that have failed several times and are still tried; answer is the receiver's last answer to the one of
	// them that is tried for the last time first, and lastAt when that is.
	failing int
	answer  *int
	lastAt  time.Time
	// backlog: there are more events that are tried again than one page shows.
	backlog bool
	// known: where nothing fails, that is certain.
	known bool
}

func (d *deliveries) health() health {
	is := health{known: d.complete || d.undelivered, backlog: d.undelivered && !d.complete}
	for i := range d.events {
		e := &d.events[i]
		at, tried := e.LastAttemptAt()
		if !tried {
			is.backlog = false // and what is older is not tried any more either
		}
		if !tried || e.Attempts < earlyWarning {
			continue
		}
		if is.failing++; is.lastAt.IsZero() || at.Before(is.lastAt) {
			is.lastAt, is.answer = at, e.LastStatusCode
		}
	}
	return is
}

// slack is how long after a rotation a delivery may arrive that was signed before it: Medblocks waits five seconds for an answer, and
// clocks differ.
const slack = 10 * time.Second

// refusals of a signature, as receivers answer them.
var signatureRefusals = []int{400, 401, 403}

// sinceRotation tells what the receiver makes of deliveries signed with a secret that is in force since then; the newest word counts.
func (d *deliveries) sinceRotation(at time.Time) (accepted bool, refusal *int) {
	at = at.Add(slack)
	for i := range d.events { // newest first
		e := &d.events[i]
		if e.DeliveredAt != nil {
			if e.DeliveredAt.After(at) {
				return true, nil
			}
			continue
		}
		tried, known := e.LastTriedAt()
		if known && tried.After(at) && e.LastStatusCode != nil && slices.Contains(signatureRefusals, *e.LastStatusCode) && refusal == nil {
			refusal = e.LastStatusCode
		}
	}
	return false, refusal
}
