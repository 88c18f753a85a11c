// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/utils/clock"

	"github.com/medblocks/webhook-operator/test/emulator"
)

// documented is the vendor's schedule, written down a second time on purpose.
var documented = []time.Duration{
	0, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 12 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
}

func TestNineAttemptsComeAtTheDocumentedDelaysAndTheNinthDisablesTheEndpoint(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	broken := newReceiver(t, says(http.StatusInternalServerError, "out of order"))
	e := f.register(broken.URL)
	id := f.fire()

	due := start
	for i, delay := range documented {
		if i > 0 {
			f.step(delay - time.Nanosecond)
			g.Expect(broken.got()).To(HaveLen(i), "attempt %d came early", i+1)
			g.Expect(f.status(e.ID)).To(Equal(emulator.StatusActive))
			f.step(time.Nanosecond)
		}
		due = due.Add(delay)
		g.Expect(broken.got()).To(HaveLen(i+1), "attempt %d", i+1)
		record := f.event(e.ID, id)
		g.Expect(record.Attempts).To(Equal(i + 1))
		g.Expect(*record.LastStatusCode).To(Equal(http.StatusInternalServerError))
		g.Expect(*record.LastResponseBody).To(Equal("out of order"))
		g.Expect(record.DeliveredAt).To(BeNil())
		last := f.Deliveries()[i]
		g.Expect(last.At).To(BeTemporally("==", due))
		g.Expect(last.Attempt).To(Equal(i + 1))
		if i+1 < len(documented) {
			g.Expect(*record.NextAttemptAt).To(BeTemporally("==", due.Add(documented[i+1])))
			continue
		}
		g.Expect(record.NextAttemptAt).To(BeNil())
	}

	g.Expect(due.Sub(start)).To(Equal(86*time.Hour + 36*time.Minute)) // "about 3.6 days"
	g.Expect(f.status(e.ID)).To(Equal(emulator.StatusDisabled))
	listed := f.do(http.MethodGet, "/webhooks?status=disabled", "")
	g.Expect(listed.body["data"]).To(HaveLen(1))
	f.step(100 * 24 * time.Hour)
	g.Expect(broken.got()).To(HaveLen(9), "nothing announces it and nothing follows")
}

func TestEveryAttemptCarriesTheSameEventAndASignatureOfItsOwn(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	broken := newReceiver(t, says(http.StatusServiceUnavailable, ""))
	f.register(broken.URL)
	f.fire()
	f.step(time.Minute)
	got := broken.got()
	g.Expect(got).To(HaveLen(2))
	g.Expect(got[1].body).To(Equal(got[0].body))
	g.Expect(got[1].header.Get(emulator.SignatureHeader)).NotTo(Equal(got[0].header.Get(emulator.SignatureHeader)))
}

func TestADeliveryThatSucceedsEndsTheSchedule(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(r.URL)
	id := f.fire()
	r.setAnswer(says(http.StatusAccepted, "thanks"))
	f.step(time.Minute)

	record := f.event(e.ID, id)
	g.Expect(record.Attempts).To(Equal(2))
	g.Expect(*record.DeliveredAt).To(BeTemporally("==", start.Add(time.Minute)))
	g.Expect(record.NextAttemptAt).To(BeNil())
	g.Expect(*record.LastStatusCode).To(Equal(http.StatusAccepted))
	g.Expect(*record.LastResponseBody).To(Equal("thanks"))
	f.step(100 * 24 * time.Hour)
	g.Expect(r.got()).To(HaveLen(2))
	g.Expect(f.status(e.ID)).To(Equal(emulator.StatusActive))
}

func TestTimeScaleDividesTheSchedule(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, func(o *emulator.Options) { o.TimeScale = 60 })
	broken := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(broken.URL)
	f.fire()
	for i, delay := range documented[1:] {
		at, planned := f.NextAttempt()
		g.Expect(planned).To(BeTrue())
		g.Expect(at.Sub(f.clk.Now())).To(Equal(delay / 60))
		f.step(delay / 60)
		g.Expect(broken.got()).To(HaveLen(i + 2))
	}
	g.Expect(f.status(e.ID)).To(Equal(emulator.StatusDisabled))
}

func TestTheWholeScheduleRunsOnTheRealClock(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, func(o *emulator.Options) { o.Clock, o.TimeScale = clock.RealClock{}, 1_000_000 })
	broken := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(broken.URL)
	f.Fire(key, "records.sync.failed", nil)
	g.Eventually(func() string { return f.status(e.ID) }, "30s", "5ms").Should(Equal(emulator.StatusDisabled))
	g.Expect(broken.got()).To(HaveLen(9))
}

func TestManyEventsKeepTheirOwnSchedules(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	broken := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(broken.URL)
	first := f.fire()
	f.step(30 * time.Second)
	second := f.fire()
	f.step(30 * time.Second)
	g.Expect(f.event(e.ID, first).Attempts).To(Equal(2))
	g.Expect(f.event(e.ID, second).Attempts).To(Equal(1))
	f.step(30 * time.Second)
	g.Expect(f.event(e.ID, second).Attempts).To(Equal(2))
}

func TestADisableGivesUpPendingRetriesAndAnEnableReplaysNothing(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(r.URL)
	id := f.fire()
	g.Expect(f.DisableEndpoint(e.ID)).To(Succeed())
	g.Expect(f.event(e.ID, id).NextAttemptAt).To(BeNil())
	g.Expect(f.Fire(key, "records.sync.failed", nil)).To(BeEmpty(), "events of a disabled endpoint are skipped")
	r.setAnswer(says(http.StatusOK, ""))
	g.Expect(f.EnableEndpoint(e.ID)).To(Succeed())
	f.step(100 * 24 * time.Hour)
	g.Expect(r.got()).To(HaveLen(1))
	record := f.event(e.ID, id)
	g.Expect(record.Attempts).To(Equal(1))
	g.Expect(record.DeliveredAt).To(BeNil())
	g.Expect(f.Events(e.ID)).To(HaveLen(1))
}

func TestAVendorThatResumesRetriesDeliversThemAfterAnEnable(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, func(o *emulator.Options) { o.Quirks.ResumeRetries = true })
	r := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(r.URL)
	id := f.fire()
	g.Expect(f.DisableEndpoint(e.ID)).To(Succeed())
	f.step(time.Hour)
	g.Expect(r.got()).To(HaveLen(1))
	r.setAnswer(says(http.StatusOK, ""))
	g.Expect(f.EnableEndpoint(e.ID)).To(Succeed())
	f.settle()
	g.Expect(f.event(e.ID, id).DeliveredAt).NotTo(BeNil())
}

func TestAVendorThatQueuesDeliversWhatFiredWhileDisabled(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, func(o *emulator.Options) { o.Quirks.QueueWhileDisabled = true })
	r := newReceiver(t, says(http.StatusOK, ""))
	e := f.register(r.URL)
	g.Expect(f.DisableEndpoint(e.ID)).To(Succeed())
	id := f.fire()
	g.Expect(r.got()).To(BeEmpty())
	g.Expect(f.EnableEndpoint(e.ID)).To(Succeed())
	f.settle()
	g.Expect(f.event(e.ID, id).DeliveredAt).NotTo(BeNil())
}

func TestADeletedEndpointGetsNoMoreAttempts(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusInternalServerError, ""))
	e := f.register(r.URL)
	f.fire()
	g.Expect(f.do(http.MethodDelete, "/webhooks/"+e.ID, "").status).To(Equal(http.StatusNoContent))
	_, planned := f.NextAttempt()
	g.Expect(planned).To(BeFalse())
	f.step(100 * 24 * time.Hour)
	g.Expect(r.got()).To(HaveLen(1))
}

func TestAnEndpointDisabledDuringAnAttemptGetsNoRetry(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	entered, release := make(chan struct{}), make(chan struct{})
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		w.WriteHeader(http.StatusInternalServerError)
	})
	e := f.register(r.URL)
	fired := f.Fire(key, "records.sync.failed", nil)
	g.Eventually(entered).Should(BeClosed())
	g.Expect(f.Idle()).To(BeFalse())
	g.Expect(f.DisableEndpoint(e.ID)).To(Succeed())
	close(release)
	f.settle()
	record := f.event(e.ID, fired[0].ID)
	g.Expect(record.Attempts).To(Equal(1))
	g.Expect(record.NextAttemptAt).To(BeNil())
}

func TestHistoryThatATestAddsIsKeptTo(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusOK, ""))
	e := f.register(r.URL)
	soon, code := start.Add(time.Hour), http.StatusBadGateway
	g.Expect(f.SetEvents(e.ID, []emulator.EventRecord{
		{Attempts: 9, LastStatusCode: &code, CreatedAt: start.Add(-96 * time.Hour)},
		{Attempts: 3, NextAttemptAt: &soon},
	})).To(Succeed())
	undelivered := f.do(http.MethodGet, "/webhooks/"+e.ID+"/events?delivered=false", "").body["data"].([]any)
	g.Expect(undelivered).To(HaveLen(2))
	g.Expect(undelivered[0].(map[string]any)["attempts"]).To(BeEquivalentTo(3), "the newest comes first")
	f.step(time.Hour)
	g.Expect(r.got()).To(HaveLen(1))
	g.Expect(f.Events(e.ID)[1].DeliveredAt).NotTo(BeNil())
	g.Expect(f.Events(e.ID)[0].DeliveredAt).To(BeNil())

	_, err := f.AddEvent("mb_sk_sbx_other", emulator.EventRecord{WebhookEndpointID: e.ID})
	g.Expect(err).To(MatchError(emulator.ErrNotFound))
}
