// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/controllers/account"
	"github.com/medblocks/webhook-operator/test/emulator"
)

const testKey = "mb_sk_sbx_redelivery"

func TestMain(m *testing.M) {
	SetDefaultEventuallyTimeout(30 * time.Second) // the machine may be busy with other packages
	SetDefaultEventuallyPollingInterval(time.Millisecond)
	m.Run()
}

// receiver is a user's server.
type receiver struct {
	mu sync.Mutex
	// answer is what it answers to an event.
	answer func(id string) int
	got    []string
	taken  map[string]int // how often each event was answered with 200
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var event struct{ ID string }
	if json.NewDecoder(req.Body).Decode(&event) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	answer := r.answer
	r.mu.Unlock()
	status := answer(event.ID)
	r.mu.Lock()
	r.got = append(r.got, event.ID)
	if status == http.StatusOK {
		r.taken[event.ID]++
	}
	r.mu.Unlock()
	w.WriteHeader(status)
}

func (r *receiver) set(answer func(id string) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// received are the ids of the events in the order of their coming, and how often each was taken.
func (r *receiver) received() (got []string, taken map[string]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken = map[string]int{}
	for id, times := range r.taken {
		taken[id] = times
	}
	return slices.Clone(r.got), taken
}

// ok is a receiver that is well, and down one that is not.
func ok(string) int   { return http.StatusOK }
func down(string) int { return http.StatusServiceUnavailable }

// rig is Medblocks and a receiver behind real HTTP, on a clock that the test moves, and an operator's account and courier.
type rig struct {
	*WithT
	t        *testing.T
	vendor   *emulator.Server
	url      string
	clock    *clocktesting.FakeClock
	receiver *receiver
	endpoint string
	// process is what ends with an operator.
	process
}

type process struct {
	office  *office
	account *account.Account
	kill    context.CancelFunc
	ended   chan struct{}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{WithT: NewWithT(t), t: t, clock: clocktesting.NewFakeClock(start), receiver: &receiver{answer: ok, taken: map[string]int{}}}
	r.vendor = emulator.New(emulator.Options{Clock: r.clock})
	server, receiver := httptest.NewServer(r.vendor), httptest.NewServer(r.receiver)
	t.Cleanup(receiver.Close)
	t.Cleanup(server.Close)
	t.Cleanup(r.vendor.Close)
	r.url = server.URL
	endpoint, err := r.vendor.AddEndpoint(testKey, emulator.Endpoint{URL: receiver.URL})
	r.Expect(err).NotTo(HaveOccurred())
	r.endpoint = endpoint.ID
	r.startProcess()
	t.Cleanup(func() { r.end() })
	return r
}

// keySecret stands in for the API server.
type keySecret struct{ client.Reader }

func (keySecret) Get(_ context.Context, _ client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	object.(*corev1.Secret).Data = map[string][]byte{"key": []byte(testKey)}
	return nil
}

// startProcess starts an operator that knows nothing.
func (r *rig) startProcess() {
	ctx, cancel := context.WithCancel(context.Background())
	registry := account.NewRegistry(account.Options{
		Secrets: keySecret{}, ClusterID: "c1", PollInterval: 5 * time.Minute, DisabledPollInterval: 30 * time.Second,
		QPS: 1e6, Burst: 1e6, Clock: r.clock, Log: logr.Discard(),
		NewAPI: func(key string) (account.API, error) {
			return medblocks.New(medblocks.Config{BaseURL: r.url, APIKey: key, Timeout: 5 * time.Second, Observer: account.ObserveCall})
		},
	}, func(...account.Resource) {})
	o := newOfficeAt(r.clock)
	var running sync.WaitGroup
	running.Go(func() { _ = registry.Start(ctx) })
	running.Go(func() { _ = o.Start(ctx) })
	acct, err := registry.Use(ctx, orders, account.KeyRef{Namespace: "shop", Name: "key", Key: "key"})
	r.Expect(err).NotTo(HaveOccurred())
	ended := make(chan struct{})
	r.process = process{office: o, account: acct, kill: cancel, ended: ended}
	go func() {
		defer close(ended)
		running.Wait()
	}()
}

// end ends the operator, and looks for secrets in its log.
func (r *rig) end() {
	r.kill()
	<-r.ended
	for _, credential := range r.vendor.Credentials() {
		r.Expect(r.office.logged()).NotTo(ContainElement(ContainSubstring(credential)))
	}
}

// lose adds events that were given up, one a minute, the last one a minute ago, oldest first.
func (r *rig) lose(events int, tweaks ...func(*emulator.EventRecord)) []string {
	ids := make([]string, 0, events)
	status := http.StatusServiceUnavailable
	for i := range events {
		is := emulator.EventRecord{
			WebhookEndpointID: r.endpoint, Attempts: 9, LastStatusCode: &status, CreatedAt: start.Add(-time.Duration(events-i) * time.Minute),
		}
		for _, tweak := range tweaks {
			tweak(&is)
		}
		is, err := r.vendor.AddEvent(testKey, is)
		r.Expect(err).NotTo(HaveOccurred())
		ids = append(ids, is.ID)
	}
	return ids
}

// job is one that is begun now.
func (r *rig) job(tweaks ...func(*Job)) Job {
	job := anyJob(tweaks...)
	job.EndpointID, job.Begun = r.endpoint, r.clock.Now()
	return job
}

// until lets time pass until something is so.
func (r *rig) until(is func(g Gomega)) {
	r.t.Helper()
	r.Eventually(func(g Gomega) {
		r.clock.Step(5 * time.Second) // a job has hours to wait
		is(g)
	}).Should(Succeed())
}

// quiet waits until Medblocks has nothing to do any more, while no time passes.
func (r *rig) quiet() {
	r.t.Helper()
	total := -1
	r.Eventually(func(g Gomega) {
		before := total
		total = r.vendor.Counters().Total()
		g.Expect(total).To(Equal(before))
		g.Expect(r.vendor.Idle()).To(BeTrue())
	}).WithPolling(20 * time.Millisecond).Should(Succeed())
}

// outcome lets time pass until the job has ended, and returns how.
func (r *rig) outcome(job Job) Progress {
	r.t.Helper()
	var p Progress
	r.until(func(g Gomega) {
		var known bool
		p, known = r.office.Progress(orders, job.Begun)
		g.Expect(known).To(BeTrue())
		g.Expect(p.State).NotTo(Equal(Running))
	})
	return p
}

// redeliver runs a job to its end.
func (r *rig) redeliver(job Job) Progress {
	r.t.Helper()
	r.office.Go(orders, r.account, job)
	return r.outcome(job)
}

// calls are how many calls were answered with each status.
func (r *rig) calls(operation emulator.Operation) map[string]int {
	return r.vendor.Counters().Statuses[operation]
}
