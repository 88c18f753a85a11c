// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// record of an event that was created so long before start.
func record(id string, age time.Duration, tweaks ...func(*medblocks.EventRecord)) medblocks.EventRecord {
	r := medblocks.EventRecord{ID: id, WebhookEndpointID: "wh_1", Attempts: 9, CreatedAt: medblocks.Timestamp{Time: start.Add(-age)}}
	for _, tweak := range tweaks {
		tweak(&r)
	}
	return r
}

// read reads a list of pages of a hundred, and returns how many records were read.
func read(l *listing, records []medblocks.EventRecord) int {
	for i, r := range records {
		if r.RequestID == "" {
			r.RequestID = fmt.Sprint("req_", i/medblocks.DefaultPageSize)
		}
		if !l.add(r) {
			return i + 1
		}
	}
	return len(records)
}

func TestAListingKeepsWhatTheJobIsAbout(t *testing.T) {
	g := NewWithT(t)
	at := medblocks.Timestamp{Time: start.Add(-time.Hour)}
	l := newListing(anyJob())
	n := read(l, []medblocks.EventRecord{
		record("too new", 0),
		record("newest", time.Millisecond),
		record("delivered", time.Hour, func(r *medblocks.EventRecord) { r.DeliveredAt = &at }),
		record("of another endpoint", time.Hour, func(r *medblocks.EventRecord) { r.WebhookEndpointID = "wh_2" }),
		record("of no endpoint", time.Hour, func(r *medblocks.EventRecord) { r.WebhookEndpointID = "" }),
		record("full", time.Hour, func(r *medblocks.EventRecord) { r.LastRedeliveredAt, r.LastStatusCode = &at, ptr.To(503) }),
		record("twice", time.Hour),
		record("twice", time.Hour, func(r *medblocks.EventRecord) { r.Attempts = 10 }), // pages may overlap
		record("of an unknown time", 0, func(r *medblocks.EventRecord) { r.CreatedAt = medblocks.Timestamp{} }),
		record("oldest", 96*time.Hour),
		record("too old", 96*time.Hour+time.Millisecond),
	})
	g.Expect(n).To(Equal(11))
	g.Expect(slices.Sorted(maps.Keys(l.events))).To(Equal([]string{"full", "newest", "of no endpoint", "oldest", "twice"}))
	g.Expect(l.events["full"]).To(Equal(event{id: "full", created: start.Add(-time.Hour), attempts: 9, redelivered: at.Time, status: 503}))
	g.Expect(l.events["twice"].attempts).To(Equal(10), "what was read last is the newest")
	g.Expect(l.cut).To(BeFalse())
}

func TestAListIsReadAsFarAsThereMayBeEventsOfTheJobInIt(t *testing.T) {
	const of = 1000 // one every half hour: the last 808 are too old
	newestFirst := make([]medblocks.EventRecord, of)
	for i := range newestFirst {
		newestFirst[i] = record(fmt.Sprint(i), time.Duration(i+1)*30*time.Minute)
	}
	oldestFirst := slices.Clone(newestFirst)
	slices.Reverse(oldestFirst)
	unordered := slices.Clone(newestFirst)
	for i := 0; i < of; i += 50 { // an old one in each half page, and the other way round
		unordered[i], unordered[of-1-i] = unordered[of-1-i], unordered[i]
	}
	for name, test := range map[string]struct {
		records []medblocks.EventRecord
		read    int
	}{
		"newest first": {newestFirst, 192 + 100},
		"oldest first": {oldestFirst, of},
		"in no order":  {unordered, of},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l := newListing(anyJob())
			g.Expect(read(l, test.records)).To(Equal(test.read))
			g.Expect(l.events).To(HaveLen(192))
			g.Expect(l.cut).To(BeFalse())
		})
	}
}

func TestAListThatDoesNotEndIsLeft(t *testing.T) {
	for name, perPage := range map[string]int{"full pages": 100, "short pages": 1} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			l, n := newListing(anyJob()), 0
			for l.add(record(fmt.Sprint(n), time.Hour, func(r *medblocks.EventRecord) { r.RequestID = fmt.Sprint(n / perPage) })) {
				if n++; n > 2*maxListed {
					t.Fatal("it is read for ever")
				}
			}
			g.Expect(l.cut).To(BeTrue())
			g.Expect(n).To(BeNumerically("~", maxPages*perPage, 1))
		})
	}
}
