// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	. "github.com/onsi/gomega"
)

// echo answers with what it was asked, and under /nothing and /cut not at all.
func echo(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/nothing":
		panic(http.ErrAbortHandler)
	case "/cut":
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = conn.Write([]byte("HTTP/1.1 "))
		_ = conn.Close()
		return
	case "/refuse":
		w.WriteHeader(http.StatusConflict)
	}
	body, _ := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), body)
}

func TestCurlDoesWhatThePagesUseOfIt(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(server.Close)
	for name, test := range map[string]struct {
		args      []string
		code      int
		out, errs string
	}{
		"get":             {args: []string{"-sS", "/a?b=c", "-H", "Authorization: Bearer x"}, out: "GET /a?b=c Bearer x "},
		"data is posted":  {args: []string{"-sS", "/a", "-d", `{"a":1}`}, out: `POST /a  {"a":1}`},
		"method":          {args: []string{"-sS", "-X", "PATCH", "/a", "-d", "1"}, out: "PATCH /a  1"},
		"headers too":     {args: []string{"-isS", "/refuse"}, out: "HTTP/1.1 409 Conflict\r\n"},
		"a refusal":       {args: []string{"-sS", "/refuse"}, out: "GET /refuse"},
		"a refusal fails": {args: []string{"-sSf", "/refuse"}, code: exitStatus, errs: "409"},
		"no answer":       {args: []string{"-sS", "/nothing"}, code: exitEmpty, errs: "curl: (52) Empty reply from server"},
		"a cut answer":    {args: []string{"-sS", "/cut"}, code: exitEmpty, errs: "curl: (52) Empty reply from server"},
		"unknown flag":    {args: []string{"--retry", "/a"}, code: exitUsage, errs: "unknown flag"},
	} {
		t.Run(name, func(t *testing.T) {
			g := NewWithT(t)
			for i, arg := range test.args {
				if arg[0] == '/' {
					test.args[i] = server.URL + arg
				}
			}
			var out, errs bytes.Buffer
			g.Expect(run(test.args, &out, &errs)).To(Equal(test.code), errs.String())
			g.Expect(out.String()).To(HavePrefix(test.out))
			g.Expect(errs.String()).To(ContainSubstring(test.errs))
		})
	}
}
