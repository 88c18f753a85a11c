// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

// FuzzSignatureHeader: whatever the header, exactly one of the failures is found,
// and a header is accepted only if it holds a signature that was made with the
// secret, checked here by other means.
func FuzzSignatureHeader(f *testing.F) {
	raw := goodBody()
	header := event.Sign(raw, currentSecret, signedAt)
	timestamp, mac, _ := strings.Cut(header, ",")
	for _, seed := range []string{
		header, "", " ", "t=1", "v1=", ",", "t=1777127700,v1=00", mac + "," + timestamp, header + "," + mac, header + ",t=1",
		"t=01777127700," + mac, strings.ToUpper(header), timestamp + ",v1=" + strings.ToUpper(mac[3:]), header + ",v0=x",
		event.Sign(raw, "", signedAt), event.Sign(raw, "whsec_x", signedAt), event.Sign(raw, currentSecret, time.Unix(0, 0)),
		"t=١," + mac, "xt=5," + header, "t==1," + mac, " " + timestamp + " ,\t" + mac,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		v := verifier(signedAt, currentSecret, "", previousSecret)
		e, err := v.ConstructEvent(context.Background(), raw, header)
		if err != nil {
			assertOneFailure(t, err)
			if e.ID != "" || e.Data != nil || e.Raw != nil {
				t.Fatal("a failure comes with an event")
			}
			return
		}
		// Accepted: the signed time is in the window, and the right MAC for that
		// very text of the time is in the header.
		var text string
		for item := range strings.SplitSeq(header, ",") {
			if value, found := strings.CutPrefix(strings.TrimSpace(item), "t="); found {
				text = value
			}
		}
		check := hmac.New(sha256.New, []byte([]string{currentSecret, "", previousSecret}[e.SecretIndex]))
		check.Write([]byte(text + "." + string(raw)))
		if !strings.Contains(strings.ToLower(header), hex.EncodeToString(check.Sum(nil))) {
			t.Fatalf("accepted %q without a genuine signature", header)
		}
		if e.SignedAt.Sub(signedAt).Abs() > event.DefaultTolerance || e.SecretIndex == 1 {
			t.Fatalf("accepted with time %s and secret %d", e.SignedAt, e.SecretIndex)
		}
	})
}

func assertOneFailure(t *testing.T, err error) {
	t.Helper()
	found := 0
	for _, sentinel := range []error{
		event.ErrMissingSignature, event.ErrMalformedSignature, event.ErrTimestampOutsideWindow,
		event.ErrSignatureMismatch, event.ErrNotAnEvent, event.ErrNoSecrets,
	} {
		if errors.Is(err, sentinel) {
			found++
		}
	}
	if found != 1 || strings.Contains(err.Error(), "whsec_") || len(err.Error()) > 500 {
		t.Fatalf("not one clear failure: %v", err)
	}
}

// FuzzForgery: a signature counts within its time and as it is. One bit of the header changed, and it is refused, unless
// the header still says the same (a hexadecimal digit in the other case).
func FuzzForgery(f *testing.F) {
	f.Add(goodBody(), int16(0), uint16(30))
	f.Add([]byte(`{"id":"a","type":"b","data":{}}`), int16(300), uint16(0))
	f.Add([]byte(`{"id":"a","type":"b","data":{}}`), int16(-301), uint16(200))
	f.Fuzz(func(t *testing.T, raw []byte, late int16, bit uint16) {
		header := []byte(event.Sign(raw, currentSecret, signedAt))
		now := signedAt.Add(time.Duration(late) * time.Second)
		_, err := verifier(now, currentSecret).ConstructEvent(context.Background(), raw, string(header))
		if inTime := now.Sub(signedAt).Abs() <= event.DefaultTolerance; inTime == errors.Is(err, event.ErrTimestampOutsideWindow) {
			t.Fatalf("%s late, and the result is %v", now.Sub(signedAt), err)
		}
		if _, err := verifier(signedAt, previousSecret).ConstructEvent(context.Background(), raw, string(header)); !errors.Is(err, event.ErrSignatureMismatch) {
			t.Fatalf("another secret's signature is %v", err)
		}
		forged := bytes.Clone(header)
		forged[int(bit)/8%len(forged)] ^= 1 << (bit % 8)
		if bytes.EqualFold(forged, header) && forged[0] == 't' && bytes.Contains(forged, []byte(",v1=")) {
			return
		}
		_, err = verifier(signedAt, currentSecret).ConstructEvent(context.Background(), raw, string(forged))
		if err == nil || errors.Is(err, event.ErrNotAnEvent) {
			t.Fatalf("%q is accepted in place of %q", forged, header)
		}
		assertOneFailure(t, err)
	})
}

// FuzzBody: a body that we sign is accepted or no event, nothing else; changed by
// one bit it is a forgery; and what was understood survives encoding.
func FuzzBody(f *testing.F) {
	f.Add(goodBody(), uint(7))
	for _, seed := range []string{
		string(body("patient_flow.completed", flowObject)),
		string(body("records.sync.completed", `{"total":1,"errors":0,"duration_ms":1.5}`)),
		string(body("connection.token_refresh_failed", `{"id":null,"failure_at":"0000-01-01T00:00:00+23:00"}`)),
		string(body("something.new", `[1,{"a":null}]`)), `{}`, ``, `null`, `{"id":"a","type":"b","data":[1]}`,
		`{"ID":"a","Type":"b"}`, `{"id":"a","type":"patient_flow.completed","data":{"object":{"metadata":{"a":1e999}}}}`,
		"{\"id\":\"\xff\",\"type\":\"<b>\",\"data\":{\"object\":\"\u2028\"}}",
	} {
		f.Add([]byte(seed), uint(len(seed)/2))
	}
	f.Fuzz(func(t *testing.T, raw []byte, bit uint) {
		header := event.Sign(raw, currentSecret, signedAt)
		v := verifier(signedAt, previousSecret, currentSecret)
		e, err := v.ConstructEvent(context.Background(), raw, header)
		if err != nil {
			if !errors.Is(err, event.ErrNotAnEvent) {
				t.Fatalf("a signed body is %v", err)
			}
			assertOneFailure(t, err)
		} else {
			assertEvent(t, e, raw)
		}
		if len(raw) == 0 {
			return
		}
		changed := bytes.Clone(raw)
		changed[bit/8%uint(len(raw))] ^= 1 << (bit % 8)
		if _, err := v.ConstructEvent(context.Background(), changed, header); !errors.Is(err, event.ErrSignatureMismatch) {
			t.Fatalf("a changed body is %v", err)
		}
	})
}

func assertEvent(t *testing.T, e event.Event, raw []byte) {
	t.Helper()
	if e.ID == "" || e.Type == "" || e.Data == nil || e.SecretIndex != 1 || !e.SignedAt.Equal(signedAt) {
		t.Fatalf("a part of an event: %+v", e)
	}
	if !bytes.Equal(e.Raw, raw) {
		t.Fatal("the raw body was changed")
	}
	if _, unknown := e.Data.(*event.Unknown); unknown == e.Type.IsKnown() {
		t.Fatalf("type %q has the data %T", e.Type, e.Data)
	}
	once, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	again, err := event.ParseUnverified(once)
	if err != nil {
		t.Fatalf("cannot read what was written: %v: %s", err, once)
	}
	twice, err := json.Marshal(again)
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("encoding is not stable (%v):\n%s\n%s", err, once, twice)
	}
}
