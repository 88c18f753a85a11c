// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// The pages name tests and files as proof of what they say. These tests keep the names true as the source changes; whether a test
// notices what it is said to guard is what `make mutants` is for.

const root = "../.."

var (
	// testName is the name of a test, wherever it stands: Test and Fuzz are followed by an upper-case letter.
	testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`)
	// inFolder is a folder before the tests that are in it: `suite`: `TestX`, `TestY`.
	inFolder = regexp.MustCompile("`([a-z0-9./]+)`:")
	// goFile is a Go file, with or without its folder; what has another ending after that is none.
	goFile = regexp.MustCompile(`[\w./]*\w\.go\b(?:\.\w+)?`)
)

// filesOf lists the files below the project's root that have this ending, without what is built or fetched.
func filesOf(t *testing.T, ending string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "bin" || entry.Name() == ".git"):
			return fs.SkipDir
		case strings.HasSuffix(file, ending):
			relative, err := filepath.Rel(root, file)
			files = append(files, filepath.ToSlash(relative))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// testsByFolder are the names of all tests, by the folder that they are in.
func testsByFolder(t *testing.T) map[string][]string {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w+)\(`)
	tests := map[string][]string{}
	for _, file := range filesOf(t, "_test.go") {
		for _, match := range declared.FindAllStringSubmatch(read(t, file), -1) {
			tests[path.Dir(file)] = append(tests[path.Dir(file)], match[1])
		}
	}
	return tests
}

// mention is a test that a page names, and the folder that it is said to be in; empty: none is named.
type mention struct{ folder, test string }

// mentionsIn finds the tests that a cell of a table, or a line of text, names. A folder counts for all tests after it.
func mentionsIn(text string) []mention {
	var found []mention
	folder := ""
	for len(text) > 0 {
		at, name := inFolder.FindStringSubmatchIndex(text), testName.FindStringIndex(text)
		switch {
		case name == nil:
			return found
		case len(at) > 0 && at[0] < name[0]:
			folder, text = text[at[2]:at[3]], text[at[1]:]
		default:
			found = append(found, mention{folder, text[name[0]:name[1]]})
			text = text[name[1]:]
		}
	}
	return found
}

// has tells whether a test exists where it is said to be: in a folder of the root, or of test/, or anywhere.
func has(tests map[string][]string, m mention) bool {
	if m.folder == "" {
		return slices.Contains(slices.Concat(slices.Collect(maps.Values(tests))...), m.test)
	}
	return slices.Contains(tests[m.folder], m.test) || slices.Contains(tests["test/"+m.folder], m.test)
}

func TestEveryTestThatAPageNamesExistsWhereItIsSaidToBe(t *testing.T) {
	g := NewWithT(t)
	tests := testsByFolder(t)
	named := map[string]int{}
	for _, page := range filesOf(t, ".md") {
		for _, line := range strings.Split(read(t, page), "\n") {
			for _, cell := range strings.Split(line, "|") {
				for _, m := range mentionsIn(cell) {
					named[page]++
					g.Expect(has(tests, m)).To(BeTrue(), "%s names %s (folder %q)", page, m.test, m.folder)
				}
			}
		}
	}
	for _, page := range []string{"docs/reliability.md", "docs/security-model.md"} {
		g.Expect(named[page]).To(BeNumerically(">", 30), "%s names tests", page)
	}
}

func TestATestThatDoesNotExistOrIsElsewhereIsNoticed(t *testing.T) {
	g := NewWithT(t)
	tests := map[string][]string{"test/suite": {"TestOne"}, "controllers/probe": {"TestTwo", "FuzzThree"}}
	for text, want := range map[string][]bool{
		"`suite`: `TestOne`; `controllers/probe`: `TestTwo`, `FuzzThree`": {true, true, true},
		"`suite`: `TestTwo`":                     {false},
		"`TestTwo`, and `go test -run TestFour`": {true, false},
		"`suite`: all scenarios; tests, Test":    nil,
	} {
		var is []bool
		for _, m := range mentionsIn(text) {
			is = append(is, has(tests, m))
		}
		g.Expect(is).To(Equal(want), text)
	}
}

func TestEveryThreatIsAnsweredByATest(t *testing.T) {
	g := NewWithT(t)
	_, threats, found := strings.Cut(read(t, "docs/security-model.md"), "\n## Threats\n")
	g.Expect(found).To(BeTrue())
	threats, _, _ = strings.Cut(threats, "\n## ")
	rows := 0
	for _, line := range strings.Split(threats, "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| the threat |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		g.Expect(cells).To(HaveLen(4), line)
		g.Expect(mentionsIn(cells[3])).NotTo(BeEmpty(), line)
	}
	g.Expect(rows).To(BeNumerically(">=", 20))
}

func TestEveryGoFileThatAPageNamesExists(t *testing.T) {
	g := NewWithT(t)
	sources := filesOf(t, ".go")
	for _, page := range filesOf(t, ".md") {
		for _, name := range goFile.FindAllString(read(t, page), -1) {
			if !strings.HasSuffix(name, ".go") {
				continue
			}
			exists := slices.ContainsFunc(sources, func(file string) bool {
				return file == name || path.Base(file) == name || strings.HasSuffix(file, "/"+strings.TrimLeft(name, "./"))
			})
			g.Expect(exists).To(BeTrue(), "%s names %s", page, name)
		}
	}
}
