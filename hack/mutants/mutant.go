// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// mutant is an edit that undoes one safeguard, and the test that notices.
type mutant struct {
	name      string
	safeguard string
	file      string // from the root of the module
	// before occurs once in the file, and is replaced by after.
	before, after string
	// test of the package that notices.
	pkg, test string
}

// all are the mutants, in the order of the tables.
func all() []mutant {
	return slices.Concat(registrationMutants, ownershipMutants, secretMutants, deletionMutants, policyMutants, accountMutants, guardrailMutants, clientMutants,
		redeliveryMutants, probeMutants, receiverMutants, pluginMutants)
}

// verdict on a mutant.
type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
	broken   verdict = "BROKEN" // it does not compile, or its test does not run: it proves nothing
)

type result struct {
	mutant  mutant
	verdict verdict
	by      string // the innermost test that failed, or what is broken
}

// mutated is the text of a mutant's file with its edit.
func (m *mutant) mutated(source string) (string, error) {
	if n := strings.Count(source, m.before); n != 1 {
		return "", fmt.Errorf("the text to replace occurs %d times in %s", n, m.file)
	}
	return strings.Replace(source, m.before, m.after, 1), nil
}

// overlay writes the edit and the file that tells the compiler of it, and returns the latter's path.
func (m *mutant) overlay(folder string) (string, error) {
	path, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(path) //nolint:gosec // our own table
	if err != nil {
		return "", err
	}
	text, err := m.mutated(string(source))
	if err != nil {
		return "", err
	}
	edited := filepath.Join(folder, m.name+".go")
	if err := os.WriteFile(edited, []byte(text), 0o600); err != nil { //nolint:gosec // our own table
		return "", err
	}
	content, err := json.Marshal(map[string]map[string]string{"Replace": {path: edited}})
	if err != nil {
		return "", err
	}
	listing := filepath.Join(folder, m.name+".json")
	return listing, os.WriteFile(listing, content, 0o600)
}

// try runs the test with the edit.
func (m *mutant) try(ctx context.Context, folder string) result {
	overlay, err := m.overlay(folder)
	if err != nil {
		return result{*m, broken, err.Error()}
	}
	output, err := goTest(ctx, "-overlay", overlay, "-run", "^"+m.test+"$", "./"+m.pkg)
	return m.judge(output, err)
}

// judge reads what the test said. Only a test that ran and failed has noticed anything.
func (m *mutant) judge(output string, err error) result {
	innermost := regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`).FindAllStringSubmatch(output, -1)
	switch {
	case strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]"):
		return result{*m, broken, firstLine(output)}
	case strings.Contains(output, "no tests to run"):
		return result{*m, broken, "there is no such test"}
	case err == nil:
		return result{*m, survived, m.test}
	case len(innermost) > 0:
		return result{*m, killed, innermost[len(innermost)-1][1]}
	case strings.Contains(output, "panic: test timed out"):
		return result{*m, killed, m.test + " (it does not end)"}
	}
	return result{*m, broken, firstLine(output)}
}

func firstLine(output string) string {
	for line := range strings.Lines(output) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return "go test said nothing"
}

func goTest(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-vet=off", "-timeout=3m"}, args...)...) //nolint:gosec // our own table
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	err := command.Run()
	return output.String(), err
}

// unharmed makes sure that the tests pass without an edit: one that fails anyway notices nothing.
func unharmed(ctx context.Context, mutants []mutant) error {
	tests := map[string][]string{}
	for _, m := range mutants {
		if !slices.Contains(tests[m.pkg], m.test) {
			tests[m.pkg] = append(tests[m.pkg], m.test)
		}
	}
	for pkg, names := range tests {
		if output, err := goTest(ctx, "-run", "^("+strings.Join(names, "|")+")$", "./"+pkg); err != nil {
			return fmt.Errorf("the tests of %s fail without any edit:\n%s", pkg, output)
		}
	}
	return nil
}

func tryAll(ctx context.Context, folder string, mutants []mutant, parallel int) []result {
	results := make([]result, len(mutants))
	var wg sync.WaitGroup
	turns := make(chan struct{}, max(parallel, 1))
	for i := range mutants {
		turns <- struct{}{}
		wg.Go(func() {
			results[i] = mutants[i].try(ctx, folder)
			fmt.Fprintf(os.Stderr, "%-8s %s\n", results[i].verdict, mutants[i].name)
			<-turns
		})
	}
	wg.Wait()
	return results
}

// report prints the table, and fails where a mutant was not killed.
func report(out io.Writer, results []result) error {
	wide, count := 0, map[verdict]int{}
	for _, r := range results {
		wide = max(wide, len(r.mutant.name))
		count[r.verdict]++
	}
	for _, r := range results {
		_, _ = fmt.Fprintf(out, "%-8s | %-*s | %s | %s\n", r.verdict, wide, r.mutant.name, r.mutant.safeguard, r.by)
	}
	_, _ = fmt.Fprintf(out, "\n%d mutants: %d killed, %d survived, %d broken\n", len(results), count[killed], count[survived], count[broken])
	if count[killed] < len(results) {
		return errors.New("not every mutant was killed by its test")
	}
	return nil
}
