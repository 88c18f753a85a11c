// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
	"github.com/medblocks/webhook-operator/test/receiver"
)

const secret = "whsec_receiver_3Jx9"

var now = time.Date(2026, 4, 25, 14, 35, 0, 0, time.UTC)

// harness is a receiver behind HTTP with a clock that stands still.
type harness struct {
	Gomega
	url string
	log *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// start starts a receiver that waits for no secrets.
func start(t *testing.T, secrets event.SecretSource) harness {
	t.Helper()
	log := &lockedBuffer{}
	server := httptest.NewServer(receiver.New(receiver.Options{
		Secrets: secrets, SecretsWait: -1, Clock: clocktesting.NewFakePassiveClock(now), Logger: slog.New(slog.NewTextHandler(log, nil)),
	}))
	t.Cleanup(server.Close)
	return harness{Gomega: NewWithT(t), url: server.URL, log: log}
}

func (h harness) do(method, path, body string, header http.Header) (int, string) {
	request, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	h.Expect(err).NotTo(HaveOccurred())
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	h.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	h.Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, string(text)
}

func (h harness) status(method, path string) int {
	status, _ := h.do(method, path, "", nil)
	return status
}

func (h harness) deliver(id, signingSecret string) int {
	body := `{"id":"` + id + `","object":"event","type":"records.sync.failed","data":{"object":{"patient_id":"Jane Doe"}}}`
	status, _ := h.do(http.MethodPost, receiver.WebhookPath, body, http.Header{
		event.SignatureHeader: {event.Sign([]byte(body), signingSecret, now)},
	})
	return status
}

func (h harness) report() receiver.Report {
	status, text := h.do(http.MethodGet, "/_receiver/events", "", nil)
	h.Expect(status).To(Equal(http.StatusOK))
	var report receiver.Report
	h.Expect(json.Unmarshal([]byte(text), &report)).To(Succeed())
	return report
}

func TestAcceptedEventsAreListedWithTheSecretThatVerifiedThem(t *testing.T) {
	h := start(t, event.StaticSecrets(secret, "whsec_old"))
	h.Expect(h.report()).To(Equal(receiver.Report{Events: []receiver.AcceptedEvent{}}))

	h.Expect(h.deliver("evt_1", secret)).To(Equal(200))
	h.Expect(h.deliver("evt_2", "whsec_old")).To(Equal(200))
	h.Expect(h.deliver("evt_1", secret)).To(Equal(200))
	h.Expect(h.deliver("evt_3", "whsec_forged")).To(Equal(401))
	h.Expect(h.status(http.MethodGet, receiver.WebhookPath)).To(Equal(405))

	h.Expect(h.report()).To(Equal(receiver.Report{
		Events: []receiver.AcceptedEvent{
			{ID: "evt_1", Type: event.TypeRecordsSyncFailed, ReceivedAt: now, Secret: "current"},
			{ID: "evt_2", Type: event.TypeRecordsSyncFailed, ReceivedAt: now, Secret: "previous"},
		},
		Counts: receiver.Counts{Accepted: 2, AcceptedCurrent: 1, AcceptedPrevious: 1, Duplicates: 1, Rejected: 2},
	}))
	_, text := h.do(http.MethodGet, "/_receiver/events", "", nil)
	h.Expect(text).To(MatchJSON(`{"events":[
		{"id":"evt_1","type":"records.sync.failed","received_at":"2026-04-25T14:35:00Z","secret":"current"},
		{"id":"evt_2","type":"records.sync.failed","received_at":"2026-04-25T14:35:00Z","secret":"previous"}],
		"counts":{"accepted":2,"accepted_current":1,"accepted_previous":1,"duplicates":1,"rejected":2,"failed":0,"waited":0},"failing":0}`))
	h.Expect(h.log.String()).To(ContainSubstring("outcome=handled status=200 id=evt_1"))
	h.Expect(h.log.String()).NotTo(Or(ContainSubstring("whsec_"), ContainSubstring("Jane")))
}

func TestAReceiverFailsWhileToldToAndLosesNothing(t *testing.T) {
	for query, want := range map[string]int{"": 503, "?status=500": 500, "?status=404": 404, "?status=302": 302} {
		t.Run("with "+query, func(t *testing.T) {
			h := start(t, event.StaticSecrets(secret))
			h.Expect(h.status(http.MethodGet, "/healthz")).To(Equal(200))

			status, text := h.do(http.MethodPost, "/_receiver/fail"+query, "", nil)
			h.Expect(status).To(Equal(200))
			h.Expect(text).To(MatchJSON(fmt.Sprintf(`{"failing":%d}`, want)))
			h.Expect(h.deliver("evt_1", secret)).To(Equal(want))
			h.Expect(h.deliver("evt_1", "whsec_forged")).To(Equal(want))
			h.Expect(h.status(http.MethodGet, receiver.WebhookPath)).To(Equal(want), "a probe sees it too")
			h.Expect(h.status(http.MethodGet, "/healthz")).To(Equal(503))
			h.Expect(h.report()).To(Equal(receiver.Report{
				Events: []receiver.AcceptedEvent{}, Counts: receiver.Counts{Failed: 2}, Failing: want,
			}))

			h.Expect(h.status(http.MethodPost, "/_receiver/recover")).To(Equal(200))
			h.Expect(h.status(http.MethodGet, "/healthz")).To(Equal(200))
			h.Expect(h.deliver("evt_1", secret)).To(Equal(200))
			h.Expect(h.report().Counts).To(Equal(receiver.Counts{Accepted: 1, AcceptedCurrent: 1, Failed: 2}))
		})
	}
}

func TestAnEventWhoseAnswerWasLostIsKnownWhenItComesAgain(t *testing.T) {
	for query, want := range map[string]int{"": 504, "?status=502": 502} {
		t.Run("with "+query, func(t *testing.T) {
			h := start(t, event.StaticSecrets(secret))
			status, text := h.do(http.MethodPost, "/_receiver/lose"+query, "", nil)
			h.Expect(status).To(Equal(200))
			h.Expect(text).To(MatchJSON(fmt.Sprintf(`{"failing":%d}`, want)))
			h.Expect(h.deliver("evt_1", secret)).To(Equal(want))
			h.Expect(h.deliver("evt_1", "whsec_forged")).To(Equal(want))
			h.Expect(h.status(http.MethodGet, "/healthz")).To(Equal(503))
			h.Expect(h.report()).To(Equal(receiver.Report{
				Events:  []receiver.AcceptedEvent{{ID: "evt_1", Type: event.TypeRecordsSyncFailed, ReceivedAt: now, Secret: "current"}},
				Counts:  receiver.Counts{Accepted: 1, AcceptedCurrent: 1, Rejected: 1},
				Failing: want,
			}))

			h.Expect(h.status(http.MethodPost, "/_receiver/recover")).To(Equal(200))
			h.Expect(h.deliver("evt_1", secret)).To(Equal(200))
			h.Expect(h.report().Counts).To(Equal(receiver.Counts{Accepted: 1, AcceptedCurrent: 1, Duplicates: 1, Rejected: 1}))
		})
	}
}

func TestAnOrderToFailThatMakesNoSenseIsRefused(t *testing.T) {
	h := start(t, event.StaticSecrets(secret))
	for _, status := range []string{"200", "299", "600", "0", "-1", "abc", "5e2"} {
		h.Expect(h.status(http.MethodPost, "/_receiver/fail?status="+status)).To(Equal(400), status)
		h.Expect(h.status(http.MethodPost, "/_receiver/lose?status="+status)).To(Equal(400), status)
	}
	h.Expect(h.status(http.MethodGet, "/_receiver/fail")).To(Equal(405))
	h.Expect(h.status(http.MethodGet, "/nowhere")).To(Equal(404))
	h.Expect(h.deliver("evt_1", secret)).To(Equal(200))
}

func TestARotatedSecretIsFollowedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	h := start(t, event.SecretsFromDir(dir))
	// As the kubelet does it: a directory per generation, and a link that moves.
	publish := func(generation, current, previous string) {
		data := filepath.Join(dir, generation)
		h.Expect(os.Mkdir(data, 0o755)).To(Succeed())
		h.Expect(os.WriteFile(filepath.Join(data, event.SecretName), []byte(current), 0o600)).To(Succeed())
		h.Expect(os.WriteFile(filepath.Join(data, event.PreviousSecretName), []byte(previous), 0o600)).To(Succeed())
		h.Expect(os.Symlink(generation, filepath.Join(dir, "..data_tmp"))).To(Succeed())
		h.Expect(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))).To(Succeed())
	}
	h.Expect(h.deliver("evt_1", "whsec_1")).To(Equal(503), "no secret yet")
	publish("..1", "whsec_1", "")
	h.Expect(h.deliver("evt_1", "whsec_1")).To(Equal(200))
	h.Expect(h.deliver("evt_2", "whsec_2")).To(Equal(401))
	publish("..2", "whsec_2", "whsec_1")
	h.Expect(h.deliver("evt_2", "whsec_2")).To(Equal(200))
	h.Expect(h.deliver("evt_3", "whsec_1")).To(Equal(200))
	publish("..3", "whsec_3", "whsec_2")
	h.Expect(h.deliver("evt_4", "whsec_1")).To(Equal(401))

	report := h.report()
	h.Expect(report.Counts).To(Equal(receiver.Counts{Accepted: 3, AcceptedCurrent: 2, AcceptedPrevious: 1, Rejected: 2, Failed: 1}))
	h.Expect([]string{report.Events[0].Secret, report.Events[1].Secret, report.Events[2].Secret}).
		To(Equal([]string{"current", "current", "previous"}))
}

func TestTheListOfEventsIsBounded(t *testing.T) {
	h := start(t, event.StaticSecrets(secret))
	for i := range 1005 {
		h.Expect(h.deliver(fmt.Sprintf("evt_%d", i), secret)).To(Equal(200))
	}
	report := h.report()
	h.Expect(report.Counts.Accepted).To(Equal(1005))
	h.Expect(report.Events).To(HaveLen(1000))
	h.Expect(report.Events[0].ID).To(Equal("evt_5"))
	h.Expect(report.Events[999].ID).To(Equal("evt_1004"))
}

func TestServeEndsCleanlyWithItsContext(t *testing.T) {
	g := NewWithT(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	server := receiver.New(receiver.Options{Secrets: event.StaticSecrets(secret)})
	go func() { served <- server.Serve(ctx, listener) }()
	url := "http://" + listener.Addr().String() + "/healthz"
	response, err := http.Get(url)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(response.Body.Close()).To(Succeed())
	g.Expect(response.StatusCode).To(Equal(200))

	cancel()
	g.Eventually(served, 10*time.Second).Should(Receive(BeNil()))
	_, err = net.Dial("tcp", listener.Addr().String())
	g.Expect(err).To(HaveOccurred())
}

func TestServeReportsAListenerThatBreaks(t *testing.T) {
	g := NewWithT(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(listener.Close()).To(Succeed())
	server := receiver.New(receiver.Options{Secrets: event.StaticSecrets(secret)})
	g.Expect(errors.Is(server.Serve(context.Background(), listener), net.ErrClosed)).To(BeTrue())
}
