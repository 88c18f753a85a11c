// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

func TestTheNextMomentOfARotationWindow(t *testing.T) {
	const layout = "Mon 2006-01-02 15:04"
	for name, c := range map[string]struct {
		window     *RotationWindow
		from, next string
	}{
		"no window":                         {nil, "Thu 2026-11-26 13:00", "Thu 2026-11-26 13:00"},
		"before the hours":                  {&RotationWindow{Hours: "02:00-05:00"}, "Thu 2026-11-26 01:59", "Thu 2026-11-26 02:00"},
		"at their beginning":                {&RotationWindow{Hours: "02:00-05:00"}, "Thu 2026-11-26 02:00", "Thu 2026-11-26 02:00"},
		"within them":                       {&RotationWindow{Hours: "02:00-05:00"}, "Thu 2026-11-26 04:59", "Thu 2026-11-26 04:59"},
		"at their end":                      {&RotationWindow{Hours: "02:00-05:00"}, "Thu 2026-11-26 05:00", "Fri 2026-11-27 02:00"},
		"past midnight, in the evening":     {&RotationWindow{Hours: "22:00-04:00"}, "Thu 2026-11-26 23:00", "Thu 2026-11-26 23:00"},
		"past midnight, in the morning":     {&RotationWindow{Hours: "22:00-04:00"}, "Thu 2026-11-26 03:00", "Thu 2026-11-26 03:00"},
		"past midnight, at noon":            {&RotationWindow{Hours: "22:00-04:00"}, "Thu 2026-11-26 12:00", "Thu 2026-11-26 22:00"},
		"a whole day":                       {&RotationWindow{Hours: "06:00-06:00"}, "Thu 2026-11-26 05:00", "Thu 2026-11-26 05:00"},
		"on a day":                          {&RotationWindow{Days: []Weekday{"Saturday"}}, "Thu 2026-11-26 12:00", "Sat 2026-11-28 00:00"},
		"on that day":                       {&RotationWindow{Days: []Weekday{"Saturday"}}, "Sat 2026-11-28 23:59", "Sat 2026-11-28 23:59"},
		"after that day":                    {&RotationWindow{Days: []Weekday{"Saturday"}}, "Sun 2026-11-29 00:00", "Sat 2026-12-05 00:00"},
		"a night that began on that day":    {&RotationWindow{Days: []Weekday{"Saturday"}, Hours: "22:00-04:00"}, "Sun 2026-11-29 03:00", "Sun 2026-11-29 03:00"},
		"a night that began the day before": {&RotationWindow{Days: []Weekday{"Saturday"}, Hours: "22:00-04:00"}, "Sat 2026-11-28 03:00", "Sat 2026-11-28 22:00"},
		"the same day, a week later":        {&RotationWindow{Days: []Weekday{"Thursday"}, Hours: "02:00-05:00"}, "Thu 2026-11-26 06:00", "Thu 2026-12-03 02:00"},
		"damaged":                           {&RotationWindow{Hours: "25:00-05:00"}, "Thu 2026-11-26 06:00", "Thu 2026-11-26 06:00"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			from, err := time.Parse(layout, c.from)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(c.window.Next(from).Format(layout)).To(Equal(c.next))
			elsewhere := time.FixedZone("elsewhere", 9*60*60)
			g.Expect(c.window.Next(from.In(elsewhere)).UTC().Format(layout)).To(Equal(c.next), "hours are UTC")
		})
	}
}
