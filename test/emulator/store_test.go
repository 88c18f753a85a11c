// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestTenThousandEndpointsAreListedOnceEach(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	const n = 10_000
	for i := range n {
		status := emulator.StatusActive
		if i%100 == 0 {
			status = emulator.StatusDisabled
		}
		_, err := f.AddEndpoint(key, emulator.Endpoint{Status: status})
		g.Expect(err).NotTo(HaveOccurred())
	}
	for _, c := range []struct {
		query string
		want  int
	}{{"", n}, {"&status=disabled", n / 100}, {"&status=active", n - n/100}} {
		seen := map[string]bool{}
		cursor := ""
		for {
			resp := f.do(http.MethodGet, "/webhooks?limit=100"+c.query+cursor, "")
			for _, id := range pageIDs(resp) {
				if seen[id] {
					t.Fatalf("%s came twice", id)
				}
				seen[id] = true
			}
			if resp.body["has_more"] == false {
				break
			}
			cursor = "&starting_after=" + resp.body["next_cursor"].(string)
		}
		g.Expect(seen).To(HaveLen(c.want), c.query)
	}
}

// BenchmarkPageOfTenThousand shows that a page costs the same wherever it is.
func BenchmarkPageOfTenThousand(b *testing.B) {
	vendor := emulator.New(emulator.Options{})
	b.Cleanup(vendor.Close)
	var middle string
	for i := range 10_000 {
		e, err := vendor.AddEndpoint(key, emulator.Endpoint{})
		if err != nil {
			b.Fatal(err)
		}
		if i == 5_000 {
			middle = e.ID
		}
	}
	req, err := http.NewRequest(http.MethodGet, "/webhooks?limit=100&starting_after="+middle, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Body = http.NoBody
	for b.Loop() {
		vendor.ServeHTTP(discard{}, req)
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func TestCallsFromManySidesDoNotDisturbEachOther(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	r := newReceiver(t, says(http.StatusOK, ""))
	const workers, rounds = 8, 20
	failures := make(chan string, workers*rounds)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				if problem := oneLife(f, r.URL, fmt.Sprintf("%d-%d", w, i), i%2 == 0); problem != "" {
					failures <- problem
				}
			}
		})
	}
	wg.Go(func() {
		for range rounds {
			f.Fire("", "records.sync.failed", nil)
			f.Counters()
			f.Deliveries()
			f.SetQuirks(emulator.Quirks{ExtraFields: true})
		}
	})
	wg.Wait()
	close(failures)
	for problem := range failures {
		t.Error(problem)
	}
	f.settle()
	g.Expect(f.Endpoints(key)).To(HaveLen(workers * rounds / 2))
	g.Expect(f.Counters().Statuses[emulator.OperationCreateEndpoint]).To(Equal(map[string]int{"201": workers * rounds}))
	g.Expect(f.Counters().Statuses[emulator.OperationDeleteEndpoint]).To(Equal(map[string]int{"204": workers * rounds / 2}))
}

// oneLife makes, reads, changes, rotates and perhaps removes one endpoint.
func oneLife(f *fixture, url, name string, remove bool) string {
	made, err := f.try(http.MethodPost, "/webhooks", `{"url":"`+url+`","events":["*"],"description":"`+name+`"}`)
	if err != nil || made.status != http.StatusCreated {
		return fmt.Sprintf("create: %v %s", err, made.raw)
	}
	path := "/webhooks/" + made.body["id"].(string)
	patched, err := f.try(http.MethodPatch, path, `{"status":"disabled"}`)
	if err != nil || patched.body["description"] != name || patched.body["status"] != "disabled" {
		return fmt.Sprintf("update: %v %s", err, patched.raw)
	}
	if list, err := f.try(http.MethodGet, "/webhooks?limit=100&status=disabled", ""); err != nil || list.status != 200 {
		return fmt.Sprintf("list: %v %s", err, list.raw)
	}
	rotated, err := f.try(http.MethodPost, path+"/rotate-secret", "")
	if err != nil || rotated.body["secret"] == made.body["secret"] {
		return fmt.Sprintf("rotate: %v %s", err, rotated.raw)
	}
	if !remove {
		return ""
	}
	if gone, err := f.try(http.MethodDelete, path, ""); err != nil || gone.status != http.StatusNoContent {
		return fmt.Sprintf("delete: %v %s", err, gone.raw)
	}
	return ""
}

func TestCreationsAtTheLimitDoNotExceedIt(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, func(o *emulator.Options) { o.MaxEndpoints = 5 })
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _, _ = f.try(http.MethodPost, "/webhooks", registration) })
	}
	wg.Wait()
	g.Expect(f.Endpoints(key)).To(HaveLen(5))
	g.Expect(f.Counters().Statuses[emulator.OperationCreateEndpoint]).To(Equal(map[string]int{"201": 5, "429": 15}))
}

func TestKeysOfOneWorkspaceSeeTheSameEndpoints(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	g.Expect(f.SetKey(emulator.Key{APIKey: key, Workspace: "clinic"})).To(Succeed())
	g.Expect(f.SetKey(emulator.Key{APIKey: "mb_sk_sbx_second", Workspace: "clinic"})).To(Succeed())
	e := f.register("https://receiver.example.com")
	g.Expect(f.Endpoints("mb_sk_sbx_second")).To(HaveLen(1))
	g.Expect(f.SetKey(emulator.Key{APIKey: key, State: emulator.KeyRevoked})).To(Succeed())
	g.Expect(f.do(http.MethodGet, "/webhooks/"+e.ID, "").status).To(Equal(401))
	g.Expect(f.Endpoints("mb_sk_sbx_second")).To(HaveLen(1))
	g.Expect(f.SetKey(emulator.Key{APIKey: "whatever"})).NotTo(Succeed())
	g.Expect(f.SetKey(emulator.Key{APIKey: key, State: "lost"})).NotTo(Succeed())
}

func TestWithKeysNamedNoOtherKeyWorks(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, func(o *emulator.Options) { o.APIKeys = []string{"mb_sk_sbx_only"} })
	g.Expect(f.do(http.MethodGet, "/webhooks", "").status).To(Equal(401))
	g.Expect(f.SetKey(emulator.Key{APIKey: key})).To(Succeed())
	g.Expect(f.do(http.MethodGet, "/webhooks", "").status).To(Equal(200))
}

func TestTheVersionIsPinnedAtRegistration(t *testing.T) {
	g := NewWithT(t)
	f := newFixture(t, func(o *emulator.Options) { o.APIVersions = []string{"2027-01-01"} })
	g.Expect(f.SetKey(emulator.Key{APIKey: key, APIVersion: "2027-01-01"})).To(Succeed())
	e := f.register("https://receiver.example.com")
	g.Expect(e.APIVersion).To(Equal("2027-01-01"), "without the header the key's version applies")
	patched := f.do(http.MethodPatch, "/webhooks/"+e.ID, `{"api_version":"2026-04-25","id":"wh_1","secret":"whsec_1"}`)
	g.Expect(patched.status).To(Equal(200))
	g.Expect(patched.body["api_version"]).To(Equal("2027-01-01"))
	g.Expect(patched.body["id"]).To(Equal(e.ID))
}

func TestTheCallLogTellsWhatWasAsked(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	e := f.register("https://receiver.example.com")
	f.InjectFault(emulator.Fault{Kind: emulator.FaultStatus, Status: 502})
	f.do(http.MethodGet, "/webhooks/"+e.ID+"?a=b", "")
	calls := f.Calls()
	g.Expect(calls).To(HaveLen(2))
	g.Expect(calls[0].Operation).To(Equal(emulator.OperationCreateEndpoint))
	g.Expect(calls[0].Body).To(ContainSubstring("receiver.example.com"))
	g.Expect(calls[0].APIKey).To(Equal(key))
	g.Expect(calls[1].Path).To(Equal("/webhooks/" + e.ID + "?a=b"))
	g.Expect(calls[1].Status).To(Equal(502))
	g.Expect(calls[1].Fault).To(Equal(emulator.FaultStatus))
	f.ResetCounters()
	g.Expect(f.Calls()).To(BeEmpty())
	g.Expect(f.Counters().Total()).To(BeZero())
}

func TestAnEditBehindEveryonesBackIsFiledRight(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	e := f.register("https://receiver.example.com")
	f.clk.Step(1)
	g.Expect(f.SetEndpoint(e.ID, func(e *emulator.Endpoint) {
		e.ID, e.Status, e.Metadata = "wh_other", emulator.StatusDisabled, map[string]any{"n": 1}
	})).To(Succeed())
	got := f.do(http.MethodGet, "/webhooks?status=disabled", "").body["data"].([]any)
	g.Expect(got).To(HaveLen(1))
	g.Expect(got[0]).To(HaveKeyWithValue("id", e.ID))
	g.Expect(got[0]).To(HaveKeyWithValue("metadata", map[string]any{"n": 1.0}))
	g.Expect(f.SetEndpoint(e.ID, func(e *emulator.Endpoint) { e.Status = "gone" })).NotTo(Succeed())
	g.Expect(f.SetEndpoint("wh_none", func(*emulator.Endpoint) {})).To(MatchError(emulator.ErrNotFound))
	g.Expect(f.status(e.ID)).To(Equal(emulator.StatusDisabled))
	_, err := f.AddEndpoint(key, emulator.Endpoint{ID: e.ID})
	g.Expect(err).To(MatchError(ContainSubstring("exists")))
}

func TestIdsRiseEvenWhenTheClockStandsStill(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	last := ""
	for i := range 200 {
		e, err := f.AddEndpoint(key, emulator.Endpoint{URL: "https://example.com/" + strconv.Itoa(i)})
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(e.ID > last).To(BeTrue())
		last = e.ID
	}
}
