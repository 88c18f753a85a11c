// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// event is one line of `go test -json` (documented in `go doc test2json`, the build events in `go help buildjson`).
type event struct {
	Action     string
	Package    string
	ImportPath string // of the package that was being built; only in build events
	Test       string
	Output     string
}

// totals counts tests without children: a test that is only there to group subtests is counted through them, unless it failed
// where none of them did. A package that failed without a failing test (it does not compile, or its process died) counts as one
// failure.
type totals struct {
	passed, failed, skipped int
}

func (t totals) String() string {
	s := fmt.Sprintf("%d passed, %d failed", t.passed, t.failed)
	if t.skipped > 0 {
		s += fmt.Sprintf(", %d skipped", t.skipped)
	}
	return s
}

func (t totals) verdict() error {
	switch {
	case t.failed > 0:
		return errors.New("tests failed")
	case t.passed == 0:
		return errors.New("no test ran")
	}
	return nil
}

// test is one run of a test, or of a package when its name is empty.
type test struct {
	output      strings.Builder
	hasChild    bool
	childFailed bool
}

// pack is a package whose tests are running.
type pack struct {
	test
	running map[string]*test
	failed  int
}

type summarizer struct {
	out      io.Writer
	totals   totals
	packages map[string]*pack
	builds   map[string]*strings.Builder
}

// summarize reads events until the end of in and writes what is worth reading to out. It fails only if in cannot be read.
func summarize(in io.Reader, out io.Writer) (totals, error) {
	s := &summarizer{out: out, packages: map[string]*pack{}, builds: map[string]*strings.Builder{}}
	reader := bufio.NewReader(in)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 0 {
			s.line(line)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s.totals, err
		}
	}
	s.abandoned()
	return s.totals, nil
}

func (s *summarizer) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		// Not an event: something wrote to the stream itself, and a reader should see it.
		_, _ = s.out.Write(line)
		return
	}
	switch {
	case e.Action == "build-output":
		s.build(e.ImportPath).WriteString(e.Output)
	case e.Action == "build-fail":
		s.print(s.build(e.ImportPath).String())
	case e.Test != "":
		s.testEvent(e)
	case e.Package != "":
		s.packageEvent(e)
	}
}

func (s *summarizer) testEvent(e event) {
	p := s.pack(e.Package)
	switch e.Action {
	case "run":
		p.running[e.Test] = &test{}
		if parent := p.parentOf(e.Test); parent != nil {
			parent.hasChild = true
		}
	case "output":
		if t := p.running[e.Test]; t != nil {
			t.output.WriteString(e.Output)
		}
	case "pass", "skip", "fail":
		s.finish(p, e)
	}
}

func (s *summarizer) finish(p *pack, e event) {
	t := p.running[e.Test]
	if t == nil {
		t = &test{}
	}
	delete(p.running, e.Test)
	switch {
	case e.Action == "fail":
		s.fail(p, e.Test, t)
	case t.hasChild:
	case e.Action == "skip":
		s.totals.skipped++
	default:
		s.totals.passed++
	}
}

func (s *summarizer) fail(p *pack, name string, t *test) {
	if parent := p.parentOf(name); parent != nil {
		parent.childFailed = true
	}
	s.print(t.output.String())
	if t.childFailed {
		return
	}
	p.failed++
	s.totals.failed++
}

func (s *summarizer) packageEvent(e event) {
	p := s.pack(e.Package)
	switch e.Action {
	case "output":
		p.output.WriteString(e.Output)
	case "pass":
		s.print(resultLine(p.output.String(), "ok "))
		delete(s.packages, e.Package)
	case "fail":
		s.packageFailed(e.Package, p)
		delete(s.packages, e.Package)
	case "skip":
		delete(s.packages, e.Package)
	}
}

// packageFailed counts the tests that were still running when the package's process ended, a dead process where no test was to
// blame, and prints what the package wrote outside its tests in both cases.
func (s *summarizer) packageFailed(name string, p *pack) {
	running := make([]string, 0, len(p.running))
	for n := range p.running {
		running = append(running, n)
	}
	// Children before their parents, which are then not counted a second time.
	sort.Sort(sort.Reverse(sort.StringSlice(running)))
	for _, n := range running {
		t := p.running[n]
		delete(p.running, n)
		s.print(fmt.Sprintf("--- FAIL: %s did not finish\n", n))
		s.fail(p, n, t)
	}
	if p.failed > 0 && len(running) == 0 {
		s.print(resultLine(p.output.String(), "FAIL\t"))
		return
	}
	s.print(p.output.String())
	if p.failed == 0 {
		s.totals.failed++
	}
	if resultLine(p.output.String(), "FAIL\t") == "" {
		s.print(fmt.Sprintf("FAIL\t%s\n", name))
	}
}

// abandoned counts the packages of which no end was reported, because the test run itself was ended.
func (s *summarizer) abandoned() {
	names := make([]string, 0, len(s.packages))
	for name := range s.packages {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		s.packageFailed(name, s.packages[name])
	}
}

func (s *summarizer) pack(name string) *pack {
	p := s.packages[name]
	if p == nil {
		p = &pack{running: map[string]*test{}}
		s.packages[name] = p
	}
	return p
}

func (s *summarizer) build(importPath string) *strings.Builder {
	b := s.builds[importPath]
	if b == nil {
		b = &strings.Builder{}
		s.builds[importPath] = b
	}
	return b
}

func (s *summarizer) print(text string) {
	_, _ = io.WriteString(s.out, text)
}

// parentOf returns the test that name is a subtest of, or nil. A subtest's own name may hold slashes, so that the nearest running
// ancestor is taken.
func (p *pack) parentOf(name string) *test {
	for i := strings.LastIndexByte(name, '/'); i >= 0; i = strings.LastIndexByte(name[:i], '/') {
		if t := p.running[name[:i]]; t != nil {
			return t
		}
	}
	return nil
}

// resultLine is the line with which go test closes a package: "ok  <package> <time>" or "FAIL <package> <time>".
func resultLine(output, prefix string) string {
	for _, line := range strings.SplitAfter(output, "\n") {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}
