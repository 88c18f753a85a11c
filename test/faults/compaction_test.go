// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/lab"
)

// TestHistoryThatWasCompactedHidesNothing has all watches closed, something happen, and the history of it compacted in etcd, before
// the informers can go on from where they were: the API server itself refuses that, and they have to list again.
func TestHistoryThatWasCompactedHidesNothing(t *testing.T) {
	t.Parallel()
	site := lab.NewSite(t)
	var all []*behind
	for _, s := range scenarios() {
		if s.asked {
			lab.Report("history compacted").Plan(t)
			all = append(all, newBehind(t, site, s))
		}
	}
	restartAPIServer(t, site)
	for _, b := range all {
		b.scenario.act(b.world)
	}
	NewWithT(t).Expect(site.Compact(t.Context())).To(Succeed())
	restartAPIServer(t, site) // one that runs knows some history of its own
	for _, b := range all {
		b.catchUp(t)
	}
}

func restartAPIServer(t *testing.T, site *lab.Site) {
	t.Helper()
	g := NewWithT(t)
	g.Expect(site.KillAPIServer()).To(Succeed())
	g.Expect(site.StartAPIServer(t.Context())).To(Succeed())
}

// behind is a world whose operator sees nothing of what happens.
type behind struct {
	scenario scenario
	world    *lab.World
	operator *lab.Operator
	view     *lab.View
	since    start

	mu sync.Mutex
	// refused are the collections whose watch was told that its history has expired.
	refused map[string]bool
}

func newBehind(t *testing.T, site *lab.Site, s scenario) *behind {
	w := lab.NewWorld(t, onItsOwn(site))
	b := &behind{scenario: s, world: w, view: w.NewView(), refused: map[string]bool{}}
	wire := w.NewWire()
	wire.Intercept(func(wire *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		return b.view.Serve(wire, r, func() (*http.Response, error) { return b.listen(r, send) })
	})
	b.operator = s.beginThrough(w, wire)
	b.since = startOf(w, b.operator)
	b.operator.SetBlind(true)
	b.view.Block()
	return b
}

// catchUp lets the informers go on, and compares what follows with the undisturbed run.
func (b *behind) catchUp(t *testing.T) {
	t.Helper()
	b.operator.SetBlind(false)
	b.view.Release()
	b.world.Expect(b.world.Settle()).To(BeTrue())
	b.world.CheckInvariants()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.world.Expect(b.refused).To(HaveLen(2), "collections whose history has expired")
	want, got := baseline(t, b.scenario), outcomeOf(b.world, b.operator, b.since)
	expectSame(t, want, got, false)
	b.world.Expect(got.writes[Rotate]).To(Equal(want.writes[Rotate]), "rotations")
}

// listen overhears what the API server tells a watch.
func (b *behind) listen(r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
	resp, err := send()
	if err == nil && r.Query.Get("watch") != "" {
		resp.Body = &overheard{ReadCloser: resp.Body, behind: b, collection: r.Path[strings.LastIndex(r.Path, "/")+1:]}
	}
	return resp, err
}

type overheard struct {
	io.ReadCloser
	behind     *behind
	collection string
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	if bytes.Contains(p[:n], []byte("too old resource version")) {
		o.behind.mu.Lock()
		o.behind.refused[o.collection] = true
		o.behind.mu.Unlock()
	}
	return n, err
}
