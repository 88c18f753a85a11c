// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryMutantFitsTheSource keeps the tables true as the source changes, without running the mutants.
func TestEveryMutantFitsTheSource(t *testing.T) {
	t.Chdir("../..")
	names := map[string]bool{}
	for _, m := range all() {
		if names[m.name] || m.name == "" || m.safeguard == "" || m.before == m.after {
			t.Errorf("%q: the name is not its own, or something is missing", m.name)
		}
		names[m.name] = true
		source, err := os.ReadFile(m.file)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if _, err := m.mutated(string(source)); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if !hasTest(t, m.pkg, m.test) {
			t.Errorf("%s: %s has no test %s", m.name, m.pkg, m.test)
		}
	}
	if len(names) < 30 {
		t.Errorf("only %d mutants", len(names))
	}
}

func hasTest(t *testing.T, pkg, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "\nfunc "+test+"(t *testing.T) {") {
			return true
		}
	}
	return false
}

// TestOnlyAFailedTestKills: a mutant that does not compile, or whose test does not exist, proves nothing.
func TestOnlyAFailedTestKills(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, tc := range []struct {
		output string
		err    error
		want   verdict
		by     string
	}{
		{"ok  \tpkg\t0.1s\n", nil, survived, "TestX"},
		{"--- FAIL: TestX (0.00s)\n    --- FAIL: TestX/a_case (0.00s)\nFAIL\n", failed, killed, "TestX/a_case"},
		{"panic: test timed out after 3m0s\nFAIL\tpkg\t180s\n", failed, killed, "TestX (it does not end)"},
		{"# pkg\n./a.go:1: undefined: x\nFAIL\tpkg [build failed]\n", failed, broken, "./a.go:1: undefined: x"},
		{"ok  \tpkg\t0.1s [no tests to run]\n", nil, broken, "there is no such test"},
		{"etcd is not there\nFAIL\tpkg\t0.1s\n", failed, broken, "etcd is not there"},
		{"", failed, broken, "go test said nothing"},
	} {
		m := mutant{test: "TestX"}
		if got := m.judge(tc.output, tc.err); got.verdict != tc.want || got.by != tc.by {
			t.Errorf("%q: %s by %q", tc.output, got.verdict, got.by)
		}
	}
}

func TestAMutantThatIsNotKilledFailsTheRun(t *testing.T) {
	var out strings.Builder
	if err := report(&out, []result{{mutant{name: "a"}, killed, "TestX"}}); err != nil {
		t.Error(err)
	}
	for _, v := range []verdict{survived, broken} {
		if err := report(&out, []result{{mutant{name: "a"}, killed, "TestX"}, {mutant{name: "b"}, v, ""}}); err == nil {
			t.Errorf("%s is taken for a success", v)
		}
	}
	if !strings.Contains(out.String(), "2 mutants: 1 killed, 1 survived, 0 broken") {
		t.Error(out.String())
	}
}

func TestAnEditThatFitsTwiceIsRefused(t *testing.T) {
	m := mutant{before: "a", after: "b"}
	if _, err := m.mutated("a a"); err == nil {
		t.Error("it is not clear which of them is meant")
	}
	if text, err := m.mutated("c a"); err != nil || text != "c b" {
		t.Errorf("%q, %v", text, err)
	}
}
