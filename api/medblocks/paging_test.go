// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// manyEndpoints serves n endpoints as the vendor pages them: the cursor is the id
// of a page's last item.
func manyEndpoints(n int, padding string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		from := 0
		if after := r.URL.Query().Get("starting_after"); after != "" {
			from, _ = strconv.Atoi(strings.TrimPrefix(after, "wh_"))
		}
		to := min(from+limit, n)
		items := make([]map[string]any, 0, limit)
		for i := from + 1; i <= to; i++ {
			items = append(items, map[string]any{"id": fmt.Sprintf("wh_%d", i), "metadata": map[string]string{"p": padding}})
		}
		body := map[string]any{"resource_type": "list", "data": items, "has_more": to < n, "next_cursor": nil}
		if to < n {
			body["next_cursor"] = fmt.Sprintf("wh_%d", to)
		}
		w.Header().Set("X-Request-Id", fmt.Sprintf("req_%d", from))
		_ = json.NewEncoder(w).Encode(body)
	}
}

func TestAListYieldsEveryItemOfEveryPageOnce(t *testing.T) {
	for _, tc := range []struct{ n, limit, pages int }{
		{0, 0, 1}, {1, 0, 1}, {100, 0, 1}, {101, 0, 2}, {250, 0, 3}, {7, 3, 3}, {3, 1, 3},
	} {
		t.Run(fmt.Sprintf("%d endpoints in pages of %d", tc.n, tc.limit), func(t *testing.T) {
			g := NewWithT(t)
			server := newVendor(t, manyEndpoints(tc.n, ""))
			endpoints, err := collect(server.client(t).ListEndpoints(
				context.Background(), medblocks.ListEndpointsOptions{Limit: tc.limit}))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(endpoints).To(HaveLen(tc.n))
			for i, endpoint := range endpoints {
				g.Expect(endpoint.ID).To(Equal(fmt.Sprintf("wh_%d", i+1)))
				g.Expect(endpoint.RequestID).To(HavePrefix("req_"))
			}
			g.Expect(server.received()).To(HaveLen(tc.pages))
		})
	}
}

func TestAFilterIsSentWithEveryPage(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, manyEndpoints(3, ""))
	_, err := collect(server.client(t).ListEndpoints(context.Background(),
		medblocks.ListEndpointsOptions{Limit: 2, Status: medblocks.EndpointStatusDisabled}))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(server.received()[0].Query).To(Equal("limit=2&status=disabled"))
	g.Expect(server.received()[1].Query).To(Equal("limit=2&starting_after=wh_2&status=disabled"))
}

func TestEventsAreListedWithTheirFilter(t *testing.T) {
	for _, delivered := range []bool{true, false} {
		g := NewWithT(t)
		server := newVendor(t, answering(http.StatusOK, listJSON(eventRecordJSON)))
		records, err := collect(server.client(t).ListEvents(context.Background(), testEndpointID,
			medblocks.ListEventsOptions{Limit: 50, Delivered: &delivered}))
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(records).To(HaveLen(1))
		g.Expect(records[0].ID).To(Equal(testEventID))
		g.Expect(records[0].RequestID).To(Equal("req_header"))
		g.Expect(server.received()[0].Query).To(Equal(fmt.Sprintf("delivered=%t&limit=50", delivered)))
	}
}

func TestAListThatItsReaderLeavesMakesNoMoreCalls(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, manyEndpoints(10, ""))
	list := server.client(t).ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{Limit: 2})
	for range 2 { // a list can be read again, from its start
		for endpoint, err := range list {
			g.Expect(err).NotTo(HaveOccurred())
			if endpoint.ID == "wh_3" {
				break
			}
		}
	}
	g.Expect(server.received()).To(HaveLen(4))
	g.Expect(server.received()[2].Query).To(Equal("limit=2"))
}

func TestAListStopsAfterYieldingOneError(t *testing.T) {
	g := NewWithT(t)
	pages := manyEndpoints(10, "")
	server := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("starting_after") == "wh_4" {
			answering(http.StatusServiceUnavailable, "")(w, r)
			return
		}
		pages(w, r)
	})
	var ids, failures []string
	for endpoint, err := range server.client(t).ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{Limit: 2}) {
		if err != nil {
			g.Expect(endpoint).To(Equal(medblocks.Endpoint{}))
			g.Expect(medblocks.IsTransient(err)).To(BeTrue())
			failures = append(failures, err.Error())
			continue
		}
		ids = append(ids, endpoint.ID)
	}
	g.Expect(ids).To(Equal([]string{"wh_1", "wh_2", "wh_3", "wh_4"}))
	g.Expect(failures).To(HaveLen(1))
	g.Expect(server.received()).To(HaveLen(3))
}

func TestAListThatDoesNotKeepTheContractIsMalformed(t *testing.T) {
	item := `{"id":"wh_A"}`
	cases := map[string]string{
		"no data":                          `{"has_more":false,"next_cursor":null}`,
		"data that is null":                `{"data":null,"has_more":false}`,
		"nothing about whether it is all":  `{"data":[` + item + `],"next_cursor":null}`,
		"more, but a cursor that is null":  `{"data":[` + item + `],"has_more":true,"next_cursor":null}`,
		"more, but no cursor":              `{"data":[` + item + `],"has_more":true}`,
		"more, but an empty cursor":        `{"data":[` + item + `],"has_more":true,"next_cursor":""}`,
		"the same cursor again":            `{"data":[` + item + `],"has_more":true,"next_cursor":"wh_A"}`,
		"an item without id":               `{"data":[` + item + `,{"url":"https://a.example.com"}],"has_more":false}`,
		"an item with an empty id":         `{"data":[{"id":""}],"has_more":false}`,
		"an item whose id is none":         `{"data":[{"id":"wh_../x"}],"has_more":false}`,
		"an item whose id is too long":     `{"data":[{"id":"wh_` + strings.Repeat("A", 200) + `"}],"has_more":false}`,
		"an item that is null":             `{"data":[null],"has_more":false}`,
		"an item that is a string":         `{"data":["wh_A"],"has_more":false}`,
		"an item whose metadata is a text": `{"data":[{"id":"wh_A","metadata":"x"}],"has_more":false}`,
		"a cursor that is a number":        `{"data":[],"has_more":true,"next_cursor":7}`,
	}
	for name, body := range cases {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			endpoints, err := collect(newVendor(t, answering(http.StatusOK, body)).client(t).
				ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{}))
			expectMalformed(g, medblocks.OperationListEndpoints, err)
			if name != "the same cursor again" {
				g.Expect(endpoints).To(BeEmpty(), "no item of a page that cannot be trusted is yielded")
			}
		})
	}
}

func TestACursorThatComesBackLaterEndsTheList(t *testing.T) {
	g := NewWithT(t)
	next := map[string]string{"": "a", "a": "b", "b": "c", "c": "a"}
	server := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"data":[],"has_more":true,"next_cursor":%q}`, next[r.URL.Query().Get("starting_after")])
	})
	_, err := collect(server.client(t).ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{}))
	expectMalformed(g, medblocks.OperationListEndpoints, err)
	g.Expect(err.Error()).To(ContainSubstring("repeats a cursor"))
	g.Expect(server.received()).To(HaveLen(4))
}

func TestAListWithEverNewCursorsEnds(t *testing.T) {
	g := NewWithT(t)
	calls := 0
	client, err := medblocks.New(medblocks.Config{APIKey: testKey, Transport: roundTripper(
		func(*http.Request) (*http.Response, error) {
			calls++
			body := fmt.Sprintf(`{"data":[],"has_more":true,"next_cursor":"c%d"}`, calls)
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
		})})
	g.Expect(err).NotTo(HaveOccurred())
	_, err = collect(client.ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{}))
	expectMalformed(g, medblocks.OperationListEndpoints, err)
	g.Expect(calls).To(Equal(10_001))
}

func TestAPageThatIsTooLargeIsAskedForInSmallerPieces(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, manyEndpoints(60, strings.Repeat("x", 30_000)))
	endpoints, err := collect(server.client(t).ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{}))
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(endpoints).To(HaveLen(60))
	g.Expect(endpoints[59].ID).To(Equal("wh_60"))
	var queries []string
	for _, call := range server.received() {
		queries = append(queries, call.Query)
	}
	g.Expect(queries).To(Equal([]string{
		"limit=100", "limit=25", "limit=25&starting_after=wh_25", "limit=25&starting_after=wh_50",
	}))
}

func TestAListOfEventsAsksBeforeEachOfItsCalls(t *testing.T) {
	g := NewWithT(t)
	pages := manyEndpoints(60, strings.Repeat("x", 30_000))
	server := newVendor(t, func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		pages(recorded, r)
		_, _ = io.WriteString(w, strings.ReplaceAll(recorded.Body.String(), `"id":"wh_`, `"id":"evt_`))
	})
	asked, allowed, refusal := 0, 4, errors.New("not now")
	options := medblocks.ListEventsOptions{BeforeCall: func(context.Context) error {
		g.Expect(server.received()).To(HaveLen(asked))
		if asked++; asked > allowed {
			return refusal
		}
		return nil
	}}
	list := server.client(t).ListEvents(context.Background(), testEndpointID, options)
	records, err := collect(list)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(records).To(HaveLen(60))
	g.Expect(server.received()).To(HaveLen(4), "one that was too large, and three pages")

	allowed = 6
	_, err = collect(list)
	g.Expect(err).To(MatchError(refusal))
	g.Expect(server.received()).To(HaveLen(6))
}

func TestAnItemThatIsTooLargeByItselfIsMalformed(t *testing.T) {
	g := NewWithT(t)
	server := newVendor(t, manyEndpoints(2, strings.Repeat("x", medblocks.MaxBodySize)))
	endpoints, err := collect(server.client(t).ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{}))
	expectMalformed(g, medblocks.OperationListEndpoints, err)
	g.Expect(endpoints).To(BeEmpty())
	g.Expect(server.received()).To(HaveLen(4)) // 100, 25, 6, 1
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
