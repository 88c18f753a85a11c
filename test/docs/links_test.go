// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

var (
	inlineLink = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`^#{1,6} +(.+?) *#*$`)
	anchorTag  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	codeSpan   = regexp.MustCompile("`[^`]*`")
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	notInSlug  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	g := NewWithT(t)
	paths, err := findPages(root)
	g.Expect(err).NotTo(HaveOccurred())
	links := 0
	for _, path := range paths {
		for _, link := range linksOf(t, path) {
			links++
			if err := follow(path, link); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	g.Expect(links).To(BeNumerically(">", 100))
}

// prose is a page without its blocks.
func prose(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	fence := ""
	for line := range strings.Lines(string(content)) {
		switch opening := strings.TrimSpace(line); {
		case fence == "" && strings.HasPrefix(opening, "```"):
			fence, _ = cutFence(opening)
		case fence != "" && opening == fence:
			fence = ""
		case fence == "":
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	return lines
}

// linksOf are the targets of a page's links to something of the repository.
func linksOf(t *testing.T, path string) []string {
	t.Helper()
	var links []string
	for _, line := range prose(t, path) {
		// Code may hold brackets, and be the text of a link, but holds no link.
		line = codeSpan.ReplaceAllString(line, "code")
		for _, found := range inlineLink.FindAllStringSubmatch(line, -1) {
			if !strings.Contains(found[1], "://") && !strings.HasPrefix(found[1], "mailto:") {
				links = append(links, found[1])
			}
		}
	}
	return links
}

// follow returns an error when there is nothing where a link of a page leads to.
func follow(page, link string) error {
	path, anchor, hasAnchor := strings.Cut(link, "#")
	target := page
	if path != "" {
		target = filepath.Join(filepath.Dir(page), path)
	}
	if _, err := os.Stat(filepath.Join(root, target)); err != nil {
		return fmt.Errorf("(%s) leads to nothing", link)
	}
	if !hasAnchor || filepath.Ext(target) != ".md" {
		return nil
	}
	content, err := os.ReadFile(filepath.Join(root, target))
	if err != nil {
		return err
	}
	if !anchorsOf(string(content))[anchor] {
		return fmt.Errorf("(%s): there is no such heading", link)
	}
	return nil
}

// anchorsOf are the names under which the headings of a page are found, as GitHub makes them.
func anchorsOf(content string) map[string]bool {
	anchors := map[string]bool{}
	fence := ""
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, "\n")
		switch opening := strings.TrimSpace(line); {
		case fence == "" && strings.HasPrefix(opening, "```"):
			fence, _ = cutFence(opening)
			continue
		case fence != "":
			if opening == fence {
				fence = ""
			}
			continue
		}
		for _, tag := range anchorTag.FindAllStringSubmatch(line, -1) {
			anchors[tag[1]] = true
		}
		if found := heading.FindStringSubmatch(line); found != nil {
			addAnchor(anchors, found[1])
		}
	}
	return anchors
}

func addAnchor(anchors map[string]bool, title string) {
	title = strings.ReplaceAll(linkText.ReplaceAllString(title, "$1"), "`", "")
	name := strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
	unique := name
	for i := 1; anchors[unique]; i++ {
		unique = name + "-" + strconv.Itoa(i)
	}
	anchors[unique] = true
}

func TestHeadingsAreFoundUnderTheNamesThatGitHubGivesThem(t *testing.T) {
	g := NewWithT(t)
	page := "# The `spec`, and [more](x.md)\n## Twice\n## Twice\n```sh\n# a comment\n```\n<a id=\"own\"></a>\n"
	g.Expect(anchorsOf(page)).To(Equal(map[string]bool{"the-spec-and-more": true, "twice": true, "twice-1": true, "own": true}))
}
