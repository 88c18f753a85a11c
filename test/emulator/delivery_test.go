// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// hmacOf computes v1 as the vendor describes it, without our own library.
func hmacOf(secret string, at time.Time, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(strconv.FormatInt(at.Unix(), 10) + "." + body))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestADeliveryIsSignedWithTheEndpointsSecret(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusOK, ""))
	e := f.register(r.URL)
	id := f.fire()

	got := r.got()[0]
	header := got.header.Get("Medblocks-Signature")
	g.Expect(header).To(Equal("t=" + strconv.FormatInt(start.Unix(), 10) + ",v1=" + hmacOf(e.Secret, start, got.body)))
	parsed, err := event.Verifier{Secrets: event.StaticSecrets(e.Secret), Clock: f.clk}.ConstructEvent(t.Context(), []byte(got.body), header)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(parsed.ID).To(Equal(id))
	g.Expect(got.header.Get("Content-Type")).To(Equal("application/json"))
	delivery := f.Deliveries()[0]
	g.Expect(delivery.Signature).To(Equal(header))
	g.Expect(delivery.Body).To(Equal(got.body))
}

func TestEverySampleIsAnEventOfTheCatalogue(t *testing.T) {
	for _, eventType := range emulator.EventTypes() {
		t.Run(eventType, func(t *testing.T) {
			g, f := NewWithT(t), newFixture(t)
			r := newReceiver(t, says(http.StatusOK, ""))
			f.register(r.URL)
			g.Expect(f.Fire("", eventType, nil)).To(HaveLen(1))
			f.settle()
			parsed, err := event.ParseUnverified([]byte(r.got()[0].body))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(parsed.Type).To(BeEquivalentTo(eventType))
			g.Expect(parsed.Data).NotTo(BeAssignableToTypeOf(&event.Unknown{}))
			var envelope map[string]any
			g.Expect(json.Unmarshal([]byte(r.got()[0].body), &envelope)).To(Succeed())
			g.Expect(envelope).To(HaveKeyWithValue("object", "event"))
			g.Expect(envelope).To(HaveKeyWithValue("api_version", "2026-04-25"))
			g.Expect(envelope["data"]).To(HaveKey("object"))
		})
	}
}

func TestAnEventReachesOnlyActiveSubscribersOfItsWorkspace(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	add := func(apiKey string, e emulator.Endpoint) string {
		added, err := f.AddEndpoint(apiKey, e)
		g.Expect(err).NotTo(HaveOccurred())
		return added.ID
	}
	r := newReceiver(t, says(http.StatusOK, ""))
	all := add(key, emulator.Endpoint{URL: r.URL})
	narrow := add(key, emulator.Endpoint{URL: r.URL, Events: []string{"records.sync.completed"}})
	add(key, emulator.Endpoint{URL: r.URL, Status: emulator.StatusDisabled})
	elsewhere := add("mb_sk_live_other", emulator.Endpoint{URL: r.URL})

	targets := func(fired []emulator.FiredEvent) []string {
		out := []string{}
		for _, one := range fired {
			out = append(out, one.WebhookEndpointID)
		}
		return out
	}
	g.Expect(targets(f.Fire(key, "records.sync.completed", nil))).To(ConsistOf(all, narrow))
	g.Expect(targets(f.Fire(key, "records.sync.failed", nil))).To(ConsistOf(all))
	g.Expect(targets(f.Fire("", "records.sync.failed", nil))).To(ConsistOf(all, elsewhere))
	g.Expect(targets(f.Fire(key, "a.type.of.next.year", nil))).To(ConsistOf(all))
	g.Expect(f.Fire("not-a-key", "records.sync.failed", nil)).To(BeEmpty())
}

func TestDataOfACallerBecomesTheEventsObject(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusOK, ""))
	f.register(r.URL)
	f.Fire(key, "records.sync.failed", map[string]any{"patient_id": "p"})
	f.settle()
	f.Fire(key, "records.sync.failed", json.RawMessage(`{"object":{"patient_id":"q"}}`))
	f.settle()
	g.Expect(r.got()[0].body).To(ContainSubstring(`"data":{"object":{"patient_id":"p"}}`))
	g.Expect(r.got()[1].body).To(ContainSubstring(`"data":{"object":{"patient_id":"q"}}`))
}

func TestARotatedSecretSignsTheNextDelivery(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusOK, ""))
	e := f.register(r.URL)
	secret, err := f.RotateEndpointSecret(e.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(secret).NotTo(Equal(e.Secret))
	f.fire()
	v1 := func() []string {
		return strings.Split(r.got()[len(r.got())-1].header.Get("Medblocks-Signature"), ",v1=")[1:]
	}
	body := func() string { return r.got()[len(r.got())-1].body }
	g.Expect(v1()).To(Equal([]string{hmacOf(secret, start, body())}))

	f.SetQuirks(emulator.Quirks{RotateOverlap: true})
	f.fire()
	g.Expect(v1()).To(Equal([]string{hmacOf(secret, start, body()), hmacOf(e.Secret, start, body())}))
}

func TestWhatIsNotA2xxInTimeFailsTheAttempt(t *testing.T) {
	over := make(chan struct{})
	slow := newReceiver(t, func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) })
	secure := httptest.NewUnstartedServer(says(http.StatusOK, ""))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the failed handshake
	secure.StartTLS()
	t.Cleanup(secure.Close)
	other := newReceiver(t, says(http.StatusOK, ""))
	redirecting := newReceiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })

	for name, c := range map[string]struct {
		url    string
		status int
		says   string
	}{
		"a refused connection":              {"http://127.0.0.1:1", 0, "refused"},
		"no answer in time":                 {slow.URL, 0, "deadline"},
		"a certificate nobody vouches for":  {secure.URL, 0, "certificate"},
		"a redirect, which is not followed": {redirecting.URL, http.StatusFound, ""},
		"another machine by name":           {"https://receiver.example.com", 0, "this machine only"},
		"another machine by address":        {"https://192.0.2.1", 0, "this machine only"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			f := newFixture(t, func(o *emulator.Options) {
				if c.url == slow.URL {
					o.DeliveryTimeout = 200 * time.Millisecond
				}
			})
			e := f.register("https://replaced.example.com")
			g.Expect(f.SetEndpoint(e.ID, func(e *emulator.Endpoint) { e.URL = c.url })).To(Succeed())
			id := f.fire()
			record := f.event(e.ID, id)
			g.Expect(record.Attempts).To(Equal(1))
			g.Expect(record.DeliveredAt).To(BeNil())
			g.Expect(record.NextAttemptAt).NotTo(BeNil())
			g.Expect(f.Deliveries()[0].StatusCode).To(Equal(c.status))
			g.Expect(f.Deliveries()[0].Error).To(ContainSubstring(c.says))
			g.Expect(record.LastStatusCode == nil).To(Equal(c.status == 0))
		})
	}
	NewWithT(t).Expect(other.got()).To(BeEmpty())
}

func TestAReceiverHasFiveSeconds(t *testing.T) {
	t.Parallel() // it takes them
	g, f := NewWithT(t), newFixture(t)
	over := make(chan struct{})
	slow := newReceiver(t, func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) })
	f.register(slow.URL)
	began := time.Now()
	f.fire()
	g.Expect(time.Since(began)).To(And(BeNumerically(">=", 5*time.Second), BeNumerically("<", 9*time.Second)))
	g.Expect(f.Deliveries()[0].StatusCode).To(BeZero())
}

func TestEveryAttemptHasAConnectionOfItsOwn(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	closes := make(chan bool, 1)
	r := newReceiver(t, func(_ http.ResponseWriter, req *http.Request) { closes <- req.Close })
	f.register(r.URL)
	f.fire()
	g.Expect(closes).To(Receive(BeTrue()))
}

func TestADeliveryClientThatTrustsTheReceiverDelivers(t *testing.T) {
	g := NewWithT(t)
	secure := httptest.NewTLSServer(says(http.StatusOK, ""))
	t.Cleanup(secure.Close)
	f := newFixture(t, func(o *emulator.Options) { o.DeliveryClient = secure.Client() })
	e := f.register(secure.URL)
	g.Expect(f.event(e.ID, f.fire()).DeliveredAt).NotTo(BeNil())
}

func TestOnlyTheStartOfAReceiversAnswerIsKept(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusInternalServerError, strings.Repeat("x", 100_000)))
	e := f.register(r.URL)
	g.Expect(*f.event(e.ID, f.fire()).LastResponseBody).To(Equal(strings.Repeat("x", 1024)))
}

func TestCloseEndsAttemptsInFlight(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, func(o *emulator.Options) { o.DeliveryTimeout = time.Minute })
	entered, over := make(chan struct{}), make(chan struct{})
	r := newReceiver(t, func(http.ResponseWriter, *http.Request) { close(entered); <-over })
	t.Cleanup(func() { close(over) })
	e := f.register(r.URL)
	f.Fire(key, "records.sync.failed", nil)
	g.Eventually(entered).Should(BeClosed())
	closed := make(chan struct{})
	go func() { f.Close(); close(closed) }()
	g.Eventually(closed, "10s").Should(BeClosed())
	g.Expect(f.Events(e.ID)[0].Attempts).To(BeZero(), "an attempt that Close cut off is not the receiver's failure")
	f.Close()
}
