// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestTheScheduleOfAnEvent(t *testing.T) {
	g := NewWithT(t)
	now := time.Date(2026, 4, 25, 14, 30, 0, 0, time.UTC)
	record := func(attempts int) EventRecord {
		return EventRecord{Attempts: attempts, NextAttemptAt: &Timestamp{Time: now}}
	}
	for attempts, left := range map[int]time.Duration{
		0: 86*time.Hour + 36*time.Minute, 1: 86*time.Hour + 35*time.Minute, 3: 86 * time.Hour, 7: 24 * time.Hour, 8: 0,
	} {
		e := record(attempts)
		at, tried := e.LastAttemptAt()
		g.Expect(tried).To(BeTrue())
		g.Expect(at).To(Equal(now.Add(left)), "%d attempts", attempts)
	}
	for _, e := range []EventRecord{record(9), record(12), record(-1), {Attempts: 3}, {Attempts: 3, NextAttemptAt: &Timestamp{Time: now}, DeliveredAt: &Timestamp{Time: now}}} {
		_, tried := e.LastAttemptAt()
		g.Expect(tried).To(BeFalse(), "%+v", e)
	}

	e := record(3)
	at, known := e.LastTriedAt()
	g.Expect(known).To(BeTrue())
	g.Expect(at).To(Equal(now.Add(-30 * time.Minute)))
	for _, e := range []EventRecord{record(0), record(9), {Attempts: 3}} {
		_, known := e.LastTriedAt()
		g.Expect(known).To(BeFalse(), "%+v", e)
	}
}
