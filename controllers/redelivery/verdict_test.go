// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/utils/ptr"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/controllers/account"
)

func TestTheReceiversAnswerIsInTheRecord(t *testing.T) {
	g := NewWithT(t)
	is := record("a", time.Hour, func(r *medblocks.EventRecord) { r.LastStatusCode = ptr.To(503) })
	g.Expect(outcomeOf(is, nil)).To(Equal(outcome{verdict: failed, event: eventOf(is)}))
	is.DeliveredAt = &medblocks.Timestamp{Time: start}
	g.Expect(outcomeOf(is, nil)).To(Equal(outcome{verdict: delivered, event: eventOf(is)}))
	is.DeliveredAt = &medblocks.Timestamp{} // a time that cannot be read is one
	g.Expect(outcomeOf(is, nil).verdict).To(Equal(delivered))
}

func TestAnErrorIsNotTheReceivers(t *testing.T) {
	answer := func(status int, tweaks ...func(*medblocks.APIError)) error {
		e := &medblocks.APIError{StatusCode: status, Type: "some_error", Envelope: true}
		for _, tweak := range tweaks {
			tweak(e)
		}
		return fmt.Errorf("redelivering: %w", e)
	}
	proxys := func(e *medblocks.APIError) { e.Envelope = false }
	after := func(wait time.Duration) func(*medblocks.APIError) {
		return func(e *medblocks.APIError) { e.RetryAfter, e.HasRetryAfter = wait, true }
	}
	for name, test := range map[string]struct {
		err error
		is  outcome
	}{
		"the account is paused":       {fmt.Errorf("%w", &account.PausedError{Until: start}), outcome{verdict: barred, until: start}},
		"the turn did not come":       {fmt.Errorf("%w: later", account.ErrNotSent), outcome{verdict: undone}},
		"429":                         {answer(429), outcome{verdict: tooSoon, wait: defaultWait}},
		"429 with Retry-After":        {answer(429, after(42*time.Second)), outcome{verdict: tooSoon, wait: 42 * time.Second}},
		"429 with Retry-After: 0":     {answer(429, after(0)), outcome{verdict: tooSoon, wait: defaultWait}},
		"429 with a long Retry-After": {answer(429, after(time.Hour)), outcome{verdict: tooSoon, wait: longestWait}},
		"429 of a quota":              {answer(429, func(e *medblocks.APIError) { e.Code = "quota_exceeded" }), outcome{verdict: tooSoon, wait: defaultWait}},
		"429 of a proxy":              {answer(429, proxys), outcome{verdict: tooSoon, wait: defaultWait}},
		"404":                         {answer(404), outcome{verdict: gone}},
		"404 of a proxy":              {answer(404, proxys), outcome{verdict: unclear}},
		"401":                         {answer(401), outcome{verdict: undone}},
		"403":                         {answer(403), outcome{verdict: undone}},
		"409":                         {answer(409), outcome{verdict: undone}},
		"400":                         {answer(400), outcome{verdict: refused}},
		"400 of a proxy":              {answer(400, proxys), outcome{verdict: unclear}},
		"422":                         {answer(422), outcome{verdict: refused}},
		"not a valid id":              {fmt.Errorf("%w: id", medblocks.ErrInvalidArgument), outcome{verdict: refused}},
		"408":                         {answer(408), outcome{verdict: unclear}},
		"500":                         {answer(500), outcome{verdict: unclear}},
		"503":                         {answer(503), outcome{verdict: unclear}},
		"no answer in time":           {&medblocks.TransportError{Err: context.DeadlineExceeded}, outcome{verdict: unclear}},
		"an answer of no use":         {&medblocks.MalformedError{StatusCode: 200}, outcome{verdict: unclear}},
		"anything else":               {errors.New("?"), outcome{verdict: unclear}},
	} {
		t.Run(name, func(t *testing.T) {
			NewWithT(t).Expect(outcomeOf(medblocks.EventRecord{}, test.err)).To(Equal(test.is))
		})
	}
}

func TestAnAnswerOfAReceiverSaysWhoseFaultItIs(t *testing.T) {
	g := NewWithT(t)
	for _, status := range []int{400, 402, 405, 409, 410, 413, 415, 422, 499} {
		g.Expect(isRefusal(status)).To(BeTrue(), "%d", status)
	}
	for _, status := range []int{0, 200, 301, 399, 401, 403, 404, 408, 425, 429, 500, 503, 599} {
		g.Expect(isRefusal(status)).To(BeFalse(), "%d", status)
	}
}
