// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package validation

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

// kubectl runs kubectl as a user would and returns what it prints.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := runKubectl(t, args...)
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func runKubectl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), apiServer.kubectl, append([]string{"--kubeconfig", apiServer.kubeconfig}, args...)...)
	out, err := command.CombinedOutput()
	return string(out), err
}

// reconciled is a status as the operator leaves it.
func reconciled() tweak {
	ready := map[string]any{
		"type": "Ready", "status": "True", "reason": "Registered", "message": "the endpoint matches the spec",
		"lastTransitionTime": time.Date(2026, 4, 25, 14, 30, 0, 0, time.UTC).Format(time.RFC3339),
	}
	return set("status", map[string]any{
		"observedGeneration": 1, "endpointID": "wh_1", "endpoint": map[string]any{"status": "active"},
		"signingSecret": map[string]any{"name": "hook-signing-secret"}, "conditions": []any{ready},
	})
}

func TestKubectlGetPrintsTheColumnsThatAPersonNeeds(t *testing.T) {
	m := newManifest(t, set("spec.events", []any{"*"}))
	if _, err := replaceStatus(t, mustCreate(t, m), reconciled()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want [][2]string
	}{
		{"narrow", nil, [][2]string{
			{"NAME", m.name()}, {"READY", "True"}, {"REASON", "Registered"}, {"ENDPOINT", "active"}, {"URL", "https://api.example.com/medblocks/webhook"}, {"AGE", ""},
		}},
		{"wide", []string{"-o", "wide"}, [][2]string{
			{"NAME", m.name()}, {"READY", "True"}, {"REASON", "Registered"}, {"ENDPOINT", "active"}, {"URL", "https://api.example.com/medblocks/webhook"}, {"AGE", ""},
			{"ENDPOINT ID", "wh_1"}, {"EVENTS", `["*"]`}, {"SECRET", "hook-signing-secret"}, {"MESSAGE", "the endpoint matches the spec"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := kubectl(t, append([]string{"get", "mwe", m.name()}, c.args...)...)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			if len(lines) != 2 {
				t.Fatalf("want a header and a row:\n%s", out)
			}
			header, row := columns(lines[0]), columns(lines[1])
			if len(header) != len(c.want) || len(row) != len(c.want) {
				t.Fatalf("want %d columns:\n%s", len(c.want), out)
			}
			for i, want := range c.want {
				if header[i] != want[0] || (want[1] != "" && row[i] != want[1]) {
					t.Errorf("column %d is %s=%s, want %s=%s", i, header[i], row[i], want[0], want[1])
				}
			}
		})
	}
}

// columns splits a line of kubectl's table; its columns are three spaces apart.
func columns(line string) []string {
	var list []string
	for _, column := range strings.Split(strings.TrimSpace(line), "   ") {
		if column = strings.TrimSpace(column); column != "" {
			list = append(list, column)
		}
	}
	return list
}

func TestAllNamesOfTheResourceWork(t *testing.T) {
	m := newManifest(t)
	mustCreate(t, m)
	for _, name := range []string{"mwe", "medblockswebhookendpoint", "medblockswebhookendpoints", "medblockswebhookendpoints.connect.medblocks.com"} {
		if out := kubectl(t, "get", name, m.name(), "-o", "name"); strings.TrimSpace(out) != "medblockswebhookendpoint.connect.medblocks.com/"+m.name() {
			t.Errorf("kubectl get %s prints %q", name, out)
		}
	}
	if out := kubectl(t, "get", "medblocks", "-o", "name"); !strings.Contains(out, "/"+m.name()+"\n") {
		t.Errorf("the category medblocks does not list %s:\n%s", m.name(), out)
	}
}

// explain waits until the API server publishes the schema, which it does some time after the CRD is served.
func explain(t *testing.T, path string) string {
	t.Helper()
	var out string
	NewWithT(t).Eventually(func(g Gomega) {
		var err error
		out, err = runKubectl(t, "explain", path)
		g.Expect(err).NotTo(HaveOccurred(), out)
		g.Expect(out).To(ContainSubstring("FIELDS:"))
	}).WithTimeout(time.Minute).WithPolling(200 * time.Millisecond).Should(Succeed())
	return out
}

func TestKubectlExplainBreaksNoLineInTheMiddleOfASentence(t *testing.T) {
	for _, path := range []string{
		"mwe.spec", "mwe.spec.apiKeySecretRef", "mwe.spec.signingSecret", "mwe.spec.signingSecret.rotation", "mwe.spec.adopt",
		"mwe.spec.adopt.existingSecretRef", "mwe.spec.deliveryMonitoring", "mwe.spec.reenablePolicy", "mwe.spec.reenablePolicy.backoff",
		"mwe.spec.reenablePolicy.probe", "mwe.spec.reenablePolicy.probe.serviceRef", "mwe.spec.reenablePolicy.redelivery", "mwe.status",
		"mwe.status.endpoint", "mwe.status.disabled", "mwe.status.reenable", "mwe.status.signingSecret", "mwe.status.redelivery", "mwe.status.history",
		"mwe.spec.accountRef", "mba.spec", "mba.spec.apiKeySecretRef", "mba.spec.namespaceSelector", "mba.spec.namespaceSelector.matchExpressions",
		"mba.spec.orphans", "mba.status", "mba.status.endpoints", "mba.status.orphans",
	} {
		out := explain(t, path)
		if line, next := raggedLine(out); line != "" {
			t.Errorf("%s: the line %q is broken although %q still fits: wrap the comment at 76 characters", path, line, next)
		}
	}
}

// raggedLine finds a line of text that ends although the first word of the next line would have fitted: kubectl wraps
// text at 80 columns and also keeps the line breaks of the comment.
func raggedLine(out string) (line, nextWord string) {
	lines := strings.Split(out, "\n")
	for i := range len(lines) - 1 {
		words := strings.Fields(lines[i+1])
		if !isText(lines[i]) || !isText(lines[i+1]) || strings.HasSuffix(lines[i], ".") {
			continue
		}
		if len(lines[i])+1+len(words[0]) < 80 {
			return lines[i], words[0]
		}
	}
	return "", ""
}

// isText tells a line of a description from the name, type and values of a field.
func isText(line string) bool {
	return strings.HasPrefix(line, "    ") && strings.TrimSpace(line) != ""
}

func TestKubectlExplainOfTheReenablePolicyNamesEveryFieldAndDefault(t *testing.T) {
	out := strings.Join(strings.Fields(explain(t, "mwe.spec.reenablePolicy")), " ")
	for _, want := range []string{
		"backoff <Object>", "maxAttempts <integer>", "mode <string> enum: Never, WhenHealthy, Always", "probe <Object>", "redelivery <Object>", "window <string>",
		"Never (default:", "Default: 5.", "Default: 168h.", "Default: GET spec.url", "Default: mode None.", "An endpoint that a person disabled is never re-enabled by policy.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("kubectl explain does not say %q:\n%s", want, out)
		}
	}
}
