// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// restart is an API server that is killed around a write of the operator, to whichever side, and started again: on the same data,
// at the same address. Until it is back, the operator finds nobody there; then it has to find its way by itself.
type restart struct {
	scenario scenario
	// write is the name of the write, and number says which of those of that name, from 1.
	write  string
	number int
	// after: the write takes effect first. To the API server, its answer is lost then.
	after bool

	site  *lab.Site
	ended chan error

	mu   sync.Mutex
	seen int
}

func (r *restart) String() string {
	when := "before"
	if r.after {
		when = "after"
	}
	return fmt.Sprintf("%s: %s %s, number %d", r.scenario.name, when, strings.ReplaceAll(r.write, "/", " "), r.number)
}

// TestAnAPIServerThatRestartsInTheMiddleLosesAndDoublesNothing has a control plane of its own, whose worlds come one after another.
func TestAnAPIServerThatRestartsInTheMiddleLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	var restarts []*restart
	for _, s := range scenarios() {
		numbers := map[string]int{}
		for _, name := range baseline(t, s).sent {
			numbers[name]++
			for _, after := range []bool{false, true} {
				restarts = append(restarts, &restart{scenario: s, write: name, number: numbers[name], after: after})
			}
		}
	}
	site := lab.NewSite(t)
	for _, r := range lab.Pick(restarts, 11) {
		t.Run(r.String(), func(t *testing.T) {
			lab.Report("API server restarted").Plan(t)
			r.site, r.ended = site, make(chan error, 1)
			r.run(t)
		})
	}
}

// onItsOwn puts a world on a control plane whose API server comes and goes: informers take a while to come back to it.
func onItsOwn(site *lab.Site) func(*lab.Setup) {
	return func(s *lab.Setup) { s.Site, s.Patience = site, 3*time.Minute }
}

func (r *restart) run(t *testing.T) {
	w := lab.NewWorld(t, onItsOwn(r.site))
	op := r.scenario.begin(w)
	since := startOf(w, op)
	op.Wire.Intercept(r.middleware)
	r.scenario.act(w)
	w.Expect(w.Settle()).To(BeTrue())
	// Whether something is written a second time depends on how soon the informers show the first time.
	if r.number == 1 || r.hasBegun() {
		w.Expect(r.ended).To(Receive(BeNil()), "it was never killed, or did not come back")
	}
	w.CheckInvariants()
	want, got := baseline(t, r.scenario), outcomeOf(w, op, since)
	expectSame(t, want, got, true)
	w.Expect(got.writes[Rotate]).To(BeNumerically("<=", want.writes[Rotate]+1), "rotations")
}

func (r *restart) middleware(_ *lab.Wire, request *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
	if !request.IsWrite() || request.String() != r.write || !r.strikes() {
		return send()
	}
	if !r.after {
		r.begin()
		return send()
	}
	resp, err := send()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	r.begin()
	if request.Side == lab.Kubernetes || err != nil {
		return nil, errLost
	}
	resp.Body = io.NopCloser(bytes.NewReader(content))
	return resp, nil
}

// strikes counts a write of that name, and tells whether it is the one.
func (r *restart) strikes() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen++
	return r.seen == r.number
}

func (r *restart) hasBegun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen >= r.number
}

// begin kills the API server. It comes back while the operator goes on.
func (r *restart) begin() {
	err := r.site.KillAPIServer()
	go func() { r.ended <- errors.Join(err, r.site.StartAPIServer(context.Background())) }()
}

// longestBackoff is how long a resource at most waits after failure upon failure until it is tried again.
const longestBackoff = 1000 * time.Second

// TestWhileThereIsNoAPIServerNothingIsWrittenToMedblocks lets something happen at Medblocks that the operator has to answer, while it
// can neither read its resources nor write ahead what it is about to do.
func TestWhileThereIsNoAPIServerNothingIsWrittenToMedblocks(t *testing.T) {
	t.Parallel()
	site := lab.NewSite(t)
	for name, happens := range map[string]func(w *lab.World, id string){
		"the endpoint is disabled": func(w *lab.World, id string) {
			_, err := w.Vendor.AddEvent("", emulator.EventRecord{WebhookEndpointID: id, Attempts: 9})
			w.Expect(err).NotTo(HaveOccurred())
			w.Expect(w.Vendor.DisableEndpoint(id)).To(Succeed())
		},
		"the endpoint is deleted": func(w *lab.World, id string) { w.Expect(w.Vendor.RemoveEndpoint(id)).To(Succeed()) },
		"the endpoint is edited": func(w *lab.World, id string) {
			w.Expect(w.Vendor.SetEndpoint(id, func(e *emulator.Endpoint) { e.URL += "?drifted" })).To(Succeed())
		},
	} {
		t.Run(name, func(t *testing.T) {
			lab.Report("no API server").Plan(t)
			w := lab.NewWorld(t, onItsOwn(site))
			op := scenario{spec: reenabled}.begin(w)
			id, before := w.Remote(hooks).ID, len(op.Wire.Writes())
			want := w.State()
			w.Expect(site.KillAPIServer()).To(Succeed())
			op.SetBlind(true)
			happens(w, id)
			w.Advance(time.Hour)
			for _, r := range op.Wire.Writes()[before:] {
				w.Expect(r.Side).To(Equal(lab.Kubernetes), r.String())
			}
			w.Expect(site.StartAPIServer(w.Context())).To(Succeed())
			op.SetBlind(false)
			w.Advance(longestBackoff)
			w.Expect(w.Settle()).To(BeTrue())
			w.CheckInvariants()
			w.Expect(w.State().Endpoints).To(HaveLen(1))
			w.Expect(essence(w.State(), true).Endpoints[0].URL).To(Equal(essence(want, true).Endpoints[0].URL))
			w.Expect(w.Remote(hooks).Status).To(Equal(emulator.StatusActive))
		})
	}
}
