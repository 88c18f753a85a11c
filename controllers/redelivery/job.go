// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package redelivery has Medblocks redeliver the events that an endpoint has missed. A try is one Job, and runs in a goroutine of its
// own: a Courier looks after them, a round decides what is next (it is pure), and a run carries that out.
package redelivery

import (
	"context"
	"iter"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// Job is one try to redeliver what an endpoint has missed.
type Job struct {
	EndpointID string
	// From and Before bound the events by their creation: From ≤ created < Before.
	From, Before time.Time
	// Begun is when this try was begun; it identifies the job. Events that Medblocks has redelivered since then had their turn in this try.
	Begun time.Time
	// Limit is how many events are redelivered at most, those of Delivered and Failed included.
	Limit int
	// Delivered is how many were delivered by earlier tries, or by this one before a restart; Failed how many failed in this try before a
	// restart.
	Delivered, Failed int
	// Resumed: the canary of this try was delivered before a restart, so that there is none now.
	Resumed bool
	// Cursor is the event that was redelivered last in this try, before a restart.
	Cursor string
	// Avoid is the event that failed as the canary of the try before: another one is taken, where there is one.
	Avoid string
}

// State says whether a job is at work, and how it has ended.
type State string

const (
	// Running jobs redeliver events, or wait until they can.
	Running State = "Running"
	// Completed jobs have had every event redelivered that there was to redeliver. Some may have failed.
	Completed State = "Completed"
	// Stopped jobs have given up, because the receiver does not seem to be well. A later try takes up the rest.
	Stopped State = "Stopped"
)

// Progress is how far a job has come. It is published at most every 10 s, first 10 s after the beginning and after the first list,
// and when the state changes.
type Progress struct {
	State State
	// Pending, Delivered and Failed are totals, those of the Job included. What has failed is not pending, although it has another turn
	// while the job is running.
	Pending, Delivered, Failed int
	// Omitted events are within the bounds and beyond Limit.
	Omitted int
	// Cursor is the event that was redelivered last. A running job has none until its canary was delivered, or there is none.
	Cursor string
	// Canary is the event that was sent before all others in this try, or after the first one or two that failed by their own fault. It is
	// named once it is known what became of it: where the job goes on, it was delivered. Empty: it is not known yet, or there was none (a job
	// that was resumed, or events that have never failed).
	Canary string
	// Answer says for people how the receiver answered the last event that failed: "it answered 503", "it did not answer". Empty: it was
	// not asked.
	Answer string
	// Exhausted are the ids of events that failed here and have had nine attempts or more by now, newest last, at most 101.
	Exhausted []string
}

// Account is what a job needs; *account.Account provides it. A job under another account is another job.
type Account interface {
	RedeliverEvent(ctx context.Context, eventID string) (medblocks.EventRecord, error)
	ListUndelivered(ctx context.Context, endpointID string) iter.Seq2[medblocks.EventRecord, error]
}

var _ Account = (*account.Account)(nil)
