// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// forEveryCall runs a check on the error of each of the eight calls against the
// same answer.
func forEveryCall(t *testing.T, answer http.HandlerFunc, check func(Gomega, medblocks.Operation, error)) {
	t.Helper()
	for _, tc := range allCalls() {
		t.Run(string(tc.operation), func(t *testing.T) {
			g := NewWithT(t)
			server := newVendor(t, answer)
			err := tc.call(context.Background(), server.client(t))
			check(g, tc.operation, err)
			g.Expect(server.received()).To(HaveLen(1), "a call is made once, whatever its answer")
		})
	}
}

func TestTheVendorsErrorEnvelopeBecomesATypedErrorForEveryCall(t *testing.T) {
	body := `{"error":{"type":"invalid_request_error","code":"invalid_url","message":"url must be https","param":"url",
	  "doc_url":"https://docs.example.com/e","request_id":"req_body"}}`
	for _, status := range []int{400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			forEveryCall(t, answering(status, body), func(g Gomega, operation medblocks.Operation, err error) {
				var apiErr *medblocks.APIError
				g.Expect(errors.As(err, &apiErr)).To(BeTrue())
				g.Expect(apiErr.Operation).To(Equal(operation))
				g.Expect(apiErr.StatusCode).To(Equal(status))
				g.Expect(apiErr.Type).To(Equal("invalid_request_error"))
				g.Expect(apiErr.Code).To(Equal("invalid_url"))
				g.Expect(apiErr.Message).To(Equal("url must be https"))
				g.Expect(apiErr.Param).To(Equal("url"))
				g.Expect(apiErr.DocURL).To(Equal("https://docs.example.com/e"))
				g.Expect(apiErr.RequestID).To(Equal("req_header"))
				g.Expect(apiErr.Envelope).To(BeTrue())
				g.Expect(apiErr.HasRetryAfter).To(BeFalse())
				g.Expect(medblocks.IsRejected(err)).To(Equal(status >= 400 && status < 500 && status != 408))
			})
		})
	}
}

func TestAnAnswerThatIsNotTheVendorsEnvelopeKeepsItsStatusAndProvesNothing(t *testing.T) {
	cases := map[string]struct {
		body        string
		contentType string
		says        string
	}{
		"HTML":                       {"<html><h1>Bad gateway</h1></html>", "text/html; charset=utf-8", "text/html"},
		"nothing":                    {"", "application/json", "no readable body"},
		"plain text":                 {"upstream connect error", "text/plain", "text/plain"},
		"truncated JSON":             {`{"error":{"type":"not_found_error","code":"not_`, "application/json", "not a Medblocks error"},
		"an envelope and more":       {envelope("t", "c", "m") + "{}", "application/json", "not a Medblocks error"},
		"an array":                   {`[]`, "application/json", "not a Medblocks error"},
		"null":                       {`null`, "application/json", "not a Medblocks error"},
		"an error of a gateway":      {`{"error":{"code":404,"message":"no route"}}`, "application/json", "not a Medblocks error"},
		"an error that is a string":  {`{"error":"not found"}`, "application/json", "not a Medblocks error"},
		"an envelope with only type": {`{"error":{"type":"x"}}`, "application/json", "not a Medblocks error"},
		"more than a MiB":            {envelope("t", "c", strings.Repeat("a", 1<<20)), "application/json", "no readable body"},
	}
	for name, tc := range cases {
		for _, status := range []int{404, 400, 502} {
			t.Run(name+" with "+http.StatusText(status), func(t *testing.T) {
				forEveryCall(t, answering(status, tc.body, "Content-Type", tc.contentType),
					func(g Gomega, _ medblocks.Operation, err error) {
						var apiErr *medblocks.APIError
						g.Expect(errors.As(err, &apiErr)).To(BeTrue())
						g.Expect(apiErr.StatusCode).To(Equal(status))
						g.Expect(apiErr.RequestID).To(Equal("req_header"))
						g.Expect(apiErr.Envelope).To(BeFalse())
						g.Expect(medblocks.IsNotFound(err)).To(BeFalse())
						g.Expect(medblocks.IsRejected(err)).To(BeFalse())
						g.Expect(medblocks.IsTransient(err)).To(Equal(status == 502))
						g.Expect(err.Error()).To(ContainSubstring(tc.says))
					})
			})
		}
	}
}

func TestAnErrorWhoseBodyEndsEarlyIsNoProof(t *testing.T) {
	forEveryCall(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5000")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, envelope("not_found_error", "resource_missing", "no such endpoint"))
	}, func(g Gomega, _ medblocks.Operation, err error) {
		var apiErr *medblocks.APIError
		g.Expect(errors.As(err, &apiErr)).To(BeTrue())
		g.Expect(apiErr.StatusCode).To(Equal(http.StatusNotFound))
		g.Expect(apiErr.Envelope).To(BeFalse())
		g.Expect(medblocks.IsNotFound(err)).To(BeFalse())
	})
}

func TestARedirectIsAnErrorAndTheKeyDoesNotTravel(t *testing.T) {
	visited := newVendor(t, answering(http.StatusOK, endpointJSON))
	for _, location := range []string{visited.URL + "/webhooks", "", "http://[bad"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			forEveryCall(t, answering(status, "", "Location", location), func(g Gomega, _ medblocks.Operation, err error) {
				var apiErr *medblocks.APIError
				g.Expect(errors.As(err, &apiErr)).To(BeTrue())
				g.Expect(apiErr.StatusCode).To(Equal(status))
				g.Expect(err.Error()).To(ContainSubstring("redirects are not followed"))
				g.Expect(err.Error()).NotTo(ContainSubstring(visited.URL))
			})
		}
	}
	NewWithT(t).Expect(visited.received()).To(BeEmpty())
}

func gzipped(g Gomega, size int) string {
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	_, err := io.CopyN(writer, zeros{}, int64(size))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(writer.Close()).To(Succeed())
	return compressed.String()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestA2xxAnswerThatCannotBeUsedIsMalformed(t *testing.T) {
	g := NewWithT(t)
	bomb := gzipped(g, 8<<20)
	g.Expect(len(bomb)).To(BeNumerically("<", medblocks.MaxBodySize))
	cases := map[string]http.HandlerFunc{
		"an empty body":          answering(200, ""),
		"no content":             answering(204, ""),
		"HTML":                   answering(200, "<html>Welcome</html>", "Content-Type", "text/html"),
		"truncated JSON":         answering(200, endpointJSON[:120]),
		"JSON and more":          answering(200, endpointJSON+endpointJSON),
		"an empty object":        answering(200, `{}`),
		"null":                   answering(200, `null`),
		"an array":               answering(200, `[]`),
		"a string":               answering(200, `"ok"`),
		"fields of another type": answering(200, `{"id":7,"data":{},"events":"*"}`),
		"a gzip bomb":            answering(200, bomb, "Content-Encoding", "gzip"),
		"deeply nested JSON":     answering(200, `{"id":`+strings.Repeat("[", 20_000)),
		"a body that ends early": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(w, endpointWithSecretJSON)
		},
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			for _, tc := range allCalls() {
				if tc.operation == medblocks.OperationDeleteEndpoint {
					continue // its body is ignored, which has its own test
				}
				t.Run(string(tc.operation), func(t *testing.T) {
					g := NewWithT(t)
					server := newVendor(t, answer)
					err := tc.call(context.Background(), server.client(t))
					expectMalformed(g, tc.operation, err)
					g.Expect(server.received()).To(HaveLen(1))
				})
			}
		})
	}
}

func expectMalformed(g Gomega, operation medblocks.Operation, err error) {
	var malformed *medblocks.MalformedError
	g.ExpectWithOffset(1, errors.As(err, &malformed)).To(BeTrue(), "%v", err)
	g.ExpectWithOffset(1, malformed.Operation).To(Equal(operation))
	g.ExpectWithOffset(1, malformed.Reason).NotTo(BeEmpty())
	g.ExpectWithOffset(1, medblocks.IsMalformed(err)).To(BeTrue())
	g.ExpectWithOffset(1, medblocks.IsTransient(err)).To(BeFalse())
	g.ExpectWithOffset(1, medblocks.IsRejected(err)).To(BeFalse(), "the call may have had its effect")
	g.ExpectWithOffset(1, medblocks.IsNotFound(err)).To(BeFalse())
}

func TestAnAnswerAboutSomethingElseIsMalformed(t *testing.T) {
	with := func(old, replacement string) string {
		return strings.Replace(endpointWithSecretJSON, old, replacement, 1)
	}
	cases := map[string]struct {
		body       string
		operations []medblocks.Operation
	}{
		"another endpoint": {with(testEndpointID, "wh_OTHER"), []medblocks.Operation{
			medblocks.OperationGetEndpoint, medblocks.OperationUpdateEndpoint, medblocks.OperationRotateSecret,
		}},
		"an id that is none": {with(testEndpointID, "wh_../x"), []medblocks.Operation{
			medblocks.OperationCreateEndpoint, medblocks.OperationGetEndpoint, medblocks.OperationUpdateEndpoint, medblocks.OperationRotateSecret,
		}},
		"no secret": {with(testSecret, ""), []medblocks.Operation{
			medblocks.OperationCreateEndpoint, medblocks.OperationRotateSecret,
		}},
		"a secret that is no string": {with(`"`+testSecret+`"`, "12"), []medblocks.Operation{
			medblocks.OperationCreateEndpoint, medblocks.OperationRotateSecret,
		}},
		"no status": {with(`"status":"active",`, ""), []medblocks.Operation{
			medblocks.OperationGetEndpoint, medblocks.OperationUpdateEndpoint,
		}},
		"no url": {with(`"url":"https://api.example.com/medblocks/webhook",`, ""), []medblocks.Operation{
			medblocks.OperationGetEndpoint, medblocks.OperationUpdateEndpoint,
		}},
		"another event": {strings.Replace(eventRecordJSON, testEventID, "evt_OTHER", 1), []medblocks.Operation{
			medblocks.OperationRedeliverEvent,
		}},
	}
	for name, tc := range cases {
		for _, call := range allCalls() {
			for _, operation := range tc.operations {
				if call.operation != operation {
					continue
				}
				t.Run(name+" in the answer to "+string(operation), func(t *testing.T) {
					g := NewWithT(t)
					err := call.call(context.Background(), newVendor(t, answering(200, tc.body)).client(t))
					expectMalformed(g, operation, err)
					g.Expect(err.Error()).NotTo(ContainSubstring(testSecret))
				})
			}
		}
	}
}

func TestABodyOverTheBoundIsMalformedAndNotReadToItsEnd(t *testing.T) {
	g := NewWithT(t)
	writing := make(chan error, 1)
	server := newVendor(t, func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, zeros{}) // ends only when the client hangs up
		writing <- err
	})
	_, err := server.client(t).GetEndpoint(context.Background(), testEndpointID)
	expectMalformed(g, medblocks.OperationGetEndpoint, err)
	g.Expect(err.Error()).To(ContainSubstring("larger than 1048576 bytes"))
	g.Eventually(writing).Should(Receive(HaveOccurred()))
}
