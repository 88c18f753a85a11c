// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

const strangeID = "wh_01ARZ3NDEKTSV4RRFFQ69G5FAV"

func TestKeysThatDoNotWorkAreToldApart(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	missing := expectError(t, tg.do(t, http.MethodGet, "/webhooks", nil, withKey("")), http.StatusUnauthorized)
	g.Expect(missing["type"]).To(Equal("authentication_error"))
	g.Expect(missing["code"]).To(Equal("missing_api_key"))
	wrong := expectError(t, tg.do(t, http.MethodGet, "/webhooks", nil, withKey("no-such-key")), http.StatusUnauthorized)
	g.Expect(wrong["type"]).To(Equal("authentication_error"))
	g.Expect(wrong["code"]).To(Equal("invalid_api_key"))
}

func TestExpiredRevokedAndForbiddenKeysAreToldApart(t *testing.T) {
	tg := newTarget(t)
	tg.emulatorOnly(t)
	for state, want := range map[emulator.KeyState]struct {
		status int
		code   string
	}{
		emulator.KeyExpired:   {http.StatusUnauthorized, "expired_api_key"},
		emulator.KeyRevoked:   {http.StatusUnauthorized, "invalid_api_key"},
		emulator.KeyForbidden: {http.StatusForbidden, "forbidden"},
	} {
		g := NewWithT(t)
		g.Expect(tg.vendor.SetKey(emulator.Key{APIKey: tg.key, State: state})).To(Succeed())
		e := expectError(t, tg.do(t, http.MethodGet, "/webhooks", nil), want.status)
		g.Expect(e["code"]).To(Equal(want.code))
		g.Expect(tg.vendor.SetKey(emulator.Key{APIKey: tg.key})).To(Succeed())
	}
}

func TestUnknownEndpointsAndEventsAreNotFound(t *testing.T) {
	tg := newTarget(t)
	for _, c := range [][2]string{
		{http.MethodGet, "/webhooks/" + strangeID}, {http.MethodPatch, "/webhooks/" + strangeID},
		{http.MethodDelete, "/webhooks/" + strangeID}, {http.MethodPost, "/webhooks/" + strangeID + "/rotate-secret"},
		{http.MethodGet, "/webhooks/" + strangeID + "/events"},
		{http.MethodPost, "/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV/redeliver"},
	} {
		expectError(t, tg.do(t, c[0], c[1], map[string]any{}), http.StatusNotFound)
	}
}

func TestUnknownPathsAndMethodsAreRefused(t *testing.T) {
	tg := newTarget(t)
	tg.emulatorOnly(t) // the documentation names neither
	for _, path := range []string{"/", "/webhook", "/webhooks/", "/webhooks/x/y", "/events", "/webhooks/x/events/y"} {
		expectError(t, tg.do(t, http.MethodGet, path, nil), http.StatusNotFound)
	}
	resp := tg.do(t, http.MethodPut, "/webhooks", nil)
	expectError(t, resp, http.StatusMethodNotAllowed)
	NewWithT(t).Expect(resp.header.Get("Allow")).To(Equal("POST, GET"))
}

func TestAnUnsupportedVersionIsRefused(t *testing.T) {
	tg := newTarget(t)
	expectError(t, tg.do(t, http.MethodGet, "/webhooks", nil, withVersion("1999-01-01")), http.StatusBadRequest)
}

func TestATooLargeBodyIsRefused(t *testing.T) {
	tg := newTarget(t)
	tg.emulatorOnly(t) // the bound is not documented
	body := `{"description":"` + strings.Repeat("x", 1<<20) + `"}`
	expectError(t, tg.do(t, http.MethodPost, "/webhooks", body), http.StatusRequestEntityTooLarge)
}

func TestAnotherKeySeesNothingOfThisWorkspace(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	tg.emulatorOnly(t) // needs a second workspace
	path := "/webhooks/" + tg.create(t, nil)["id"].(string)
	other := withKey("mb_sk_live_other")
	g.Expect(tg.do(t, http.MethodGet, "/webhooks", nil, other).body["data"]).To(BeEmpty())
	expectError(t, tg.do(t, http.MethodGet, path, nil, other), http.StatusNotFound)
	expectError(t, tg.do(t, http.MethodPatch, path, `{"status":"disabled"}`, other), http.StatusNotFound)
	expectError(t, tg.do(t, http.MethodDelete, path, nil, other), http.StatusNotFound)
	g.Expect(tg.do(t, http.MethodGet, path, nil).body["status"]).To(Equal("active"))
}

func TestTheEndpointLimitHasAnErrorOfItsOwn(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	tg.emulatorOnly(t) // the vendor's number is not published
	tg.vendor.SetMaxEndpoints(tg.key, 2)
	tg.create(t, nil)
	tg.create(t, nil)
	resp := tg.do(t, http.MethodPost, "/webhooks", tg.spec())
	e := expectError(t, resp, http.StatusTooManyRequests)
	g.Expect(e["code"]).To(Equal("endpoint_quota_exceeded"))
	g.Expect(resp.header).NotTo(HaveKey("Retry-After"))
	g.Expect(tg.listAll(t, "")).To(HaveLen(2))
}

func TestTheSuiteStaysOnThisMachine(t *testing.T) {
	g := NewWithT(t)
	g.Expect(permitted("http://127.0.0.1:8089", "k", "")).To(Succeed())
	g.Expect(permitted("http://localhost:8089", "k", "")).To(Succeed())
	g.Expect(permitted("http://[::1]:8089", "k", "")).To(Succeed())
	g.Expect(permitted("http://127.0.0.1:8089", "", "")).To(MatchError(ContainSubstring("API_KEY")))
	g.Expect(permitted("https://app.medblocks.com", "mb_sk_sbx_1", "")).To(MatchError(ContainSubstring("ALLOW_REMOTE")))
	g.Expect(permitted("https://app.medblocks.com", "mb_sk_live_1", "1")).To(MatchError(ContainSubstring("sandbox")))
	g.Expect(permitted("https://app.medblocks.com", "mb_sk_sbx_1", "1")).To(Succeed())
}
