// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

const (
	argocd      = "../../config/argocd"
	ofEndpoints = v1alpha1.Group + "/" + v1alpha1.Kind
	ofAccounts  = v1alpha1.Group + "/" + v1alpha1.AccountKind
)

// live is the object as the API server has it.
func live(t testing.TB, reader client.Reader, kind string, key client.ObjectKey) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	NewWithT(t).Expect(reader.Get(t.Context(), key, object)).To(Succeed())
	return object
}

// particular is what differs from run to run, and what stands for it in a file.
var particular = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "2026-04-25T14:30:00Z"},
	{regexp.MustCompile(`wh_[0-9A-Z]{26}`), "wh_01J9YR9N3X4VZ6P2K5RH7M3LMP"},
	{regexp.MustCompile(`evt_[0-9A-Z]{26}`), "evt_01J9YR9N3X4VZ6P2K5RH7M3LMP"},
	{regexp.MustCompile(`v1:[0-9a-f]{32}`), "v1:00000000000000000000000000000000"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "00000000-0000-4000-8000-000000000000"},
	{regexp.MustCompile(`\b[A-Z2-7]{26}\b`), "AAAAAAAAAAAAAAAAAAAAAAAAAA"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "https://api.example.com"},
	{regexp.MustCompile(`resourceVersion: "\d+"`), `resourceVersion: "1000"`},
}

// text is the object as a file: without what only the API server needs, and with what is particular to this run replaced.
func text(t testing.TB, object *unstructured.Unstructured, replace ...string) string {
	t.Helper()
	object = object.DeepCopy()
	object.SetManagedFields(nil)
	content, err := yaml.Marshal(object.Object)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	out := strings.NewReplacer(replace...).Replace(string(content))
	for _, p := range particular {
		out = p.pattern.ReplaceAllString(out, p.as)
	}
	return out
}

func parse(t testing.TB, content string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	NewWithT(t).Expect(yaml.Unmarshal([]byte(content), &object.Object)).To(Succeed())
	return object
}

// readTestdata reads an object as the tests of Argo CD do.
func readTestdata(t testing.TB, path string) *unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(path)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return parse(t, string(content))
}

// expectInTestdata expects that the operator still writes the status of that name: the same conditions, down to their words.
func expectInTestdata(t testing.TB, kind, name, content string) {
	t.Helper()
	path := filepath.Join(argocd, kind, "testdata", name+".yaml")
	if *update {
		NewWithT(t).Expect(os.WriteFile(path, []byte(content), 0o644)).To(Succeed())
	}
	NewWithT(t).Expect(essence(t, readTestdata(t, path))).To(Equal(essence(t, parse(t, content))), "%s: see doc.go for how to write it anew", path)
}

// essence is what health checks look at.
func essence(t testing.TB, object *unstructured.Unstructured) map[string]any {
	t.Helper()
	conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	seen, _, err := unstructured.NestedFieldNoCopy(object.Object, "status", "observedGeneration")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	generation, _, err := unstructured.NestedFieldNoCopy(object.Object, "metadata", "generation")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	found := map[string]any{"generation": generation, "observed": seen, "deleted": object.GetDeletionTimestamp() != nil, "spec": object.Object["spec"]}
	for _, one := range conditions {
		condition, ok := one.(map[string]any)
		NewWithT(t).Expect(ok).To(BeTrue())
		delete(condition, "lastTransitionTime")
		kind, ok := condition["type"].(string)
		NewWithT(t).Expect(ok).To(BeTrue())
		found[kind] = condition
	}
	return found
}

// named are the particulars of a world.
func named(w *lab.World) []string { return []string{w.Namespace, "team-a"} }
