// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"cmp"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

const (
	// maxPages bounds a list of events.
	maxPages = 500
	// maxListed is what so many pages hold.
	maxListed = maxPages * medblocks.DefaultPageSize
)

// event is what is kept of the record of an event: a list may have many.
type event struct {
	id       string
	created  time.Time
	attempts int
	// redelivered is when Medblocks was last asked to redeliver it; zero: never.
	redelivered time.Time
	// status is what the receiver answered last; 0: nothing.
	status int
}

func eventOf(record medblocks.EventRecord) event {
	e := event{id: record.ID, created: record.CreatedAt.Time, attempts: record.Attempts}
	if record.LastRedeliveredAt != nil {
		e.redelivered = record.LastRedeliveredAt.Time
	}
	if record.LastStatusCode != nil {
		e.status = *record.LastStatusCode
	}
	return e
}

// oldestFirst is the order in which events are redelivered.
func oldestFirst(a, b event) int {
	return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.id, b.id))
}

// listing gathers the events of a job out of a list of all that were not delivered.
type listing struct {
	job Job
	// events are those within the bounds, each once.
	events map[string]event
	// cut: the list was left before its end, although there may be more events of the job in it.
	cut bool

	records, pages int
	page           string    // the request that brought the page
	first          time.Time // the creation of the first event
	older          int       // how many in a row were too old
}

func newListing(job Job) *listing { return &listing{job: job, events: map[string]event{}} }

// add takes the next record, and tells whether the list has to be read on.
func (l *listing) add(record medblocks.EventRecord) (more bool) {
	l.records++
	if record.RequestID != l.page || l.pages == 0 {
		l.page = record.RequestID
		l.pages++
	}
	l.consider(record)
	if l.isPast(record.CreatedAt.Time) {
		return false
	}
	l.cut = l.records >= maxListed || l.pages > maxPages
	return !l.cut
}

// consider keeps what the job is about. Nothing is taken for granted of what the list was asked for.
func (l *listing) consider(record medblocks.EventRecord) {
	created := record.CreatedAt.Time
	foreign := record.WebhookEndpointID != "" && record.WebhookEndpointID != l.job.EndpointID
	if foreign || record.DeliveredAt != nil || created.Before(l.job.From) || !created.Before(l.job.Before) {
		return
	}
	l.events[record.ID] = eventOf(record)
}

// isPast tells whether all that is still to come is too old. The list is newest first, as far as anybody knows: so a whole page has to be
// too old, and older than what the list began with. One that is oldest first is read to its end.
func (l *listing) isPast(created time.Time) bool {
	if created.IsZero() {
		return false // nobody knows when it was
	}
	if l.first.IsZero() {
		l.first = created
	}
	if !created.Before(l.job.From) {
		l.older = 0
		return false
	}
	l.older++
	return l.older >= medblocks.DefaultPageSize && created.Before(l.first)
}
