// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestARegistrationAnswersTheWholeEndpointWithItsSecret(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	resp := tg.do(t, http.MethodPost, "/webhooks", tg.spec())
	g.Expect(resp.status).To(And(BeNumerically(">=", 200), BeNumerically("<", 300)), resp.raw)
	e := resp.body
	t.Cleanup(func() { tg.do(t, http.MethodDelete, "/webhooks/"+e["id"].(string), nil) })

	g.Expect(e["id"]).To(MatchRegexp(`^wh_[0-9A-HJKMNP-TV-Z]{26}$`))
	g.Expect(e["secret"]).To(MatchRegexp(`^whsec_.{16,}`))
	g.Expect(e["resource_type"]).To(Equal("webhook_endpoint"))
	g.Expect(e["url"]).To(Equal("https://receiver.example.com/medblocks"))
	g.Expect(e["events"]).To(ConsistOf("patient_flow.completed", "records.sync.failed"))
	g.Expect(e["status"]).To(Equal("active"))
	g.Expect(e["description"]).To(Equal("contract"))
	g.Expect(e["metadata"]).To(Equal(map[string]any{runMark: tg.run}))
	g.Expect(e["api_version"]).To(Equal("2026-04-25"))
	g.Expect(e["created_at"]).To(MatchRegexp(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`))
	g.Expect(e["updated_at"]).To(MatchRegexp(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`))
	g.Expect(resp.header.Get("X-Request-Id")).NotTo(BeEmpty())
	tg.assumed(t, resp.status == http.StatusCreated, "a registration answers 201")
}

func TestTheSameRegistrationTwiceMakesTwoEndpoints(t *testing.T) {
	tg := newTarget(t)
	first := tg.create(t, nil)
	again := tg.spec()
	again["url"] = first["url"]
	second := tg.do(t, http.MethodPost, "/webhooks", again)
	tg.assumed(t, second.status < 300 && second.body["id"] != first["id"], "a URL need not be unique")
}

func TestOnlyCreateAndRotateShowTheSecret(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	e := tg.create(t, nil)
	path := "/webhooks/" + e["id"].(string)

	rotated := tg.do(t, http.MethodPost, path+"/rotate-secret", nil)
	g.Expect(rotated.status).To(Equal(http.StatusOK), rotated.raw)
	g.Expect(rotated.body["id"]).To(Equal(e["id"]))
	g.Expect(rotated.body["secret"]).To(HavePrefix("whsec_"))
	g.Expect(rotated.body["secret"]).NotTo(Equal(e["secret"]))

	for _, resp := range []response{
		tg.do(t, http.MethodGet, path, nil),
		tg.do(t, http.MethodPatch, path, `{"description":"changed"}`),
		tg.do(t, http.MethodGet, "/webhooks?limit=100", nil),
	} {
		g.Expect(resp.status).To(Equal(http.StatusOK), resp.raw)
		g.Expect(resp.raw).NotTo(ContainSubstring("whsec_"))
		g.Expect(resp.raw).NotTo(ContainSubstring(`"secret"`))
	}
}

func TestInvalidRegistrationsAreRefusedByField(t *testing.T) {
	tg := newTarget(t)
	manyKeys := map[string]any{}
	for i := range 51 {
		manyKeys["k"+strings.Repeat("x", i)] = "v"
	}
	for name, c := range map[string]struct {
		field string
		value any
	}{
		"an http URL of another host":    {"url", "http://receiver.example.com/"},
		"a relative URL":                 {"url", "/medblocks"},
		"a URL of another scheme":        {"url", "ftp://receiver.example.com/"},
		"a URL that is no string":        {"url", 7},
		"no URL":                         {"url", nil},
		"no events":                      {"events", []string{}},
		"an unknown event":               {"events", []string{"patient_flow.started"}},
		"* beside another event":         {"events", []string{"*", "records.sync.failed"}},
		"events that are no list":        {"events", "*"},
		"a description of 501":           {"description", strings.Repeat("d", 501)},
		"51 keys of metadata":            {"metadata", manyKeys},
		"metadata that is no object":     {"metadata", []string{"a"}},
		"six events of five at the most": {"events", []string{"*", "*", "*", "*", "*", "*"}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := tg.spec()
			spec[c.field] = c.value
			e := expectError(t, tg.do(t, http.MethodPost, "/webhooks", spec), http.StatusBadRequest)
			NewWithT(t).Expect(e["param"]).To(Equal(c.field))
		})
	}
	t.Run("a body that is not JSON", func(t *testing.T) {
		expectError(t, tg.do(t, http.MethodPost, "/webhooks", `{"url":`), http.StatusBadRequest)
	})
}

func TestWhatIsAllowedIsAccepted(t *testing.T) {
	tg := newTarget(t)
	fifty := map[string]any{runMark: tg.run}
	for i := range 49 {
		fifty["k"+strings.Repeat("x", i)] = "v"
	}
	for name, c := range map[string]struct {
		field string
		value any
	}{
		"http on localhost":      {"url", "http://localhost:8080/hook"},
		"* alone":                {"events", []string{"*"}},
		"all four events":        {"events", []string{"patient_flow.completed", "connection.token_refresh_failed", "records.sync.completed", "records.sync.failed"}},
		"a description of 500":   {"description", strings.Repeat("é", 500)},
		"no description":         {"description", nil},
		"fifty keys of metadata": {"metadata", fifty},
	} {
		t.Run(name, func(t *testing.T) {
			e := tg.create(t, func(spec map[string]any) { spec[c.field] = c.value })
			g := NewWithT(t)
			if c.value == nil {
				g.Expect(e[c.field]).To(Or(BeNil(), BeEmpty()))
				return
			}
			if events, isList := c.value.([]string); isList {
				g.Expect(e[c.field]).To(ConsistOf(events)) // their order is not documented
				return
			}
			want, err := json.Marshal(c.value)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(json.Marshal(e[c.field])).To(MatchJSON(want))
		})
	}
	e := tg.do(t, http.MethodPost, "/webhooks", map[string]any{
		"url": "https://receiver.example.com", "events": []string{"*"}, "metadata": map[string]any{runMark: tg.run}, "colour": "blue",
	})
	tg.assumed(t, e.status < 300, "unknown fields of a request are ignored")
}

func TestAPatchChangesOnlyWhatItNames(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	e := tg.create(t, nil)
	path := "/webhooks/" + e["id"].(string)

	patched := tg.do(t, http.MethodPatch, path, `{"url":"https://other.example.com/x","events":["*"]}`)
	g.Expect(patched.status).To(Equal(http.StatusOK), patched.raw)
	g.Expect(patched.body["url"]).To(Equal("https://other.example.com/x"))
	g.Expect(patched.body["events"]).To(ConsistOf("*"))
	g.Expect(patched.body["description"]).To(Equal("contract"))
	g.Expect(patched.body["metadata"]).To(Equal(e["metadata"]))
	g.Expect(patched.body["created_at"]).To(Equal(e["created_at"]))

	cleared := tg.do(t, http.MethodPatch, path, `{"description":null}`)
	g.Expect(cleared.status).To(Equal(http.StatusOK), cleared.raw)
	g.Expect(cleared.body["description"]).To(Or(BeNil(), BeEmpty()))

	read := tg.do(t, http.MethodGet, path, nil)
	g.Expect(read.body["url"]).To(Equal("https://other.example.com/x"))

	for body, field := range map[string]string{
		`{"status":"paused"}`: "status", `{"events":["nope"]}`: "events", `{"url":"http://example.com"}`: "url",
	} {
		failed := expectError(t, tg.do(t, http.MethodPatch, path, body), http.StatusBadRequest)
		g.Expect(failed["param"]).To(Equal(field))
	}
	g.Expect(tg.do(t, http.MethodGet, path, nil).body).To(Equal(read.body))
}

func TestAPatchReplacesTheWholeMetadata(t *testing.T) {
	tg := newTarget(t)
	e := tg.create(t, func(spec map[string]any) { spec["metadata"] = map[string]any{runMark: tg.run, "old": "1"} })
	patched := tg.do(t, http.MethodPatch, "/webhooks/"+e["id"].(string),
		map[string]any{"metadata": map[string]any{runMark: tg.run, "new": "2"}})
	metadata, _ := patched.body["metadata"].(map[string]any)
	_, kept := metadata["old"]
	tg.assumed(t, !kept && metadata["new"] == "2", "metadata is replaced as a whole")
}

func TestAnEndpointIsDisabledAndEnabledByItsStatus(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	e := tg.create(t, nil)
	path := "/webhooks/" + e["id"].(string)
	for _, status := range []string{"disabled", "active"} {
		resp := tg.do(t, http.MethodPatch, path, map[string]any{"status": status})
		g.Expect(resp.status).To(Equal(http.StatusOK), resp.raw)
		g.Expect(resp.body["status"]).To(Equal(status))
		g.Expect(ids(tg.listAll(t, "&status="+status))).To(ContainElement(e["id"]))
		other := map[string]string{"disabled": "active", "active": "disabled"}[status]
		g.Expect(ids(tg.listAll(t, "&status="+other))).NotTo(ContainElement(e["id"]))
	}
}

func TestADeletedEndpointIsGone(t *testing.T) {
	g, tg := NewWithT(t), newTarget(t)
	e := tg.create(t, nil)
	path := "/webhooks/" + e["id"].(string)
	resp := tg.do(t, http.MethodDelete, path, nil)
	g.Expect(resp.status).To(And(BeNumerically(">=", 200), BeNumerically("<", 300)), resp.raw)
	expectError(t, tg.do(t, http.MethodGet, path, nil), http.StatusNotFound)
	expectError(t, tg.do(t, http.MethodPatch, path, `{"description":"x"}`), http.StatusNotFound)
	expectError(t, tg.do(t, http.MethodPost, path+"/rotate-secret", nil), http.StatusNotFound)
	expectError(t, tg.do(t, http.MethodGet, path+"/events", nil), http.StatusNotFound)
	expectError(t, tg.do(t, http.MethodDelete, path, nil), http.StatusNotFound)
	g.Expect(ids(tg.listAll(t, ""))).NotTo(ContainElement(e["id"]))
}
