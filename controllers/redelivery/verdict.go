// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package redelivery

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// How long Medblocks is left alone after a 429 that does not say how long, and at most.
const (
	defaultWait = 10 * time.Second
	longestWait = 10 * time.Minute
)

// verdict is what came of a call to Medblocks.
type verdict string

const (
	// delivered: the receiver has taken the event.
	delivered verdict = "delivered"
	// failed: the receiver has not taken it.
	failed verdict = "failed"
	// refused: Medblocks itself does not redeliver this event.
	refused verdict = "refused"
	// gone: what was asked for does not exist.
	gone verdict = "gone"
	// tooSoon: Medblocks asks to wait before the same call is made again (429).
	tooSoon verdict = "too soon"
	// barred: no call was made, because the account must not make any for now.
	barred verdict = "barred"
	// undone: the call had no effect, and may have one later.
	undone verdict = "undone"
	// unclear: nobody knows whether the call had its effect.
	unclear verdict = "unclear"
)

// outcome is a verdict and what belongs to it.
type outcome struct {
	verdict verdict
	event   event         // delivered, failed: as it is now
	wait    time.Duration // tooSoon
	until   time.Time     // barred
}

// outcomeOf judges the answer to a redelivery.
func outcomeOf(record medblocks.EventRecord, err error) outcome {
	if err != nil {
		return troubleOf(err)
	}
	if record.DeliveredAt != nil {
		return outcome{verdict: delivered, event: eventOf(record)}
	}
	return outcome{verdict: failed, event: eventOf(record)}
}

// troubleOf judges an error, which is never the receiver's: what that says is in the record of the event.
func troubleOf(err error) outcome {
	var paused *account.PausedError
	switch {
	case errors.As(err, &paused):
		return outcome{verdict: barred, until: paused.Until}
	case medblocks.IsNotFound(err):
		return outcome{verdict: gone}
	case hasStatus(err, http.StatusTooManyRequests):
		return outcome{verdict: tooSoon, wait: waitAfter(err)}
	// The key is refused, or (409) the endpoint is disabled again.
	case errors.Is(err, account.ErrNotSent), hasStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict):
		return outcome{verdict: undone}
	case medblocks.IsRejected(err):
		return outcome{verdict: refused}
	}
	return outcome{verdict: unclear}
}

func hasStatus(err error, statuses ...int) bool {
	var answer *medblocks.APIError
	return errors.As(err, &answer) && slices.Contains(statuses, answer.StatusCode)
}

func waitAfter(err error) time.Duration {
	wait, asked := medblocks.RetryAfter(err)
	if !asked || wait <= 0 {
		return defaultWait
	}
	return min(wait, longestWait)
}

// receiversFault are the statuses of 4xx by which a receiver says more about itself than about the event.
var receiversFault = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
}

// isRefusal tells whether a receiver that answers so does not take this event, whenever it comes, and may well take another one.
func isRefusal(status int) bool {
	return status >= 400 && status <= 499 && !slices.Contains(receiversFault, status)
}

// answerOf says for people how a receiver answered; 0: not at all.
func answerOf(status int) string {
	if status == 0 {
		return "it did not answer"
	}
	return fmt.Sprintf("it answered %d", status)
}
