// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// page is a Markdown file, as far as its blocks go.
type page struct {
	path   string // from the root of the repository, with slashes
	blocks []block
	// ownCluster and serial are the wishes at the page's top.
	ownCluster, serial bool
}

// block is a fenced block, or commands in a comment.
type block struct {
	line     int    // of the fence, or where the comment begins
	language string // hidden for commands in a comment
	text     string
	marks    map[string]string // the comments right before it, by what stands before the colon
}

// hidden is the language of commands that stand in a comment.
const hidden = "hidden"

// languages are those that a fence may name. A new one needs somebody who tries its blocks.
var languages = []string{"sh", "console", "yaml", "json", "go", "text", "promql", "lua", "hcl", "mermaid"}

// readPage reads a file of the repository.
func readPage(root, path string) (*page, error) {
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return nil, err
	}
	return parsePage(path, string(content))
}

// parsePage finds the blocks of a page and the comments that are about them.
func parsePage(path, content string) (*page, error) {
	p := &page{path: path}
	r := &reader{page: p, lines: strings.Split(content, "\n"), marks: map[string]string{}}
	for r.next < len(r.lines) {
		if err := r.take(); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, r.next+1, err)
		}
	}
	if len(r.marks) > 0 {
		return nil, fmt.Errorf("%s: the last comments %v have no block after them", path, r.marks)
	}
	return p, nil
}

// reader goes through the lines of a page.
type reader struct {
	page  *page
	lines []string
	next  int
	marks map[string]string // of the comments since the last block
}

func (r *reader) take() error {
	line := strings.TrimSpace(r.lines[r.next])
	switch {
	case strings.HasPrefix(line, "```"):
		return r.takeBlock()
	case strings.HasPrefix(line, "<!--"):
		return r.takeComment()
	case line != "" && len(r.marks) > 0:
		return fmt.Errorf("a comment (%v) that is about the next block has text after it", r.marks)
	}
	r.next++
	return nil
}

func (r *reader) takeBlock() error {
	opening := r.lines[r.next]
	indent := opening[:len(opening)-len(strings.TrimLeft(opening, " "))]
	fence, language := cutFence(strings.TrimSpace(opening))
	if !slices.Contains(languages, language) {
		return fmt.Errorf("a block's language is %q, and not one of %v", language, languages)
	}
	b := block{line: r.next + 1, language: language, marks: r.marks}
	for i := r.next + 1; i < len(r.lines); i++ {
		if strings.TrimSpace(r.lines[i]) == fence {
			b.text = text(r.lines[r.next+1:i], indent)
			r.page.blocks = append(r.page.blocks, b)
			r.next, r.marks = i+1, map[string]string{}
			return nil
		}
	}
	return fmt.Errorf("the block is never closed")
}

// cutFence splits what opens a block: a fence may be longer than three, so that a block can show a block.
func cutFence(opening string) (fence, language string) {
	language = strings.TrimLeft(opening, "`")
	return opening[:len(opening)-len(language)], strings.TrimSpace(language)
}

// text joins the lines of a block, without the indentation that it has as part of a list.
func text(lines []string, indent string) string {
	var all strings.Builder
	for _, line := range lines {
		all.WriteString(strings.TrimPrefix(line, indent) + "\n")
	}
	return all.String()
}

func (r *reader) takeComment() error {
	begin := r.next
	for !strings.Contains(r.lines[r.next], "-->") {
		if r.next++; r.next == len(r.lines) {
			r.next = begin
			return fmt.Errorf("the comment is never closed")
		}
	}
	r.next++
	comment := strings.Join(r.lines[begin:r.next], "\n")
	comment, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(comment), "<!--"), "-->")
	word, value, found := strings.Cut(strings.TrimSpace(comment), ":")
	if strings.TrimSpace(rest) != "" || !found && word != "applied" {
		return nil // it is for people
	}
	return r.heed(word, strings.TrimSpace(value), begin+1)
}

// heed does what a comment asks for.
func (r *reader) heed(word, value string, line int) error {
	switch word {
	case "run":
		r.page.blocks = append(r.page.blocks, block{line: line, language: hidden, text: value + "\n"})
	case "test":
		switch value {
		case "own cluster":
			r.page.ownCluster = true
		case "serial":
			r.page.serial = true
		default:
			return fmt.Errorf("test: %q is not known; there are %q and %q", value, "own cluster", "serial")
		}
	case "not run", "in", "file", "go", "applied":
		r.marks[word] = value
	}
	return nil
}

// findPages returns the paths of all Markdown files of the repository, but those of tests and of what was built.
func findPages(root string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (path == filepath.Join(root, "bin") || entry.Name() == "testdata" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			found = append(found, filepath.ToSlash(relative))
		}
		return nil
	})
	return found, err
}
