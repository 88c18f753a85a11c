// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func newClient(t *testing.T, f *fixture, tweak ...func(*medblocks.Config)) *medblocks.Client {
	t.Helper()
	config := medblocks.Config{BaseURL: f.url, APIKey: key, Timeout: 5 * time.Second}
	for _, change := range tweak {
		change(&config)
	}
	c, err := medblocks.New(config)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return c
}

func TestOurClientMakesAllEightCallsWhateverTheVendorsQuirks(t *testing.T) {
	for name, quirks := range map[string]emulator.Quirks{
		"none":           {},
		"merge":          {MetadataMerge: true, NormalizeURL: true, ReorderEvents: true},
		"answers":        {CreateStatus: 200, DeleteBody: true, NullMetadata: true, EmptyDescription: true},
		"forms":          {SecondTimestamps: true, ExtraFields: true, RejectUnknownFields: true},
		"lists":          {EndpointsOldestFirst: true, EventsOldestFirst: true, OpaqueCursors: true, StrictCursors: true},
		"deliveries":     {RotateOverlap: true, QueueWhileDisabled: true, ResumeRetries: true},
		"redelivery":     {RedeliverDisabled: true, RedeliveryNotCounted: true},
		"unique and 403": {UniqueURL: true, LimitStatus: 403},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(o *emulator.Options) { o.Quirks = quirks })
			callAllEight(t, f, newClient(t, f))
		})
	}
}

func callAllEight(t *testing.T, f *fixture, c *medblocks.Client) {
	t.Helper()
	g, ctx := NewWithT(t), t.Context()
	r := newReceiver(t, says(http.StatusInternalServerError, "no"))

	made, secret, err := c.CreateEndpoint(ctx, medblocks.CreateEndpointRequest{
		URL: r.URL, Events: []string{"records.sync.failed", "patient_flow.completed"}, Metadata: map[string]string{"k": "v"},
	})
	g.Expect(err).NotTo(HaveOccurred())
	stored, err := f.Endpoint(made.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(secret.Reveal()).To(Equal(stored.Secret))
	g.Expect(made.Metadata).To(HaveKeyWithValue("k", "v"))
	for range 3 {
		_, err := f.AddEndpoint(key, emulator.Endpoint{Metadata: map[string]any{"number": 1, "nested": map[string]any{}}})
		g.Expect(err).NotTo(HaveOccurred())
	}

	var listed []string
	for e, err := range c.ListEndpoints(ctx, medblocks.ListEndpointsOptions{Limit: 2}) {
		g.Expect(err).NotTo(HaveOccurred())
		listed = append(listed, e.ID)
	}
	g.Expect(listed).To(And(HaveLen(4), ContainElement(made.ID)))

	disabled := medblocks.EndpointStatusDisabled
	updated, err := c.UpdateEndpoint(ctx, made.ID, medblocks.UpdateEndpointRequest{Status: &disabled})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(updated.Status).To(Equal(disabled))
	active := medblocks.EndpointStatusActive
	_, err = c.UpdateEndpoint(ctx, made.ID, medblocks.UpdateEndpointRequest{Status: &active})
	g.Expect(err).NotTo(HaveOccurred())
	read, err := c.GetEndpoint(ctx, made.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(read.Status).To(Equal(active))

	_, rotated, err := c.RotateSecret(ctx, made.ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(rotated.Reveal()).NotTo(Equal(secret.Reveal()))

	fired := f.Fire(key, "records.sync.failed", nil)
	f.settle()
	undelivered := false
	var events []medblocks.EventRecord
	for record, err := range c.ListEvents(ctx, made.ID, medblocks.ListEventsOptions{Delivered: &undelivered}) {
		g.Expect(err).NotTo(HaveOccurred())
		events = append(events, record)
	}
	g.Expect(events).To(HaveLen(1))
	g.Expect(events[0].Attempts).To(Equal(1))
	r.setAnswer(says(http.StatusOK, ""))
	again, err := c.RedeliverEvent(ctx, events[0].ID)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(again.DeliveredAt).NotTo(BeNil())
	_, err = c.RedeliverEvent(ctx, events[0].ID)
	g.Expect(medblocks.IsRateLimited(err)).To(BeTrue())
	wait, told := medblocks.RetryAfter(err)
	g.Expect(told).To(BeTrue())
	g.Expect(wait).To(Equal(time.Minute))
	g.Expect(fired).NotTo(BeEmpty())

	_, err = c.DeleteEndpoint(ctx, made.ID)
	g.Expect(err).NotTo(HaveOccurred())
	_, err = c.GetEndpoint(ctx, made.ID)
	g.Expect(medblocks.IsNotFound(err)).To(BeTrue())
	for _, op := range emulator.Operations() {
		g.Expect(f.Counters().Calls).To(HaveKey(op))
	}
}

func TestOurClientNamesItsOperationsAsTheEmulatorDoes(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	seen := map[string]bool{}
	c := newClient(t, f, func(config *medblocks.Config) {
		config.Observer = func(call medblocks.Call) { seen[string(call.Operation)] = true }
	})
	callAllEight(t, f, c)
	for op := range f.Counters().Calls {
		g.Expect(seen).To(HaveKey(string(op)))
	}
}

func TestOurClientSeesEveryFaultAsAnError(t *testing.T) {
	transport := []emulator.FaultKind{
		emulator.FaultHang, emulator.FaultReset, emulator.FaultLostAnswer, emulator.FaultLateEffect, emulator.FaultStalledBody,
	}
	malformed := []emulator.FaultKind{
		emulator.FaultEmptyBody, emulator.FaultTruncatedJSON, emulator.FaultTruncatedPage, emulator.FaultTrailingJunk,
		emulator.FaultHugeBody, emulator.FaultGzipBomb, emulator.FaultNoID, emulator.FaultNoSecret,
	}
	create := func(t *testing.T, kind emulator.FaultKind, timeout time.Duration) error {
		t.Helper()
		f := newFixture(t)
		c := newClient(t, f, func(config *medblocks.Config) { config.Timeout = timeout })
		f.InjectFault(emulator.Fault{Kind: kind, Operation: emulator.OperationCreateEndpoint})
		_, _, err := c.CreateEndpoint(t.Context(), medblocks.CreateEndpointRequest{URL: "https://x.example.com", Events: []string{"*"}})
		return err
	}
	for _, kind := range transport {
		t.Run(string(kind), func(t *testing.T) {
			var unanswered *medblocks.TransportError
			err := create(t, kind, 500*time.Millisecond)
			NewWithT(t).Expect(errors.As(err, &unanswered)).To(BeTrue(), "%v", err)
		})
	}
	for _, kind := range malformed {
		t.Run(string(kind), func(t *testing.T) {
			err := create(t, kind, medblocks.DefaultTimeout)
			NewWithT(t).Expect(medblocks.IsMalformed(err)).To(BeTrue(), "%v", err)
		})
	}
	lists := []emulator.FaultKind{
		emulator.FaultPartialPage, emulator.FaultRepeatedCursor, emulator.FaultNoCursor, emulator.FaultNoID, emulator.FaultTruncatedPage,
	}
	for _, kind := range lists {
		t.Run("list "+string(kind), func(t *testing.T) {
			g, f := NewWithT(t), newFixture(t)
			for range 4 {
				f.register("https://x.example.com")
			}
			f.InjectFault(emulator.Fault{Kind: kind, Operation: emulator.OperationListEndpoints, Times: -1})
			var last error
			for _, err := range newClient(t, f).ListEndpoints(t.Context(), medblocks.ListEndpointsOptions{Limit: 2}) {
				last = err
			}
			g.Expect(last).To(HaveOccurred())
		})
	}
}
