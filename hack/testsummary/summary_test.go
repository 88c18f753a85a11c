// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// goTestEvents runs the tests in source with the real `go test -json`, so that what we count is what that command says today and
// not what a recording said once.
func goTestEvents(t *testing.T, source string, args ...string) string {
	t.Helper()
	g := NewWithT(t)
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module sample\n\ngo 1.26.0\n", "sample_test.go": "package sample\n\n" + source}
	for name, content := range files {
		g.Expect(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600)).To(Succeed())
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-json", "-vet=off", "-count=1"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		g.Expect(err).NotTo(HaveOccurred())
	}
	return string(out)
}

func TestRealRunsAreCountedAsTheyWentAndFailuresAreShown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		source  string
		args    []string
		want    string
		verdict string
		shown   []string
		hidden  []string
	}{
		"passing, skipped and grouped tests": {
			source: `import "testing"
func TestOne(t *testing.T) { t.Log("quiet") }
func TestSkipped(t *testing.T) { t.Skip("not here") }
func TestGroup(t *testing.T) {
	t.Run("a", func(t *testing.T) {})
	t.Run("b/with/slashes", func(t *testing.T) { t.Run("deeper", func(t *testing.T) {}) })
}`,
			want: "3 passed, 0 failed, 1 skipped", shown: []string{"ok  \tsample"}, hidden: []string{"quiet"},
		},
		"a failing subtest counts once, with its output": {
			source: `import "testing"
func TestGroup(t *testing.T) {
	t.Run("good", func(t *testing.T) { t.Log("quiet") })
	t.Run("bad", func(t *testing.T) { t.Fatal("the reason") })
}`,
			want: "1 passed, 1 failed", verdict: "tests failed", shown: []string{"the reason", "FAIL\tsample"}, hidden: []string{"quiet"},
		},
		"a group that fails by itself counts beside its good subtest": {
			source: `import "testing"
func TestGroup(t *testing.T) { t.Run("good", func(t *testing.T) {}); t.Error("the group's own reason") }`,
			want: "1 passed, 1 failed", verdict: "tests failed", shown: []string{"the group's own reason"},
		},
		"repeated runs count each time": {
			source: `import "testing"
func TestGroup(t *testing.T) { t.Run("a", func(t *testing.T) {}) }`,
			args: []string{"-count=3"}, want: "3 passed, 0 failed",
		},
		"a panic": {
			source: `import "testing"
func TestFine(t *testing.T) {}
func TestPanics(t *testing.T) { panic("the panic's message") }`,
			want: "1 passed, 1 failed", verdict: "tests failed", shown: []string{"the panic's message"},
		},
		"a test that runs into the time limit": {
			source: `import "testing"
func TestFine(t *testing.T) {}
func TestHangs(t *testing.T) { t.Run("here", func(t *testing.T) { select {} }) }`,
			args: []string{"-timeout=1s"}, want: "1 passed, 1 failed", verdict: "tests failed", shown: []string{"timed out after 1s"},
		},
		"a process that exits in the middle of a test": {
			source: `import ("os"; "testing")
func TestFine(t *testing.T) {}
func TestExits(t *testing.T) { os.Exit(3) }`,
			want: "1 passed, 1 failed", verdict: "tests failed", shown: []string{"exit status 3"},
		},
		"a setup that fails before the first test": {
			source: `import ("fmt"; "os"; "testing")
func TestMain(m *testing.M) { fmt.Println("no control plane"); os.Exit(1) }
func TestFine(t *testing.T) {}`,
			want: "0 passed, 1 failed", verdict: "tests failed", shown: []string{"no control plane", "FAIL\tsample"},
		},
		"code that does not compile": {
			source: `import "testing"
func TestFine(t *testing.T) { undefinedName() }`,
			want: "0 passed, 1 failed", verdict: "tests failed", shown: []string{"undefined: undefinedName", "FAIL\tsample"},
		},
		"no tests at all": {
			source: `const nothing = 0`, want: "0 passed, 0 failed", verdict: "no test ran",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			var out bytes.Buffer
			totals, err := summarize(strings.NewReader(goTestEvents(t, tc.source, tc.args...)), &out)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(totals.String()).To(Equal(tc.want), out.String())
			if tc.verdict == "" {
				g.Expect(totals.verdict()).To(Succeed())
			} else {
				g.Expect(totals.verdict()).To(MatchError(tc.verdict))
			}
			for _, s := range tc.shown {
				g.Expect(out.String()).To(ContainSubstring(s))
			}
			for _, s := range tc.hidden {
				g.Expect(out.String()).NotTo(ContainSubstring(s))
			}
		})
	}
}

func TestARunThatWasCutOffCountsWhatHadNotFinished(t *testing.T) {
	g := NewWithT(t)
	var out bytes.Buffer
	totals, err := summarize(strings.NewReader(`{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"what B said\n"}
signal: killed
`), &out)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(totals.String()).To(Equal("1 passed, 1 failed"))
	g.Expect(out.String()).To(And(ContainSubstring("what B said"), ContainSubstring("signal: killed")))
}

func TestTheClosingLineStandsAloneAtTheEndAndInTheFile(t *testing.T) {
	g := NewWithT(t)
	file := filepath.Join(t.TempDir(), "summary")
	var out bytes.Buffer
	err := run(strings.NewReader(`{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`), &out, file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(out.String()).To(Equal("ok  \tp\t0.1s\n\n1 passed, 0 failed\n"))
	written, err := os.ReadFile(file)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(string(written)).To(Equal("1 passed, 0 failed\n"))
}
