// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

func TestTheIndexNamesEveryPage(t *testing.T) {
	g := NewWithT(t)
	paths, err := findPages(root)
	g.Expect(err).NotTo(HaveOccurred())
	named := map[string]bool{}
	for _, link := range linksOf(t, "docs/README.md") {
		target, _, _ := strings.Cut(link, "#")
		named[path.Join("docs", target)] = true
	}
	for _, page := range paths {
		// Runbooks are opened from alerts, and have a page that lists them.
		if page == "docs/README.md" || !strings.HasPrefix(page, "docs/") || strings.HasPrefix(page, "docs/runbooks/") {
			continue
		}
		g.Expect(named[filepath.ToSlash(page)]).To(BeTrue(), "docs/README.md has no link to %s", page)
	}
}
