// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

// mounted is a source whose secrets change under those who use it.
type mounted struct {
	mu      sync.Mutex
	secrets []string // none: they cannot be read
	asked   int
}

func (m *mounted) WebhookSecrets(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if len(m.secrets) == 0 {
		return nil, errors.New("no such file")
	}
	return m.secrets, nil
}

func (m *mounted) write(secrets ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets = secrets
}

func (m *mounted) timesAsked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked
}

// waitingReceiver is a Handler without a network, for time that a test advances.
type waitingReceiver struct {
	http.Handler
	mu      sync.Mutex
	reports []event.Delivery
}

func newWaitingReceiver(secrets event.SecretSource, tweaks ...func(*event.Options)) *waitingReceiver {
	r := &waitingReceiver{}
	options := event.Options{Verifier: event.Verifier{Secrets: secrets}, Handle: accept, Observe: func(d event.Delivery) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reports = append(r.reports, d)
	}}
	for _, tweak := range tweaks {
		tweak(&options)
	}
	r.Handler = event.NewHandler(options)
	return r
}

func (r *waitingReceiver) observed() []event.Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]event.Delivery(nil), r.reports...)
}

func (r *waitingReceiver) post(ctx context.Context, raw, header string) int {
	request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(raw)).WithContext(ctx)
	request.Header.Set(event.SignatureHeader, header)
	answer := httptest.NewRecorder()
	r.ServeHTTP(answer, request)
	return answer.Code
}

// deliver posts an event that is signed now and returns the status.
func (r *waitingReceiver) deliver(t *testing.T, id, secret string) int {
	raw := `{"id":"` + id + `","type":"x"}`
	return r.post(t.Context(), raw, event.Sign([]byte(raw), secret, time.Now()))
}

func TestADeliveryWaitsForTheSecretThatSignedIt(t *testing.T) {
	type change struct {
		at      time.Duration
		secrets []string
	}
	first, second, third := change{950 * time.Millisecond, []string{"s2", "s1"}}, change{1950 * time.Millisecond, []string{"s3", "s2"}}, []string{"s1", ""}
	for name, tc := range map[string]struct {
		before   []string
		changes  []change
		signedBy string
		status   int
		took     time.Duration
		index    int
	}{
		"that is known":                      {third, nil, "s1", 200, 0, 0},
		"that is the previous one":           {[]string{"s2", "s1"}, nil, "s1", 200, 0, 1},
		"that comes a moment later":          {third, []change{first}, "s2", 200, time.Second, 0},
		"that comes after another one":       {third, []change{first, second}, "s3", 200, 2 * time.Second, 0},
		"that is the previous one by then":   {third, []change{second}, "s2", 200, 2 * time.Second, 1},
		"that comes after a failure to read": {third, []change{{450 * time.Millisecond, nil}, first}, "s2", 200, time.Second, 0},
		"that never comes":                   {third, []change{first, second}, "forged", 401, 3 * time.Second, 0},
		"that comes too late":                {third, []change{{3050 * time.Millisecond, []string{"s2"}}}, "s2", 401, 3 * time.Second, 0},
		"that is the first there is":         {nil, []change{first}, "s2", 200, time.Second, 0},
		"while there is none at all":         {nil, nil, "s1", 503, 3 * time.Second, 0},
		"that is not the first that comes":   {nil, []change{first}, "forged", 401, 3 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				secrets := &mounted{secrets: tc.before}
				for _, c := range tc.changes {
					time.AfterFunc(c.at, func() { secrets.write(c.secrets...) })
				}
				start, r := time.Now(), newWaitingReceiver(secrets)
				g.Expect(r.deliver(t, "evt_1", tc.signedBy)).To(Equal(tc.status))
				g.Expect(time.Since(start)).To(Equal(tc.took))
				g.Expect(r.observed()).To(HaveLen(1))
				report := r.observed()[0]
				g.Expect(report.Waited).To(Equal(tc.took))
				g.Expect(report.Duration).To(Equal(tc.took))
				g.Expect(report.Event.SecretIndex).To(Equal(tc.index))
				<-time.After(5 * time.Second) // all changes are over, and nobody waits
				asked := secrets.timesAsked()
				<-time.After(5 * time.Second)
				g.Expect(secrets.timesAsked()).To(Equal(asked), "the looking has ended")
			})
		})
	}
}

func TestTheWaitLeavesTimeForTheEvent(t *testing.T) {
	for name, tc := range map[string]struct {
		wait, timeout, took time.Duration
	}{
		"by default":                   {0, 0, 3 * time.Second},
		"if it is shorter":             {time.Second, 0, time.Second},
		"if it is as long as all":      {4 * time.Second, 0, 3 * time.Second},
		"if the timeout is shorter":    {0, 2 * time.Second, 1500 * time.Millisecond},
		"if the timeout is longer":     {0, time.Minute, 3 * time.Second},
		"if both are longer":           {30 * time.Second, time.Minute, 30 * time.Second},
		"if there is none to be":       {-1, 0, 0},
		"if there is none of a minute": {-time.Second, time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				start, r := time.Now(), newWaitingReceiver(&mounted{secrets: []string{"s1"}}, func(o *event.Options) {
					o.SecretsWait, o.Timeout = tc.wait, tc.timeout
				})
				g.Expect(r.deliver(t, "evt_1", "forged")).To(Equal(401))
				g.Expect(time.Since(start)).To(Equal(tc.took))
			})
		})
	}
}

func TestNothingWaitsThatOtherSecretsCannotHelp(t *testing.T) {
	raw := string(goodBody())
	for name, tc := range map[string]struct {
		secrets event.SecretSource
		header  func() string
		status  int
	}{
		"forged, and too old":         {&mounted{secrets: []string{"s1"}}, func() string { return event.Sign([]byte(raw), "forged", time.Now().Add(-time.Hour)) }, 401},
		"too old, without secrets":    {&mounted{}, func() string { return event.Sign([]byte(raw), "s1", time.Now().Add(-time.Hour)) }, 503},
		"genuine, and too old":        {&mounted{secrets: []string{"s1"}}, func() string { return event.Sign([]byte(raw), "s1", time.Now().Add(-time.Hour)) }, 400},
		"malformed":                   {&mounted{secrets: []string{"s1"}}, func() string { return "t=1" }, 400},
		"not signed":                  {&mounted{}, func() string { return "" }, 400},
		"forged, and nothing changes": {event.StaticSecrets("s1"), func() string { return event.Sign([]byte(raw), "forged", time.Now()) }, 401},
		"signed, with no environment": {event.SecretsFromEnv(), func() string { return event.Sign([]byte(raw), "s1", time.Now()) }, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(event.SecretName, "")
			t.Setenv(event.PreviousSecretName, "")
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				start, r := time.Now(), newWaitingReceiver(tc.secrets)
				g.Expect(r.post(t.Context(), raw, tc.header())).To(Equal(tc.status))
				g.Expect(time.Since(start)).To(BeZero())
				g.Expect(r.observed()[0].Waited).To(BeZero())
			})
		})
	}
}

func TestWhatTheNewSecretSignedIsStillChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		secrets := &mounted{secrets: []string{"s1"}}
		time.AfterFunc(950*time.Millisecond, func() { secrets.write("s2", "s1") })
		noEvent := `{"hello":"world"}`
		start, r := time.Now(), newWaitingReceiver(secrets)
		g.Expect(r.post(t.Context(), noEvent, event.Sign([]byte(noEvent), "s2", time.Now()))).To(Equal(400))
		g.Expect(time.Since(start)).To(Equal(time.Second))
		g.Expect(r.observed()[0].Err).To(MatchError(event.ErrNotAnEvent))
	})
}

func TestForgersCannotMakeMoreThanABoundedNumberOfDeliveriesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		r := newWaitingReceiver(&mounted{secrets: []string{"s1"}}, func(o *event.Options) { o.MaxWaiting = 2 })
		start := time.Now()
		took := func(id, secret string, status int) time.Duration {
			began := time.Now()
			g.Expect(r.deliver(t, id, secret)).To(Equal(status))
			return time.Since(began)
		}
		var forgers sync.WaitGroup
		for i := range 2 {
			forgers.Go(func() { r.deliver(t, fmt.Sprintf("evt_%d", i), "forged") })
		}
		synctest.Wait()
		g.Expect(took("evt_3", "forged", 401)).To(BeZero(), "refused at once")
		g.Expect(r.observed()[0].Waited).To(BeZero())
		g.Expect(r.observed()[0].Err).To(MatchError(ContainSubstring("2 deliveries wait for other secrets already")))
		g.Expect(took("evt_4", "s1", 200)).To(BeZero(), "what is genuine does not mind")
		forgers.Wait()
		g.Expect(time.Since(start)).To(Equal(3 * time.Second))
		g.Expect(took("evt_5", "forged", 401)).To(Equal(3*time.Second), "and then there is room again")
	})
}

func TestHoweverManyWaitTheSourceIsAskedTenTimesASecond(t *testing.T) {
	const deliveries = event.DefaultMaxWaiting
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		secrets := &mounted{secrets: []string{"s1"}}
		time.AfterFunc(950*time.Millisecond, func() { secrets.write("s2", "s1") })
		var handled sync.Map
		r := newWaitingReceiver(secrets, func(o *event.Options) {
			o.Handle = func(_ context.Context, e event.Event) error {
				if _, again := handled.LoadOrStore(e.ID, nil); again {
					t.Errorf("%s is handled twice", e.ID)
				}
				return nil
			}
		})
		statuses := make([]int, deliveries)
		var senders sync.WaitGroup
		for i := range deliveries {
			senders.Go(func() { statuses[i] = r.deliver(t, fmt.Sprintf("evt_%d", i), "s2") })
		}
		senders.Wait()
		g.Expect(statuses).To(HaveEach(200))
		g.Expect(r.observed()).To(And(HaveLen(deliveries), HaveEach(HaveField("Waited", time.Second))))
		g.Expect(secrets.timesAsked()).To(Equal(deliveries + 10))
	})
}

func TestAWaitGoesOnWhenThoseWhoBeganBeforeAreDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		secrets := &mounted{secrets: []string{"s1"}}
		r := newWaitingReceiver(secrets)
		var senders sync.WaitGroup
		// One comes every half second, so that each is there when others leave.
		for i := range 10 {
			time.AfterFunc(time.Duration(i)*500*time.Millisecond, func() {
				senders.Go(func() { r.deliver(t, fmt.Sprintf("evt_%d", i), "s2") })
			})
		}
		time.AfterFunc(5050*time.Millisecond, func() { secrets.write("s2") })
		<-time.After(5050 * time.Millisecond)
		senders.Wait()
		var accepted []string
		for _, report := range r.observed() {
			g.Expect(report.Waited).To(BeNumerically("<=", 3*time.Second))
			if report.Outcome == event.OutcomeHandled {
				accepted = append(accepted, report.Event.ID)
			}
		}
		g.Expect(accepted).To(ConsistOf("evt_5", "evt_6", "evt_7", "evt_8", "evt_9"))
	})
}

func TestTheWaitEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		secrets := &mounted{secrets: []string{"s1"}}
		r := newWaitingReceiver(secrets)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		raw := string(goodBody())
		g.Expect(r.post(ctx, raw, event.Sign([]byte(raw), "s2", time.Now()))).To(Equal(401))
		g.Expect(r.observed()[0].Waited).To(Equal(time.Second))
	})
}

func TestASenderWhoHangsUpIsWaitedForNoLonger(t *testing.T) {
	g := NewWithT(t)
	secrets := &mounted{secrets: []string{"s1"}}
	r := newReceiver(t, accept, func(o *event.Options) {
		o.Verifier.Secrets, o.Timeout, o.SecretsWait = secrets, time.Hour, 30*time.Minute
	})
	ctx, hangUp := context.WithCancel(t.Context())
	raw := string(goodBody())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, strings.NewReader(raw))
	g.Expect(err).NotTo(HaveOccurred())
	request.Header.Set(event.SignatureHeader, event.Sign([]byte(raw), "s2", time.Now()))
	gone := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		gone <- err
	}()
	g.Eventually(secrets.timesAsked).WithTimeout(time.Minute).Should(BeNumerically(">", 1), "it waits")
	hangUp()
	g.Eventually(gone).WithTimeout(time.Minute).Should(Receive(MatchError(context.Canceled)))
	g.Eventually(r.outcomes).WithTimeout(time.Minute).Should(Equal([]event.Outcome{event.OutcomeRejected}))
}

func TestASourceThatPanicsMeanwhileDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		asked := 0
		r := newWaitingReceiver(event.SecretFunc(func(context.Context) ([]string, error) {
			switch asked++; {
			case asked == 2:
				panic("whsec_2")
			case asked > 4:
				return []string{"s2"}, nil
			}
			return []string{"s1"}, nil
		}))
		g.Expect(r.deliver(t, "evt_1", "s2")).To(Equal(200))
	})
}

func TestAReceiverWithoutAHandlerCanWaitToo(t *testing.T) {
	raw := goodBody()
	for name, tc := range map[string]struct {
		signedBy string
		atMost   time.Duration
		err      error
		took     time.Duration
	}{
		"for a secret that comes":           {"s2", 2 * time.Second, nil, time.Second},
		"for a secret that comes too late":  {"s2", 500 * time.Millisecond, event.ErrSignatureMismatch, 500 * time.Millisecond},
		"for a secret that never comes":     {"forged", 2 * time.Second, event.ErrSignatureMismatch, 2 * time.Second},
		"for as long as the request stays":  {"forged", time.Hour, event.ErrSignatureMismatch, 10 * time.Second},
		"but does not if the secret is old": {"s1", 2 * time.Second, nil, 0},
		"but does not if it may not":        {"s2", 0, event.ErrSignatureMismatch, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				secrets := &mounted{secrets: []string{"s1"}}
				time.AfterFunc(950*time.Millisecond, func() { secrets.write("s2", "s1") })
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				start := time.Now()
				e, err := event.Verifier{Secrets: secrets}.ConstructEventWaiting(ctx, raw, event.Sign(raw, tc.signedBy, start), tc.atMost)
				g.Expect(time.Since(start)).To(Equal(tc.took))
				if tc.err != nil {
					g.Expect(err).To(MatchError(tc.err))
					g.Expect(e).To(Equal(event.Event{}))
					return
				}
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect([]byte(e.Raw)).To(Equal(raw))
			})
		})
	}
}
