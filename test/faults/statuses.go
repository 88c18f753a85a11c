// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/test/lab"
)

// response is an answer as it arrives.
func response(status int, header http.Header, body io.Reader) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(body), ContentLength: -1,
	}
}

func text(status int, contentType, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {contentType}, "X-Request-Id": {"req_fault"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return response(status, h, strings.NewReader(body))
}

// envelope is the vendor's error with that message.
func envelope(status int, message string, header ...string) *http.Response {
	kinds := map[int]string{400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
	kind, known := kinds[status]
	if !known {
		kind = "api_error"
	}
	raw, err := json.Marshal(map[string]any{"error": map[string]any{
		"type": kind, "code": "injected", "message": message, "param": nil, "request_id": "req_fault",
	}})
	if err != nil {
		panic(err) // a map of strings
	}
	return text(status, "application/json", string(raw), header...)
}

const page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Error</h1></body></html>\n"

func writes(c Call) bool { return c.IsWrite() }

func always(Call) bool { return true }

func notDelete(c Call) bool { return c != Delete }

// believes404 leaves out the one answer that cannot be doubted: where the vendor itself says that what is to be deleted is
// not there, it is not there.
func believes404(c Call) bool { return c != Delete }

// statuses are answers outside 2xx, each in the vendor's envelope and without it.
func statuses() []Fault {
	var all []Fault
	for _, status := range []int{400, 401, 403, 404, 409, 413, 429, 500, 502, 503} {
		befalls := always
		if status == http.StatusNotFound {
			befalls = believes404
		}
		refusal := status == http.StatusBadRequest || status == http.StatusRequestEntityTooLarge
		all = append(all,
			Fault{
				Name: fmt.Sprintf("status %d", status), Kind: fmt.Sprint("status ", status), Befalls: befalls, Refusal: refusal,
				New: instead(func(*lab.World, *lab.Request) (*http.Response, error) { return envelope(status, "Injected fault"), nil }),
			},
			Fault{
				Name: fmt.Sprintf("status %d of a proxy", status), Kind: fmt.Sprint("status ", status), Befalls: always, Refusal: refusal,
				New: instead(func(*lab.World, *lab.Request) (*http.Response, error) { return text(status, "text/html", page), nil }),
			})
		if slices.Contains([]int{400, 404, 429, 500, 502, 503}, status) {
			all = append(all, Fault{
				Name: fmt.Sprintf("status %d of a proxy after the effect", status), Kind: fmt.Sprint("status ", status), Befalls: writes, Refusal: refusal,
				New: after(func(*lab.World, *lab.Request) (*http.Response, error) { return text(status, "", ""), nil }),
			})
		}
	}
	return append(all, Fault{
		Name: "status 500 after the effect", Kind: "status 500", Befalls: writes,
		New: after(func(*lab.World, *lab.Request) (*http.Response, error) { return envelope(500, "Injected fault"), nil }),
	}, Fault{
		Name: "status 408 after the effect", Kind: "status 408", Befalls: writes,
		New: after(func(*lab.World, *lab.Request) (*http.Response, error) { return envelope(408, "Injected fault"), nil }),
	})
}

// retryAfters are 429s that say how long to wait, more or less, and a 503 that says so too.
func retryAfters() []Fault {
	var all []Fault
	for _, value := range []string{
		"-5", "0", "120", "1.5", "soon", "99999999999999999999", "Wed, 21 Oct 2099 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT",
	} {
		all = append(all, Fault{
			Name: "Retry-After " + value, Kind: "Retry-After", Befalls: always,
			New: instead(func(*lab.World, *lab.Request) (*http.Response, error) {
				return envelope(429, "Too many requests", "Retry-After", value), nil
			}),
		})
	}
	return append(all, Fault{
		Name: "status 503 with Retry-After", Kind: "Retry-After", Befalls: always,
		New: instead(func(*lab.World, *lab.Request) (*http.Response, error) {
			return envelope(503, "Down for maintenance", "Retry-After", "120"), nil
		}),
	})
}

// echoes are errors that quote the request, key and all.
func echoes() []Fault {
	var all []Fault
	for _, status := range []int{400, 401, 500} {
		all = append(all, Fault{
			Name: fmt.Sprintf("status %d that quotes the key", status), Kind: "quotes the key", Befalls: always, Refusal: status == 400,
			New: instead(func(w *lab.World, _ *lab.Request) (*http.Response, error) {
				return envelope(status, "Cannot serve Authorization: Bearer "+w.Key, "X-Request-Id", "req_"+w.Key), nil
			}),
		})
	}
	return append(all, Fault{
		Name: "page that quotes the key", Kind: "quotes the key", Befalls: always,
		New: instead(func(w *lab.World, _ *lab.Request) (*http.Response, error) {
			return text(502, "text/plain; note=\""+w.Key+"\"", "Bearer "+w.Key), nil
		}),
	})
}

// Redirects lead elsewhere, and must not be followed.
func Redirects(elsewhere string) []Fault {
	var all []Fault
	for _, status := range []int{301, 302, 303, 307, 308} {
		all = append(all, Fault{
			Name: fmt.Sprintf("redirect %d to another host", status), Kind: "redirect", Befalls: always,
			New: instead(func(_ *lab.World, r *lab.Request) (*http.Response, error) {
				return text(status, "text/html", page, "Location", elsewhere+r.Path), nil
			}),
		})
	}
	return all
}
