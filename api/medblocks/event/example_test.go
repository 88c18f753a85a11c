// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

func exampleBody() []byte {
	return []byte(`{"id":"evt_01","object":"event","type":"records.sync.completed","api_version":"2026-04-25",` +
		`"created_at":"2026-04-25T14:35:00.000Z","data":{"object":{"resource_type":"records_sync",` +
		`"patient_id":"pat_1","connection_id":"fhirsrc_1","total":120,"errors":0,"duration_ms":null}}}`)
}

// In a server of one's own: read the raw body, construct the event, switch on the
// type of its data.
func ExampleConstructEvent() {
	rawBody := exampleBody()                                       // the request's body, read as it came, with a bound
	header := event.Sign(rawBody, "whsec_example", time.Now())     // the request's header Medblocks-Signature
	current, previous := "whsec_after_a_rotation", "whsec_example" // os.Getenv(event.SecretName), …

	e, err := event.ConstructEvent(rawBody, header, current, previous)
	if err != nil {
		fmt.Println(err)
		return
	}
	switch data := e.Data.(type) {
	case *event.RecordsSyncCompleted:
		_, timed := data.DurationMS.Get()
		fmt.Println(e.ID, data.PatientID, data.Total, "records, timed:", timed)
	case *event.Unknown:
		fmt.Println("new type", e.Type, string(data.Raw))
	}
	// Output: evt_01 pat_1 120 records, timed: false
}

// In a server of one's own whose Secret is mounted: a delivery that comes before the
// secret which signed it waits for that.
func ExampleVerifier_ConstructEventWaiting() {
	written := time.Now().Add(10 * time.Millisecond)
	mounted := event.SecretFunc(func(context.Context) ([]string, error) { // like event.SecretsFromDir
		if time.Now().Before(written) {
			return []string{"whsec_before_the_rotation"}, nil
		}
		return []string{"whsec_after_the_rotation", "whsec_before_the_rotation"}, nil
	})
	body := exampleBody()
	header := event.Sign(body, "whsec_after_the_rotation", time.Now())

	ctx := context.Background() // the request's, which ends when the sender hangs up
	verifier := event.Verifier{Secrets: mounted}
	e, err := verifier.ConstructEventWaiting(ctx, body, header, event.DefaultSecretsWait)
	fmt.Println(e.ID, err)
	// Output: evt_01 <nil>
}

// Failures are told apart with errors.Is.
func ExampleConstructEvent_failures() {
	body := exampleBody()
	_, err := event.ConstructEvent(body, "", "whsec_example")
	fmt.Println(errors.Is(err, event.ErrMissingSignature))

	_, err = event.ConstructEvent(body, event.Sign(body, "whsec_forged", time.Now()), "whsec_example")
	fmt.Println(errors.Is(err, event.ErrSignatureMismatch))

	_, err = event.ConstructEvent(body, event.Sign(body, "whsec_example", time.Now().Add(-time.Hour)), "whsec_example")
	fmt.Println(errors.Is(err, event.ErrTimestampOutsideWindow))
	// Output:
	// true
	// true
	// true
}

// A complete receiver: it verifies, drops duplicates, bounds bodies and answers
// in time. In a pod, use event.SecretsFromDir with the mounted signing Secret.
func ExampleNewHandler() {
	webhooks := event.NewHandler(event.Options{
		Verifier: event.Verifier{Secrets: event.StaticSecrets("whsec_example")},
		Handle: func(_ context.Context, e event.Event) error {
			fmt.Println("handling", e.Type)
			return nil
		},
	})
	mux := http.NewServeMux()
	mux.Handle("/webhooks/medblocks", webhooks)

	for range 2 { // Medblocks may deliver an event more than once
		body := exampleBody()
		request := httptest.NewRequest(http.MethodPost, "/webhooks/medblocks", strings.NewReader(string(body)))
		request.Header.Set(event.SignatureHeader, event.Sign(body, "whsec_example", time.Now()))
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		fmt.Println(answer.Code, strings.TrimSpace(answer.Body.String()))
	}
	// Output:
	// handling records.sync.completed
	// 200 handled
	// 200 duplicate
}

// Sign makes the header that Medblocks would send, for tests of a receiver.
func ExampleSign() {
	fmt.Println(event.Sign([]byte(`{"a":1}`), "whsec_test", time.Unix(1777127700, 0)))
	// Output: t=1777127700,v1=34307000ab8d9ca5c00d6c5d695a7ee1083b7eb34669050ffa7ad7783be01336
}

// A clock and a tolerance of one's own, as in tests.
func ExampleVerifier() {
	signed := time.Date(2026, 4, 25, 14, 35, 0, 0, time.UTC)
	body := exampleBody()
	header := event.Sign(body, "whsec_example", signed)

	verifier := event.Verifier{
		Secrets:   event.StaticSecrets("whsec_example"),
		Tolerance: time.Minute,
		Clock:     fixedClock(signed.Add(2 * time.Minute)),
	}
	_, err := verifier.ConstructEvent(context.Background(), body, header)
	fmt.Println(err)
	// Output: the signature's time is outside the window: it is 2m0s off, 1m0s is allowed
}

type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }
