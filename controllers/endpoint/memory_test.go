// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestACacheThatLagsBehindAnOwnWriteIsWaitedForForAWhile(t *testing.T) {
	for name, is := range map[string]struct {
		read, written string
		stale         int
		ahead         bool
	}{
		"nothing was written":           {read: "7"},
		"the cache shows the write":     {read: "7", written: "7"},
		"the cache shows a later one":   {read: "10", written: "9"},
		"the cache lags behind":         {read: "9", written: "10", ahead: true},
		"it has been for long":          {read: "9", written: "10", stale: longestWaitForCache},
		"it is about to be too long":    {read: "9", written: "10", stale: longestWaitForCache - 1, ahead: true},
		"versions are opaque after all": {read: "b", written: "c"},
	} {
		t.Run(name, func(t *testing.T) {
			m := memory{written: is.written, stale: is.stale}
			res := &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{ResourceVersion: is.read}}
			NewWithT(t).Expect(m.isAhead(res)).To(Equal(is.ahead))
		})
	}
}

// What was begun before a restart cannot be known; where nothing can have been begun, nobody waits.
func TestAPatchOfAProcessThatHasEndedIsExpectedOnce(t *testing.T) {
	g, began := NewWithT(t), testTime
	res := settled().res
	m := memory{}
	m.meet(res, began, time.Minute)
	g.Expect(m.flyingUntil).To(Equal(began.Add(time.Minute)))
	g.Expect(m.lostUntil).To(BeZero(), "none of this process was lost")
	m.meet(res, began.Add(time.Hour), time.Minute)
	g.Expect(m.flyingUntil).To(Equal(began.Add(time.Minute)), "it is the first sight that counts")

	untouched := settled().res
	untouched.Finalizers = []string{"example.com/of-others"}
	m = memory{}
	m.meet(untouched, began, time.Minute)
	g.Expect(m.flyingUntil).To(BeZero(), "without our finalizer nothing was begun")
}
