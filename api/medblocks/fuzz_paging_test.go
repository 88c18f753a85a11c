// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package medblocks_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/medblocks/webhook-operator/api/medblocks"
)

// How a page can go wrong.
const (
	pageIsGood = iota
	pageIsCut
	pageRepeatsItsCursor
	pageDoesNotSayWhetherThereIsMore
	pageHasMoreButNoCursor
	pageIsAnError
	pageFaults
)

// pages serves items by pages of the sizes given, and one of them wrong.
type pages struct {
	sizes      []byte
	wrong      int
	fault, cut int
	served     int
}

// items are the ids on a page, and whether it is the last one.
func (p *pages) items(number int) (ids []string, last bool) {
	from := 0
	for _, size := range p.sizes[:number] {
		from += int(size % 7)
	}
	for i := range int(p.sizes[number] % 7) {
		ids = append(ids, fmt.Sprintf("wh_%d", from+i))
	}
	return ids, number == len(p.sizes)-1
}

func (p *pages) RoundTrip(r *http.Request) (*http.Response, error) {
	p.served++
	number, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Query().Get("starting_after"), "page_"))
	ids, last := p.items(number)
	var data []string
	for _, id := range ids {
		data = append(data, `{"id":"`+id+`"}`)
	}
	more, cursor := fmt.Sprintf(`,"has_more":%t`, !last), ""
	if !last {
		cursor = fmt.Sprintf(`,"next_cursor":"page_%d"`, number+1)
	}
	status, body := http.StatusOK, `{"resource_type":"list","data":[`+strings.Join(data, ",")+"]"
	cut := -1
	if number == p.wrong {
		switch p.fault {
		case pageIsCut:
			cut = p.cut
		case pageRepeatsItsCursor:
			more, cursor = `,"has_more":true`, fmt.Sprintf(`,"next_cursor":"page_%d"`, number)
		case pageDoesNotSayWhetherThereIsMore:
			more = ""
		case pageHasMoreButNoCursor:
			more, cursor = `,"has_more":true`, ""
		case pageIsAnError:
			status = http.StatusBadGateway
		}
	}
	body += more + cursor + "}"
	if cut >= 0 {
		body = body[:cut%len(body)]
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader([]byte(body)))}, nil
}

// FuzzPages: a list yields every item of every page once and in order, whatever the sizes of the pages; where one of them is wrong,
// it yields what came before, then one error, and nothing after. It never ends as if it were complete.
func FuzzPages(f *testing.F) {
	for fault := range uint8(pageFaults) {
		f.Add([]byte{3, 0, 6, 1}, uint8(1), fault, uint16(17))
		f.Add([]byte{5}, uint8(0), fault, uint16(0))
	}
	f.Fuzz(func(t *testing.T, sizes []byte, wrong, fault uint8, cut uint16) {
		if len(sizes) == 0 || len(sizes) > 50 {
			return
		}
		p := &pages{sizes: sizes, wrong: int(wrong) % len(sizes), fault: int(fault) % pageFaults, cut: int(cut)}
		client, err := medblocks.New(medblocks.Config{APIKey: testKey, Transport: p})
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		var failure error
		for endpoint, err := range client.ListEndpoints(context.Background(), medblocks.ListEndpointsOptions{}) {
			if failure != nil {
				t.Fatal("the list goes on after an error")
			}
			if failure = err; err == nil {
				got = append(got, endpoint.ID)
			}
		}
		for number := range sizes {
			if p.fault != pageIsGood && number == p.wrong && p.fault != pageRepeatsItsCursor {
				break
			}
			ids, _ := p.items(number)
			want = append(want, ids...)
			if p.fault == pageRepeatsItsCursor && number == p.wrong {
				break
			}
		}
		if (failure != nil) != (p.fault != pageIsGood) {
			t.Fatalf("fault %d ends with %v", p.fault, failure)
		}
		if failure != nil {
			mustBeTyped(t, failure)
		}
		// A cursor that comes back is noticed on the page that it leads to for the second time.
		if p.fault == pageRepeatsItsCursor {
			got, want = slices.Compact(got[:min(len(got), len(want))]), want[:min(len(got), len(want))]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v (fault %d on page %d)", got, want, p.fault, p.wrong)
		}
		if p.served > len(sizes)+1 {
			t.Fatalf("%d calls for %d pages", p.served, len(sizes))
		}
	})
}
