// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
)

// body is an event as the vendor sends it, around the given object.
func body(eventType, object string) []byte {
	return []byte(`{"id":"evt_01J9YRB7QK3D5W8F0G2H4J6N8P","object":"event","type":"` + eventType +
		`","api_version":"2026-04-25","created_at":"2026-04-25T14:35:00.000Z","new":1,"data":{"object":` + object + `}}`)
}

func at(text string) event.Timestamp {
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return event.Timestamp{Time: parsed}
}

const flowObject = `{"id":"pf_1","resource_type":"patient_flow","status":"complete","patient_id":"pat_1",
  "connection_id":null,"recommended_connection_ids":["fhirsrc_1","fhirsrc_2"],
  "connections":[{"id":null,"connection_id":"fhirsrc_1","status":"failed","failure_code":"access_denied",
    "failure_at":"2026-04-25T14:34:00.500Z","created_at":"2026-04-25T14:33:00Z"},
   {"id":"conn_2","connection_id":"fhirsrc_2","status":"active","failure_code":null,"created_at":"2026-04-25T14:33:00Z"}],
  "metadata":{"mrn":"123","nested":{"a":[1]}}}`

func TestEachTypeOfTheCatalogueHasItsPayload(t *testing.T) {
	cases := map[event.Type]struct {
		object string
		want   event.Data
	}{
		event.TypePatientFlowCompleted: {flowObject, &event.PatientFlow{
			ID: "pf_1", Status: event.FlowComplete, PatientID: "pat_1", ConnectionID: event.Null[string](),
			RecommendedConnectionIDs: event.Value([]string{"fhirsrc_1", "fhirsrc_2"}),
			Connections: []event.PatientFlowConnection{{
				ID: event.Null[string](), ConnectionID: "fhirsrc_1", Status: event.ConnectionFailed,
				FailureCode: event.Value("access_denied"), FailureAt: event.Value(at("2026-04-25T14:34:00.5Z")),
				CreatedAt: at("2026-04-25T14:33:00Z"),
			}, {
				ID: event.Value("conn_2"), ConnectionID: "fhirsrc_2", Status: event.ConnectionActive,
				FailureCode: event.Null[string](), CreatedAt: at("2026-04-25T14:33:00Z"),
			}},
			Metadata: map[string]any{"mrn": "123", "nested": map[string]any{"a": []any{1.0}}},
		}},
		event.TypeConnectionTokenRefreshFailed: {
			`{"id":"conn_1","connection_id":"fhirsrc_1","status":"refresh_failed","failure_code":"invalid_grant",
			  "failure_at":"2026-04-25T16:34:00+02:00","created_at":"2026-01-02T03:04:05.000Z"}`,
			&event.PatientFlowConnection{
				ID: event.Value("conn_1"), ConnectionID: "fhirsrc_1", Status: event.ConnectionRefreshFailed,
				FailureCode: event.Value("invalid_grant"), FailureAt: event.Value(at("2026-04-25T14:34:00Z")),
				CreatedAt: at("2026-01-02T03:04:05Z"),
			},
		},
		event.TypeRecordsSyncCompleted: {
			`{"resource_type":"records_sync","patient_id":"pat_1","connection_id":"fhirsrc_1","total":1200,"errors":3,"duration_ms":8123.5}`,
			&event.RecordsSyncCompleted{
				ResourceType: "records_sync", PatientID: "pat_1", ConnectionID: "fhirsrc_1", Total: 1200, Errors: 3,
				DurationMS: event.Value(8123.5),
			},
		},
		event.TypeRecordsSyncFailed: {
			`{"resource_type":"records_sync","patient_id":"pat_1","connection_id":"fhirsrc_1","error_message":null}`,
			&event.RecordsSyncFailed{
				ResourceType: "records_sync", PatientID: "pat_1", ConnectionID: "fhirsrc_1", ErrorMessage: event.Null[string](),
			},
		},
	}
	NewWithT(t).Expect(event.Types()).To(HaveLen(len(cases)))
	for _, eventType := range event.Types() {
		t.Run(string(eventType), func(t *testing.T) {
			g := NewWithT(t)
			raw := body(string(eventType), cases[eventType].object)
			e, err := event.ParseUnverified(raw)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(e).To(Equal(event.Event{
				ID: "evt_01J9YRB7QK3D5W8F0G2H4J6N8P", Type: eventType, APIVersion: "2026-04-25",
				CreatedAt: at("2026-04-25T14:35:00Z"), Data: cases[eventType].want, Raw: raw,
			}))
			g.Expect(eventType.IsKnown()).To(BeTrue())

			encoded, err := json.Marshal(e)
			g.Expect(err).NotTo(HaveOccurred())
			again, err := event.ParseUnverified(encoded)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(again.Data).To(Equal(e.Data))
		})
	}
}

func TestNullAbsentAndAValueAreKeptApartAlsoWhenEncodedAgain(t *testing.T) {
	cases := map[string]struct {
		field        string
		null, absent bool
		value        string
		has          bool
	}{
		"null":   {`,"error_message":null`, true, false, "", false},
		"absent": {``, false, true, "", false},
		"empty":  {`,"error_message":""`, false, false, "", true},
		"value":  {`,"error_message":"boom"`, false, false, "boom", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			object := `{"resource_type":"records_sync","patient_id":"p","connection_id":"c"` + tc.field + `}`
			e, err := event.ParseUnverified(body("records.sync.failed", object))
			g.Expect(err).NotTo(HaveOccurred())
			failed := e.Data.(*event.RecordsSyncFailed)
			g.Expect(failed.ErrorMessage.IsNull()).To(Equal(tc.null))
			g.Expect(failed.ErrorMessage.IsZero()).To(Equal(tc.absent))
			value, ok := failed.ErrorMessage.Get()
			g.Expect(ok).To(Equal(tc.has))
			g.Expect(value).To(Equal(tc.value))
			if !ok {
				g.Expect(failed.ErrorMessage.Or("none")).To(Equal("none"))
			} else {
				g.Expect(failed.ErrorMessage.Or("none")).To(Equal(tc.value))
			}
			encoded, err := json.Marshal(failed)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(encoded).To(MatchJSON(object))
		})
	}
}

func TestAnUnknownTypeIsAValueThatKeepsTheRawJSON(t *testing.T) {
	cases := map[string]struct{ raw, want string }{
		"an object":           {`{"object":{"a": 1, "b":[ ]}}`, `{"a": 1, "b":[ ]}`},
		"no object":           {`{"other":1}`, `{"other":1}`},
		"an array":            {`[1,2]`, `[1,2]`},
		"an object of a kind": {`{"object":"text"}`, `"text"`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			raw := []byte(`{"id":"evt_1","object":"event","type":"patient.merged","data":` + tc.raw + `}`)
			e, err := event.ParseUnverified(raw)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(e.Type.IsKnown()).To(BeFalse())
			g.Expect(string(e.Data.(*event.Unknown).Raw)).To(Equal(tc.want))
			g.Expect([]byte(e.Raw)).To(Equal(raw))
		})
	}
	g := NewWithT(t)
	e, err := event.ParseUnverified([]byte(`{"id":"evt_1","type":"patient.merged"}`))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(e.Data).To(Equal(&event.Unknown{}))
	g.Expect(json.Marshal(e)).To(MatchJSON(
		`{"id":"evt_1","object":"event","type":"patient.merged","api_version":"","created_at":null,"data":{"object":null}}`))
}

func TestABodyThatIsNoEventIsRefusedWithoutQuotingIt(t *testing.T) {
	flow := func(object string) string { return string(body("patient_flow.completed", object)) }
	cases := map[string]string{
		"nothing":                         ``,
		"white space":                     "  \n",
		"text":                            `Jane Doe`,
		"truncated JSON":                  string(body("records.sync.failed", `{"patient_id":"Jane Doe"}`))[:150],
		"an event and more":               string(body("records.sync.failed", `{}`)) + "{}",
		"null":                            `null`,
		"an array":                        `[{"id":"evt_1","type":"Jane Doe"}]`,
		"a number":                        `1`,
		"no id":                           `{"object":"event","type":"x","data":{}}`,
		"an id that is a number":          `{"id":1,"object":"event","type":"x"}`,
		"no type":                         `{"id":"evt_1","object":"event","data":{}}`,
		"a type that is null":             `{"id":"evt_1","type":null}`,
		"another object":                  `{"id":"evt_1","object":"Jane Doe","type":"x"}`,
		"a known type without data":       `{"id":"evt_1","object":"event","type":"patient_flow.completed"}`,
		"a known type without object":     `{"id":"evt_1","object":"event","type":"patient_flow.completed","data":{}}`,
		"a known type with data a text":   `{"id":"evt_1","object":"event","type":"patient_flow.completed","data":"Jane Doe"}`,
		"a known type with null":          flow(`null`),
		"a known type with an array":      flow(`["Jane Doe"]`),
		"a field of another type":         flow(`{"patient_id":{"name":"Jane Doe"}}`),
		"a nullable field of another":     flow(`{"connection_id":["Jane Doe"]}`),
		"a nested field of another type":  flow(`{"connections":[{"status":7}]}`),
		"a number that does not fit":      string(body("records.sync.completed", `{"total":1e30,"patient_id":"Jane Doe"}`)),
		"nested deeper than JSON's limit": `{"id":` + strings.Repeat("[", 20_000),
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			e, err := event.ParseUnverified([]byte(text))
			g.Expect(err).To(MatchError(event.ErrNotAnEvent))
			g.Expect(err.Error()).NotTo(ContainSubstring("Jane"))
			g.Expect(e).To(Equal(event.Event{}))

			var decoded event.Event
			g.Expect(json.Unmarshal([]byte(text), &decoded)).NotTo(Succeed())
		})
	}
}

func TestATimeThatCannotBeReadIsZeroAndLosesNoEvent(t *testing.T) {
	cases := map[string]struct {
		text string
		want string
	}{
		"the vendor's form":     {`"2026-04-25T14:30:00.000Z"`, "2026-04-25T14:30:00Z"},
		"microseconds":          {`"2026-04-25T14:30:00.123456Z"`, "2026-04-25T14:30:00.123456Z"},
		"an offset":             {`"2026-04-25T16:30:00+02:00"`, "2026-04-25T14:30:00Z"},
		"an offset, basic form": {`"2026-04-25T16:30:00+0200"`, "2026-04-25T14:30:00Z"},
		"no zone":               {`"2026-04-25T14:30:00"`, "2026-04-25T14:30:00Z"},
		"a date":                {`"2026-04-25"`, "2026-04-25T00:00:00Z"},
		"words":                 {`"yesterday"`, ""},
		"a number":              {`1777127400`, ""},
		"null":                  {`null`, ""},
		"a year before 0":       {`"0000-01-01T00:00:00+23:00"`, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			var got event.Timestamp
			g.Expect(json.Unmarshal([]byte(tc.text), &got)).To(Succeed())
			encoded, err := json.Marshal(got)
			g.Expect(err).NotTo(HaveOccurred())
			if tc.want == "" {
				g.Expect(got.IsZero()).To(BeTrue())
				g.Expect(string(encoded)).To(Equal("null"))
				return
			}
			g.Expect(got).To(Equal(at(tc.want)))
			var again event.Timestamp
			g.Expect(json.Unmarshal(encoded, &again)).To(Succeed())
			g.Expect(again).To(Equal(got))
		})
	}
	NewWithT(t).Expect(json.Marshal(at("2026-04-25T14:30:00Z"))).To(MatchJSON(`"2026-04-25T14:30:00.000Z"`))
}

func TestTheRawBodyIsACopy(t *testing.T) {
	g := NewWithT(t)
	raw := body("records.sync.failed", `{}`)
	e, err := event.ParseUnverified(raw)
	g.Expect(err).NotTo(HaveOccurred())
	raw[0] = 'X'
	g.Expect(e.Raw[0]).To(Equal(byte('{')))
}
