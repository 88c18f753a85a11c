// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
)

// volatile is what differs from run to run: ids, times, ages, hashes, generated names. The order matters: what contains the others
// comes first.
var volatile = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`\b(wh|evt|req|whsec)_[A-Za-z0-9]+`), "ID"},
	{regexp.MustCompile(`\bmb_sk_(sbx|live)_[\w-]+…?`), "KEY"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "UID"},
	{regexp.MustCompile(`<(unknown|invalid)>`), "AGE"},
	{regexp.MustCompile(`\b(\d+(\.\d+)?(ms|s|m|h|d))+(\s+\(x\d+ over (\d+(ms|s|m|h|d))+\))?\b`), "AGE"},
	{regexp.MustCompile(`\b[0-9a-f]{16,}\b`), "HASH"},
	{regexp.MustCompile(`(127\.0\.0\.1|localhost):\d+`), "LOOPBACK"},
}

// plain makes text comparable: without what differs from run to run, and without white space and the edges of trees, in which tables and
// wrapped lines differ.
func plain(text string) string {
	text = strings.ReplaceAll(text, "│", " ")
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.name)
	}
	return strings.Join(strings.Fields(text), "")
}

// matches returns an error that names the first line of what a page shows which the output lacks. Lines may be missing from the
// page; those that are there must come in their order. An ellipsis stands for anything.
func matches(expected, actual string) error {
	rest := plain(actual)
	for line := range strings.SplitSeq(strings.TrimSpace(expected), "\n") {
		for part := range strings.SplitSeq(line, "…") {
			wanted := plain(part)
			_, after, found := strings.Cut(rest, wanted)
			if !found {
				return fmt.Errorf("the page shows\n  %s\nwhich is not in the output, or not in this order:\n%s", line, indent(actual))
			}
			rest = after
		}
	}
	return nil
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}

func TestOutputsAreComparedWithoutWhatDiffersFromRunToRun(t *testing.T) {
	g := NewWithT(t)
	shown := "NAME   READY   ENDPOINT   AGE\nflows  True    active     4s\n"
	g.Expect(matches(shown, "NAME       READY   ENDPOINT    AGE\nflows      True    active      1m10s\n")).To(Succeed())
	g.Expect(matches(shown, "NAME READY ENDPOINT AGE\nother False disabled 2s\nflows True active 1s\n")).To(Succeed(), "more rows")
	g.Expect(matches(shown, "NAME READY ENDPOINT AGE\nflows False active 1s\n")).To(MatchError(ContainSubstring("flows  True")))
	g.Expect(matches(shown, "NAME READY AGE\nflows True 1s\n")).NotTo(Succeed(), "another column")

	tree := "├── Enabled: False (for 3m)\n│   disabled 3m ago, and what\n│   follows\n└── History"
	g.Expect(matches(tree, "├── Enabled: False (for 12m)\n│   disabled 12m ago, and\n│   what follows\n└── History")).To(Succeed(), "wrapped elsewhere")
	g.Expect(matches(tree, "├── Enabled: False (for 12m)\n│   disabled 12m ago, and\n│   what else\n└── History")).NotTo(Succeed())

	wrapped := "{\"id\":\"wh_01A\",\"status\":\"active\",\n \"created_at\":\"2026-11-23T22:24:22.215Z\", … \"metadata\":{}}"
	g.Expect(matches(wrapped, `{"id":"wh_02B","status":"active","created_at":"2027-01-02T03:04:05Z","x":1,"metadata":{}}`)).To(Succeed())
	g.Expect(matches(wrapped, `{"id":"wh_02B","status":"disabled","created_at":"2027-01-02T03:04:05Z","metadata":{}}`)).NotTo(Succeed())
}
