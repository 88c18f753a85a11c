// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"context"
	"reflect"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
)

// publishInterval is the least time between two publications of how far a job has come.
const publishInterval = 10 * time.Second

// run is a job at work.
type run struct {
	courier *Courier
	who     types.NamespacedName
	acct    Account
	job     Job
	log     logr.Logger
	stop    context.CancelFunc

	// published is how far the job has come, as all may know; nil: nothing is known yet. The courier's mutex guards it.
	published *Progress

	// due is when the next publication may be made, unless it is the last. The first one has to wait as well: the beginning was just recorded.
	due time.Time
}

// work does what the round wants to have done, until that is done or the context ends.
func (r *run) work(ctx context.Context) {
	round := newRound(r.job)
	for ctx.Err() == nil {
		switch next := round.next(r.now()); next.action {
		case actionList:
			r.list(ctx, round)
		case actionSend:
			r.send(ctx, round, next.event)
		case actionWait:
			r.sleep(ctx, round, next.until)
		case actionEnd:
			p := round.progress()
			r.log.Info("Redelivery has ended", "endpointID", r.job.EndpointID, "state", p.State, "delivered", p.Delivered, "failed", p.Failed,
				"pending", p.Pending, "omitted", p.Omitted)
			r.publish(p)
			return
		}
	}
}

func (r *run) now() time.Time { return r.courier.opts.Clock.Now() }

// list reads the events that were not delivered.
func (r *run) list(ctx context.Context, round *round) {
	l := newListing(r.job)
	for record, err := range r.acct.ListUndelivered(ctx, r.job.EndpointID) {
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			r.log.Info("Listing the undelivered events failed", "endpointID", r.job.EndpointID, "error", err.Error())
			round.noteListTrouble(troubleOf(err), r.now())
			return
		}
		if !l.add(record) {
			break
		}
	}
	round.takeList(l, r.now())
	r.publishIfDue(round)
}

// send has one event redelivered.
func (r *run) send(ctx context.Context, round *round, eventID string) {
	record, err := r.acct.RedeliverEvent(ctx, eventID)
	o := outcomeOf(record, err)
	switch o.verdict {
	case delivered, failed:
		redelivered.WithLabelValues(string(o.verdict)).Inc()
		r.log.Info("Wrote to Medblocks", "action", "RedeliverEvent", "endpointID", r.job.EndpointID, "trigger", "Redelivery",
			"requestID", record.RequestID, "eventID", eventID, "delivered", o.verdict == delivered)
	case tooSoon, barred: // waiting is all there is to it
	default:
		if ctx.Err() == nil {
			r.log.Info("Redelivering an event failed", "endpointID", r.job.EndpointID, "eventID", eventID, "error", err.Error())
		}
	}
	if ctx.Err() != nil {
		return // nobody wants to know any more
	}
	round.note(eventID, o, r.now())
	r.publishIfDue(round)
}

// sleep waits until that time, or until there is something to publish.
func (r *run) sleep(ctx context.Context, round *round, until time.Time) {
	wake := until
	if p := round.progress(); round.listed && r.due.Before(until) && !reflect.DeepEqual(&p, r.published) { // nobody else writes it
		wake = r.due
	}
	if wait := wake.Sub(r.now()); wait > 0 {
		timer := r.courier.opts.Clock.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C():
		case <-ctx.Done():
			return
		}
	}
	r.publishIfDue(round)
}

// publishIfDue publishes how far a job has come that is at work. Before the first list it knows less than was published before a restart.
// Its end does not wait for anything.
func (r *run) publishIfDue(round *round) {
	if round.state == Running && round.listed && !r.now().Before(r.due) {
		r.publish(round.progress())
	}
}

// publish shows how far the job has come, where that is news, and has the resource reconciled.
func (r *run) publish(p Progress) {
	if !r.courier.show(r, p) {
		return
	}
	r.due = r.now().Add(publishInterval)
	r.courier.opts.Enqueue(r.who)
}
