// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

// receiver is a Handler behind a real HTTP server, with what it observed.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	reports []event.Delivery
}

func newReceiver(t *testing.T, handle func(context.Context, event.Event) error, tweaks ...func(*event.Options)) *receiver {
	t.Helper()
	r := &receiver{}
	options := event.Options{
		Verifier: event.Verifier{Secrets: event.StaticSecrets(currentSecret, previousSecret)},
		Handle:   handle,
		Timeout:  time.Minute,
		Observe: func(d event.Delivery) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.reports = append(r.reports, d)
		},
	}
	for _, tweak := range tweaks {
		tweak(&options)
	}
	r.Server = httptest.NewServer(event.NewHandler(options))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) observed() []event.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]event.Delivery(nil), r.reports...)
}

func (r *receiver) outcomes() []event.Outcome {
	var outcomes []event.Outcome
	for _, report := range r.observed() {
		outcomes = append(outcomes, report.Outcome)
	}
	return outcomes
}

// deliver posts a body as the vendor does and returns the status and the answer.
func (r *receiver) deliver(g Gomega, raw []byte, headers ...string) (int, string) {
	request, err := http.NewRequest(http.MethodPost, r.URL, strings.NewReader(string(raw)))
	g.Expect(err).NotTo(HaveOccurred())
	for _, header := range headers {
		request.Header.Add(event.SignatureHeader, header)
	}
	response, err := http.DefaultClient.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, strings.TrimSpace(string(text))
}

func (r *receiver) deliverSigned(g Gomega, raw []byte) (int, string) {
	return r.deliver(g, raw, event.Sign(raw, currentSecret, time.Now()))
}

func accept(context.Context, event.Event) error { return nil }

func TestAGenuineEventIsHandledOnceHoweverOftenItArrives(t *testing.T) {
	g := NewWithT(t)
	var handled []event.Event
	r := newReceiver(t, func(_ context.Context, e event.Event) error {
		handled = append(handled, e)
		return nil
	})
	raw := goodBody()
	status, answer := r.deliver(g, raw, event.Sign(raw, previousSecret, time.Now()))
	g.Expect(status).To(Equal(http.StatusOK))
	g.Expect(answer).To(Equal("handled"))
	for range 3 {
		status, answer = r.deliverSigned(g, raw)
		g.Expect(status).To(Equal(http.StatusOK))
		g.Expect(answer).To(Equal("duplicate"))
	}
	g.Expect(handled).To(HaveLen(1))
	g.Expect(handled[0].SecretIndex).To(Equal(1))
	g.Expect([]byte(handled[0].Raw)).To(Equal(raw))
	g.Eventually(r.outcomes).Should(Equal([]event.Outcome{
		event.OutcomeHandled, event.OutcomeDuplicate, event.OutcomeDuplicate, event.OutcomeDuplicate,
	}))
}

func TestWhatIsNotAGenuineEventNeverReachesTheHandler(t *testing.T) {
	raw := goodBody()
	signed := event.Sign(raw, currentSecret, time.Now())
	noEvent := []byte(`{"a":"Jane Doe"}`)
	big := []byte(strings.Repeat(" ", event.DefaultMaxBodyBytes+1))
	cases := map[string]struct {
		body    []byte
		headers []string
		status  int
		answer  string
	}{
		"no signature":            {raw, nil, 400, "the signature header is missing"},
		"a malformed signature":   {raw, []string{"t=1"}, 400, "the signature header is malformed"},
		"two signature headers":   {raw, []string{signed, signed}, 400, "the signature header is malformed"},
		"a replayed signature":    {raw, []string{event.Sign(raw, currentSecret, signedAt)}, 400, "the signature's time is outside the window"},
		"a forged signature":      {raw, []string{event.Sign(raw, "whsec_forged", time.Now())}, 401, "no signature matches"},
		"a body that is no event": {noEvent, []string{event.Sign(noEvent, currentSecret, time.Now())}, 400, "the payload is not an event"},
		"a body that is too big":  {big, []string{event.Sign(big, currentSecret, time.Now())}, 413, "request entity too large"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var handled atomic.Int32
			r := newReceiver(t, func(context.Context, event.Event) error {
				handled.Add(1)
				return nil
			})
			status, answer := r.deliver(g, tc.body, tc.headers...)
			g.Expect(status).To(Equal(tc.status))
			g.Expect(answer).To(Equal(tc.answer))
			g.Eventually(r.observed).Should(HaveLen(1))
			report := r.observed()[0]
			g.Expect(report.Outcome).To(Equal(event.OutcomeRejected))
			g.Expect(report.StatusCode).To(Equal(tc.status))
			g.Expect(report.Err).To(HaveOccurred())
			g.Expect(report.Event).To(Equal(event.Event{}))
			g.Expect(handled.Load()).To(BeZero())

			status, _ = r.deliverSigned(g, raw)
			g.Expect(status).To(Equal(http.StatusOK), "and it does no harm to the next delivery")
		})
	}
}

func TestOnlyPOSTIsAnswered(t *testing.T) {
	r := newReceiver(t, accept)
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		g := NewWithT(t)
		request, err := http.NewRequest(method, r.URL, nil)
		g.Expect(err).NotTo(HaveOccurred())
		response, err := http.DefaultClient.Do(request)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(response.Body.Close()).To(Succeed())
		g.Expect(response.StatusCode).To(Equal(http.StatusMethodNotAllowed))
		g.Expect(response.Header.Get("Allow")).To(Equal("POST"))
	}
}

func TestAHandlerThatFailsIsAskedAgainAtTheNextAttempt(t *testing.T) {
	for name, fail := range map[string]func() error{
		"with an error": func() error { return errors.New("database of Jane Doe is down") },
		"with a panic":  func() error { panic("Jane Doe") },
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			attempts := 0
			r := newReceiver(t, func(context.Context, event.Event) error {
				if attempts++; attempts < 3 {
					return fail()
				}
				return nil
			})
			for range 2 {
				status, answer := r.deliverSigned(g, goodBody())
				g.Expect(status).To(Equal(http.StatusInternalServerError))
				g.Expect(answer).To(Equal("failed"), "what went wrong inside stays inside")
			}
			status, _ := r.deliverSigned(g, goodBody())
			g.Expect(status).To(Equal(http.StatusOK))
			g.Expect(attempts).To(Equal(3))
			g.Eventually(r.outcomes).Should(Equal([]event.Outcome{
				event.OutcomeFailed, event.OutcomeFailed, event.OutcomeHandled,
			}))
			g.Expect(r.observed()[0].Err).To(MatchError(ContainSubstring("Jane Doe")), "but is observed")
			g.Expect(r.observed()[0].Event.ID).NotTo(BeEmpty())
		})
	}
}

func TestSecretsMayChangeWhileTheHandlerRuns(t *testing.T) {
	g := NewWithT(t)
	var secrets atomic.Value
	secrets.Store([]string{"whsec_a"})
	r := newReceiver(t, accept, func(o *event.Options) {
		o.Verifier.Secrets = event.SecretFunc(func(context.Context) ([]string, error) {
			current := secrets.Load().([]string)
			if current == nil {
				return nil, errors.New("unreadable")
			}
			return current, nil
		})
		o.SecretsWait = -1
	})
	status := func(id, secret string) int {
		raw := []byte(`{"id":"` + id + `","type":"x"}`)
		code, _ := r.deliver(g, raw, event.Sign(raw, secret, time.Now()))
		return code
	}
	g.Expect(status("evt_1", "whsec_a")).To(Equal(200))
	g.Expect(status("evt_2", "whsec_b")).To(Equal(401))
	secrets.Store([]string{"whsec_b", "whsec_a"})
	g.Expect(status("evt_2", "whsec_b")).To(Equal(200))
	g.Expect(status("evt_3", "whsec_a")).To(Equal(200))
	secrets.Store([]string(nil))
	g.Expect(status("evt_4", "whsec_b")).To(Equal(503), "a receiver without secrets asks for another attempt")
	secrets.Store([]string{"whsec_c", "whsec_b"})
	g.Expect(status("evt_4", "whsec_b")).To(Equal(200))
	g.Expect(status("evt_5", "whsec_a")).To(Equal(401))
}

func TestAHandlerThatCouldOnlyFailIsNotMade(t *testing.T) {
	g := NewWithT(t)
	g.Expect(func() { event.NewHandler(event.Options{Handle: accept}) }).To(Panic())
	g.Expect(func() {
		event.NewHandler(event.Options{Verifier: event.Verifier{Secrets: event.StaticSecrets("s")}})
	}).To(Panic())
}
