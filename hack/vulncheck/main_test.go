// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestWhereTheDatabaseAnswersTheCheckIsRunAndItsVerdictCounts(t *testing.T) {
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	defer server.Close()
	g, out := NewWithT(t), &bytes.Buffer{}

	g.Expect(run(t.Context(), out, []string{server.URL + "/", "sh", "-c", "echo no vulnerabilities"})).To(Succeed())
	g.Expect(out.String()).To(Equal("no vulnerabilities\n"))
	g.Expect(asked).To(Receive(Equal("/index/db.json")))

	err := run(t.Context(), out, []string{server.URL, "sh", "-c", "exit 3"})
	exit := (*exec.ExitError)(nil)
	g.Expect(err).To(BeAssignableToTypeOf(exit), "a vulnerability was found")
}

func TestWhereTheDatabaseIsNotReachableThatIsSaidInOneLine(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	g, out := NewWithT(t), &bytes.Buffer{}
	g.Expect(run(t.Context(), out, []string{server.URL, "sh", "-c", "echo must not run"})).To(Succeed())
	g.Expect(out.String()).To(HavePrefix("vulncheck: SKIPPED govulncheck: the database " + server.URL + " is not reachable from here: "))
	g.Expect(strings.Count(out.String(), "\n")).To(Equal(1))
}

func TestADatabaseInAFolderIsNotSkipped(t *testing.T) {
	g, out := NewWithT(t), &bytes.Buffer{}
	g.Expect(run(t.Context(), out, []string{"file://" + t.TempDir(), "sh", "-c", "echo looked up"})).To(Succeed())
	g.Expect(out.String()).To(Equal("looked up\n"))
}

func TestACheckThatCannotBeStartedFails(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	NewWithT(t).Expect(run(t.Context(), &bytes.Buffer{}, []string{server.URL, "/no/such/program"})).NotTo(Succeed())
}
