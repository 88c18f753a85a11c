// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

const registration = `{"url":"https://receiver.example.com","events":["*"]}`

// outcome is what a client and the vendor's workspace see of one call.
type outcome struct {
	resp    response
	err     error
	effects int
}

// register meets a fault on CreateEndpoint.
func registerUnder(t *testing.T, fault emulator.Fault) (outcome, *fixture) {
	t.Helper()
	f := newFixture(t)
	fault.Operation = emulator.OperationCreateEndpoint
	f.InjectFault(fault)
	var o outcome
	o.resp, o.err = f.try(http.MethodPost, "/webhooks", registration)
	o.effects = len(f.Endpoints(key))
	return o, f
}

func TestFaultsThatReplaceTheAnswerHaveNoEffectUnlessAsked(t *testing.T) {
	for name, c := range map[string]struct {
		fault emulator.Fault
		check func(Gomega, outcome)
	}{
		"a status": {emulator.Fault{Kind: emulator.FaultStatus, Status: 429, RetryAfter: "3"}, func(g Gomega, o outcome) {
			g.Expect(o.resp.status).To(Equal(429))
			g.Expect(o.resp.header.Get("Retry-After")).To(Equal("3"))
			g.Expect(o.resp.body["error"]).To(HaveKeyWithValue("type", "rate_limit_error"))
			g.Expect(o.resp.body["error"]).To(HaveKeyWithValue("request_id", o.resp.header.Get("X-Request-Id")))
		}},
		"a status with its own envelope": {emulator.Fault{
			Kind: emulator.FaultStatus, Status: 400, Type: "t", Code: "c", Message: "m", Param: "url",
		}, func(g Gomega, o outcome) {
			g.Expect(o.resp.status).To(Equal(400))
			g.Expect(o.resp.body["error"]).To(And(HaveKeyWithValue("type", "t"), HaveKeyWithValue("code", "c"),
				HaveKeyWithValue("message", "m"), HaveKeyWithValue("param", "url")))
		}},
		"unavailable": {emulator.Fault{Kind: emulator.FaultUnavailable, RetryAfter: "soon"}, func(g Gomega, o outcome) {
			g.Expect(o.resp.status).To(Equal(503))
			g.Expect(o.resp.raw).To(BeEmpty())
			g.Expect(o.resp.header.Get("Retry-After")).To(Equal("soon"))
		}},
		"an HTML page": {emulator.Fault{Kind: emulator.FaultHTML}, func(g Gomega, o outcome) {
			g.Expect(o.resp.status).To(Equal(502))
			g.Expect(o.resp.header.Get("Content-Type")).To(HavePrefix("text/html"))
			g.Expect(o.resp.raw).To(ContainSubstring("<html>"))
		}},
		"an HTML page with status 200": {emulator.Fault{Kind: emulator.FaultHTML, Status: 200}, func(g Gomega, o outcome) {
			g.Expect(o.resp.status).To(Equal(200))
			g.Expect(o.resp.raw).To(ContainSubstring("<html>"))
		}},
		"a redirect": {emulator.Fault{Kind: emulator.FaultRedirect, Location: "http://127.0.0.1:1/x"}, func(g Gomega, o outcome) {
			g.Expect(o.resp.status).To(Equal(307))
			g.Expect(o.resp.header.Get("Location")).To(Equal("http://127.0.0.1:1/x"))
		}},
		"a reset connection": {emulator.Fault{Kind: emulator.FaultReset}, func(g Gomega, o outcome) {
			g.Expect(o.err).To(HaveOccurred())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			without, _ := registerUnder(t, c.fault)
			c.check(g, without)
			g.Expect(without.effects).To(BeZero())
			c.fault.AfterEffect = true
			with, _ := registerUnder(t, c.fault)
			c.check(g, with)
			g.Expect(with.effects).To(Equal(1))
		})
	}
}

func TestALostAnswerHasItsEffect(t *testing.T) {
	g := NewWithT(t)
	o, f := registerUnder(t, emulator.Fault{Kind: emulator.FaultLostAnswer})
	g.Expect(o.err).To(HaveOccurred())
	g.Expect(o.effects).To(Equal(1))
	g.Expect(f.Counters().Statuses[emulator.OperationCreateEndpoint]).To(Equal(map[string]int{"0": 1}))
}

func TestALostAnswerIsMetOnceEvenOnAReusedConnection(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	client := &http.Client{}
	get := func() error {
		req, err := http.NewRequest(http.MethodGet, f.url+"/webhooks", nil)
		g.Expect(err).NotTo(HaveOccurred())
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	}
	g.Expect(get()).To(Succeed())
	f.InjectFault(emulator.Fault{Kind: emulator.FaultLostAnswer})
	g.Expect(get()).NotTo(Succeed())
	g.Expect(f.Counters().Calls[emulator.OperationListEndpoints]).To(Equal(2))
}

func TestAHangLastsUntilTheClientGivesUp(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.InjectFault(emulator.Fault{Kind: emulator.FaultHang, Operation: emulator.OperationCreateEndpoint})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/webhooks", strings.NewReader(registration))
	g.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+key)
	failed := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			err = resp.Body.Close()
		}
		failed <- err
	}()
	g.Eventually(func() int { return f.Counters().Statuses[emulator.OperationCreateEndpoint]["0"] }).Should(Equal(1))
	g.Expect(failed).NotTo(Receive())
	cancel()
	g.Eventually(failed).Should(Receive(MatchError(context.Canceled)))
	g.Expect(f.Endpoints(key)).To(BeEmpty())
}

func TestCloseEndsAHang(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.InjectFault(emulator.Fault{Kind: emulator.FaultHang})
	failed := make(chan error, 1)
	go func() {
		_, err := f.try(http.MethodGet, "/webhooks", "")
		failed <- err
	}()
	g.Eventually(func() int { return f.Counters().Total() }).Should(Equal(1))
	f.Close()
	g.Eventually(failed, "10s").Should(Receive(HaveOccurred()))
}

func TestADelayedCallTakesEffectThoughTheClientHasGone(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.InjectFault(emulator.Fault{Kind: emulator.FaultDelay, Delay: time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url+"/webhooks", strings.NewReader(registration))
	g.Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		defer resp.Body.Close()
	}
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
	g.Expect(f.Endpoints(key)).To(BeEmpty())
	g.Eventually(func() int { return len(f.Endpoints(key)) }).Should(Equal(1))
}

func TestALateEffectComesAfterTheConnectionIsCut(t *testing.T) {
	g := NewWithT(t)
	o, f := registerUnder(t, emulator.Fault{Kind: emulator.FaultLateEffect, Delay: time.Second})
	g.Expect(o.err).To(HaveOccurred())
	g.Expect(o.effects).To(BeZero())
	g.Eventually(func() int { return len(f.Endpoints(key)) }).Should(Equal(1))
}

func TestFaultsThatSpoilTheAnswerHaveTheirEffect(t *testing.T) {
	for kind, check := range map[emulator.FaultKind]func(Gomega, outcome, string){
		emulator.FaultEmptyBody: func(g Gomega, o outcome, _ string) {
			g.Expect(o.resp.status).To(Equal(201))
			g.Expect(o.resp.raw).To(BeEmpty())
		},
		emulator.FaultTruncatedJSON: func(g Gomega, o outcome, _ string) {
			g.Expect(o.resp.status).To(Equal(201))
			g.Expect(o.resp.raw).To(HavePrefix(`{"id":"wh_`))
			g.Expect(json.Valid([]byte(o.resp.raw))).To(BeFalse())
		},
		emulator.FaultTruncatedPage: func(g Gomega, o outcome, _ string) {
			g.Expect(o.err).To(MatchError(io.ErrUnexpectedEOF))
		},
		emulator.FaultTrailingJunk: func(g Gomega, o outcome, _ string) {
			g.Expect(json.Valid([]byte(o.resp.raw))).To(BeFalse())
			g.Expect(json.NewDecoder(strings.NewReader(o.resp.raw)).Decode(&map[string]any{})).To(Succeed())
		},
		emulator.FaultHugeBody: func(g Gomega, o outcome, _ string) {
			g.Expect(len(o.resp.raw)).To(BeNumerically(">", 8<<20))
			g.Expect(o.resp.body).To(HaveKey("secret"))
		},
		emulator.FaultGzipBomb: func(g Gomega, o outcome, _ string) {
			g.Expect(len(o.resp.raw)).To(BeNumerically(">", 16<<20))
		},
		emulator.FaultWrongID: func(g Gomega, o outcome, id string) {
			g.Expect(o.resp.body["id"]).To(And(MatchRegexp("^wh_[0-9A-Z]{26}$"), Not(Equal(id))))
		},
		emulator.FaultNoID: func(g Gomega, o outcome, _ string) {
			g.Expect(o.resp.body).To(And(Not(HaveKey("id")), HaveKey("secret")))
		},
		emulator.FaultNoSecret: func(g Gomega, o outcome, _ string) {
			g.Expect(o.resp.body).To(And(HaveKey("id"), Not(HaveKey("secret"))))
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			g := NewWithT(t)
			o, f := registerUnder(t, emulator.Fault{Kind: kind})
			g.Expect(o.effects).To(Equal(1))
			check(g, o, f.Endpoints(key)[0].ID)
			g.Expect(f.Faults()).To(BeEmpty())
		})
	}
}

func TestAStalledBodyEndsWhenTheEmulatorCloses(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.InjectFault(emulator.Fault{Kind: emulator.FaultStalledBody})
	done := make(chan error, 1)
	go func() {
		_, err := f.try(http.MethodPost, "/webhooks", registration)
		done <- err
	}()
	g.Eventually(func() int { return f.Counters().Total() }).Should(Equal(1))
	g.Expect(done).NotTo(Receive())
	f.Close()
	g.Eventually(done, "10s").Should(Receive(HaveOccurred()))
}

func TestAFaultIsMetByTheCallsItNamesOnly(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	f.InjectFault(emulator.Fault{
		Kind: emulator.FaultStatus, Operation: emulator.OperationListEndpoints, APIKey: "mb_sk_sbx_other", Times: 1,
	})
	f.InjectFault(emulator.Fault{Kind: emulator.FaultStatus, Operation: emulator.OperationListEndpoints, Status: 503, Times: 2})
	f.InjectFault(emulator.Fault{Kind: emulator.FaultStatus, Operation: emulator.OperationListEndpoints, Status: 502, Times: -1})
	g.Expect(f.do(http.MethodPost, "/webhooks", registration).status).To(Equal(201))
	var statuses []int
	for range 4 {
		statuses = append(statuses, page(f, "").status)
	}
	g.Expect(statuses).To(Equal([]int{503, 503, 502, 502}))
	g.Expect(f.Faults()).To(HaveLen(2))
	f.ClearFaults()
	g.Expect(page(f, "").status).To(Equal(200))
}

func TestAFaultThatDoesNotExistIsAMistakeOfTheTest(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	g.Expect(func() { f.InjectFault(emulator.Fault{Kind: "explode"}) }).To(Panic())
	g.Expect(func() { f.InjectFault(emulator.Fault{Kind: emulator.FaultHang, Operation: "Create"}) }).To(Panic())
	g.Expect(func() { f.InjectFault(emulator.Fault{Kind: emulator.FaultStatus, Status: 99}) }).To(Panic())
}

func TestAHookCanActBetweenEffectAndAnswer(t *testing.T) {
	g, f := NewWithT(t), newFixture(t)
	var phases []emulator.Phase
	f.SetHook(func(c emulator.HookCall) error {
		phases = append(phases, c.Phase)
		if c.Operation != emulator.OperationCreateEndpoint || c.Phase != emulator.PhaseAfterEffect {
			return nil
		}
		return f.DisableEndpoint(f.Endpoints(c.APIKey)[0].ID)
	})
	resp := f.do(http.MethodPost, "/webhooks", registration)
	g.Expect(resp.body["status"]).To(Equal("active"), "the answer was made before the hook ran")
	g.Expect(f.Endpoints(key)[0].Status).To(Equal("disabled"))
	g.Expect(phases).To(Equal([]emulator.Phase{emulator.PhaseBefore, emulator.PhaseAfterEffect}))

	for _, phase := range []emulator.Phase{emulator.PhaseBefore, emulator.PhaseAfterEffect} {
		before := len(f.Endpoints(key))
		f.SetHook(func(c emulator.HookCall) error {
			if c.Phase == phase {
				return errors.New("cut")
			}
			return nil
		})
		_, err := f.try(http.MethodPost, "/webhooks", registration)
		g.Expect(err).To(HaveOccurred())
		gained := map[emulator.Phase]int{emulator.PhaseBefore: 0, emulator.PhaseAfterEffect: 1}[phase]
		g.Expect(f.Endpoints(key)).To(HaveLen(before + gained))
	}
}
