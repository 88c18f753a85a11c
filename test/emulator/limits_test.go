// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"net/http"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestAWorkspaceThatCallsTooOftenIsToldWhenToComeBack(t *testing.T) {
	g, f := NewWithT(t), newFixture(t, func(o *emulator.Options) { o.RateLimit, o.RateBurst = 0.5, 2 })
	for range 2 {
		g.Expect(page(f, "").status).To(Equal(http.StatusOK))
	}
	for range 3 { // a refused call takes nothing from the budget
		refused := page(f, "")
		g.Expect(refused.status).To(Equal(http.StatusTooManyRequests))
		g.Expect(refused.header.Get("Retry-After")).To(Equal("2"))
		g.Expect(refused.body["error"]).To(And(HaveKeyWithValue("type", "rate_limit_error"), HaveKeyWithValue("code", "rate_limit_exceeded")))
	}
	f.clk.Step(2 * time.Second)
	g.Expect(page(f, "").status).To(Equal(http.StatusOK))
	g.Expect(page(f, "").status).To(Equal(http.StatusTooManyRequests))
}

func TestALimitOfCallsIsSetOverHTTP(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.register("https://receiver.example.com")
	g.Expect(f.do(http.MethodPost, "/_emulator/limits", `{"api_key":"`+key+`","rate_limit":3}`).status).To(Equal(204))
	for range 3 {
		g.Expect(page(f, "").status).To(Equal(http.StatusOK), "a second's worth at once")
	}
	g.Expect(page(f, "").status).To(Equal(http.StatusTooManyRequests))
	g.Expect(f.do(http.MethodPost, "/_emulator/limits", `{"max_endpoints":1}`).status).To(Equal(204))
	g.Expect(page(f, "").status).To(Equal(http.StatusTooManyRequests), "what is not named stays")
	g.Expect(f.do(http.MethodPost, "/_emulator/limits", `{"rate_limit":0}`).status).To(Equal(204))
	g.Expect(page(f, "").status).To(Equal(http.StatusOK))
	g.Expect(f.do(http.MethodPost, "/webhooks", registration).body["error"]).To(HaveKeyWithValue("code", "endpoint_quota_exceeded"))
}

func TestACallTakesAsLongAsItIsTold(t *testing.T) {
	g := NewWithT(t)
	const latency = 60 * time.Millisecond
	f := newFixture(t, func(o *emulator.Options) { o.Latency, o.LatencyJitter = latency, time.Millisecond })
	begun := time.Now()
	g.Expect(page(f, "").status).To(Equal(http.StatusOK))
	g.Expect(time.Since(begun)).To(BeNumerically(">=", latency))
}
