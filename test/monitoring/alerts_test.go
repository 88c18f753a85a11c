// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// labelsOf names an instance by its labels, without those that all have.
func labelsOf(is *instance) string {
	own := maps.Clone(is.labels)
	delete(own, "alertname")
	delete(own, "severity")
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(own)) {
		parts = append(parts, name+"="+own[name])
	}
	return strings.Join(parts, ",")
}

func TestAlertsTellTheStory(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.alert+" "+s.name, func(t *testing.T) {
			stored, follows := told(t, s.series...), watching(alert(t, s.alert))
			last := s.expected[len(s.expected)-1].after
			next := s.expected
			for after := time.Duration(0); after <= last; after += interval {
				if err := follows.evaluate(t.Context(), stored, start.Add(after)); err != nil {
					t.Fatal(err)
				}
				if after == next[0].after {
					expectFiring(t, follows, next[0])
					next = next[1:]
				}
			}
			if len(next) > 0 {
				t.Fatalf("%v is between two evaluations", next[0].after)
			}
		})
	}
}

func expectFiring(t *testing.T, follows *watch, expected at) {
	t.Helper()
	var firing []string
	for _, is := range follows.firing() {
		firing = append(firing, labelsOf(is))
		expectReadable(t, follows, is)
	}
	if !slices.Equal(firing, expected.firing) {
		t.Errorf("after %v: firing is %q, expected %q", expected.after, firing, expected.firing)
	}
}

// expectReadable looks at what a person gets to read: whole sentences that name what the alert is about.
func expectReadable(t *testing.T, follows *watch, is *instance) {
	t.Helper()
	for _, annotation := range []string{"summary", "description", "runbook_url"} {
		text, err := follows.text(t.Context(), is, annotation)
		if err != nil || text == "" || strings.Contains(text, "<no value>") || strings.Contains(text, "{{") || strings.Contains(text, " /") {
			t.Errorf("%s of %s: %q, %v", annotation, follows.rule.Alert, text, err)
		}
		if annotation != "description" {
			continue
		}
		for _, label := range []string{"namespace", "name", "account", "reason", "kind"} {
			if value := is.labels[label]; value != "" && !strings.Contains(text, value) {
				t.Errorf("the description of %s does not name %s: %q", follows.rule.Alert, value, text)
			}
		}
	}
}

func TestEveryAlertHasStoriesInWhichItFiresAndInWhichItDoesNot(t *testing.T) {
	fires, rests := map[string]bool{}, map[string]bool{}
	for _, s := range stories() {
		fired := false
		for _, expected := range s.expected {
			fired = fired || len(expected.firing) > 0
		}
		if fired {
			fires[s.alert] = true
		} else {
			rests[s.alert] = true
		}
	}
	for _, rule := range alerts(t) {
		if !fires[rule.Alert] || !rests[rule.Alert] {
			t.Errorf("%s: a story in which it fires: %t; in which it never does: %t", rule.Alert, fires[rule.Alert], rests[rule.Alert])
		}
	}
}

const runbooks = "https://github.com/medblocks/webhook-operator/blob/main/docs/runbooks/"

func TestEveryAlertHasASeverityAndARunbookOfItsName(t *testing.T) {
	names := map[string]bool{}
	for _, rule := range alerts(t) {
		names[rule.Alert+".md"] = true
		switch rule.Labels["severity"] {
		case "critical", "warning", "info":
		default:
			t.Errorf("%s has the severity %q", rule.Alert, rule.Labels["severity"])
		}
		if url := rule.Annotations["runbook_url"]; url != runbooks+rule.Alert+".md" {
			t.Errorf("%s has the runbook %q", rule.Alert, url)
		}
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s has no summary or no description", rule.Alert)
		}
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "runbooks", rule.Alert+".md")); err != nil {
			t.Error(err)
		}
	}
	pages, err := filepath.Glob("../../docs/runbooks/Medblocks*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("no runbooks", err)
	}
	for _, page := range pages {
		if !names[filepath.Base(page)] {
			t.Errorf("%s is about an alert that does not exist", page)
		}
	}
}
