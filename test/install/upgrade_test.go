// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

const firstRelease = "testdata/v0.1.0"

// startEmpty starts a control plane with the CustomResourceDefinitions of a folder, which may be missing.
func startEmpty(t *testing.T, crds string) *plane {
	t.Helper()
	g := NewWithT(t)
	dir, err := filepath.Abs(crds)
	g.Expect(err).NotTo(HaveOccurred())
	started, err := startPlane(t.Context(), controlplane.Options{CRDDirectory: dir})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(started.Stop()).To(Succeed()) })
	return started
}

// oldResources are those of the first release.
func oldResources(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(firstRelease + "/resources.yaml")
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return parse(t, string(content))
}

// store creates the resources of the first release with their status, and returns what is stored.
func (p *plane) store(t *testing.T, team string) []*unstructured.Unstructured {
	t.Helper()
	g := NewWithT(t)
	g.Expect(p.api.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: team}})).To(Succeed())
	resources := oldResources(t)
	for _, resource := range resources {
		status, hasStatus := resource.Object["status"]
		if resource.GetKind() == "MedblocksWebhookEndpoint" {
			resource.SetNamespace(team)
		}
		g.Expect(p.api.Create(t.Context(), resource)).To(Succeed(), key(resource))
		if hasStatus {
			resource.Object["status"] = status
			g.Expect(p.api.Status().Update(t.Context(), resource)).To(Succeed(), key(resource))
			g.Expect(resource.Object["status"]).To(Equal(status), "nothing of %s is pruned", key(resource))
		}
	}
	return resources
}

func TestTheResourcesOfTheFirstReleaseHaveEveryFieldThatItKnew(t *testing.T) {
	g := NewWithT(t)
	crds, err := filepath.Glob(firstRelease + "/crds/*.yaml")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(crds).To(HaveLen(2))
	used := map[string]bool{}
	for _, resource := range oldResources(t) {
		fieldsOf(resource.GetKind(), resource.Object, used)
	}
	for _, path := range crds {
		content, err := os.ReadFile(path)
		g.Expect(err).NotTo(HaveOccurred())
		crd := parse(t, string(content))[0]
		kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		schema, _, _ := unstructured.NestedMap(versions[0].(map[string]any), "schema", "openAPIV3Schema")
		for _, field := range propertiesOf(kind, schema) {
			if !used[field] {
				t.Errorf("no resource of the first release has %s", field)
			}
		}
	}
}

// fieldsOf notes the fields that a value has, by their paths.
func fieldsOf(path string, value any, used map[string]bool) {
	used[path] = true
	switch value := value.(type) {
	case map[string]any:
		for name, nested := range value {
			fieldsOf(path+"."+name, nested, used)
		}
	case []any:
		for _, item := range value {
			fieldsOf(path, item, used)
		}
	}
}

// propertiesOf lists the fields that a schema has, by their paths.
func propertiesOf(path string, schema map[string]any) []string {
	fields := []string{path}
	if properties, ok := schema["properties"].(map[string]any); ok {
		for name, property := range properties {
			fields = append(fields, propertiesOf(path+"."+name, property.(map[string]any))...)
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		fields = append(fields, propertiesOf(path, items)...)
	}
	return fields
}

// TestWhatTheFirstReleaseStoredIsStillValid: the new definitions come as those of the chart do.
func TestWhatTheFirstReleaseStoredIsStillValid(t *testing.T) {
	g := NewWithT(t)
	p := startEmpty(t, firstRelease+"/crds")
	before := p.store(t, "team")
	t.Log("helm install takes the definitions over, as docs/install.md says, and brings those of today.")
	_, err := helm(t, p.AdminKubeconfig(), "install", release, chart, "--namespace", namespace, "--take-ownership")
	g.Expect(err).NotTo(HaveOccurred())
	p.untilTodaysDefinitionsAreServed(t)

	for _, old := range before {
		current := &unstructured.Unstructured{}
		current.SetGroupVersionKind(old.GroupVersionKind())
		g.Expect(p.api.Get(t.Context(), client.ObjectKeyFromObject(old), current)).To(Succeed())
		g.Expect(current.Object).To(Equal(old.Object), "stored as it was")

		changed := current.DeepCopy()
		changed.SetLabels(map[string]string{"example.com/changed": "yes"})
		g.Expect(p.api.Update(t.Context(), changed, client.DryRunAll)).To(Succeed(), key(old))
		g.Expect(p.api.Status().Update(t.Context(), current.DeepCopy(), client.DryRunAll)).To(Succeed(), key(old))
		g.Expect(p.api.Create(t.Context(), anew(old), client.DryRunAll)).To(Succeed(), "and could be declared today: %s", key(old))
	}
	g.Expect(p.api.List(t.Context(), &v1alpha1.MedblocksWebhookEndpointList{})).To(Succeed(), "the operator reads it")
	g.Expect(p.api.List(t.Context(), &v1alpha1.MedblocksAccountList{})).To(Succeed())
}

// anew is a resource as a person would declare it under another name.
func anew(old *unstructured.Unstructured) *unstructured.Unstructured {
	declared := &unstructured.Unstructured{Object: map[string]any{"spec": old.DeepCopy().Object["spec"]}}
	declared.SetGroupVersionKind(old.GroupVersionKind())
	declared.SetNamespace(old.GetNamespace())
	declared.SetName("another")
	return declared
}

// untilTodaysDefinitionsAreServed waits for the schema that the API server publishes; it checks by the same one.
func (p *plane) untilTodaysDefinitionsAreServed(t *testing.T) {
	t.Helper()
	g := NewWithT(t)
	for _, plural := range []string{"medblockswebhookendpoints", "medblocksaccounts"} {
		content, err := os.ReadFile(root + "/config/crd/bases/connect.medblocks.com_" + plural + ".yaml")
		g.Expect(err).NotTo(HaveOccurred())
		wants := parse(t, string(content))[0]
		stored := &unstructured.Unstructured{}
		stored.SetGroupVersionKind(wants.GroupVersionKind())
		g.Expect(p.api.Get(t.Context(), client.ObjectKeyFromObject(wants), stored)).To(Succeed())
		g.Expect(firstSchema(stored)).To(Equal(firstSchema(wants)), "the chart brought it")
	}
	marker := "Served since the upgrade."
	out, err := p.kubectl(t.Context(), nil, "patch", "crd", "medblockswebhookendpoints.connect.medblocks.com", "--type=json",
		`--patch=[{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema/description", "value": "`+marker+`"}]`)
	g.Expect(err).NotTo(HaveOccurred(), out)
	g.Eventually(func() (string, error) { return p.kubectl(t.Context(), nil, "explain", "medblockswebhookendpoints") }).
		WithTimeout(patience).Should(ContainSubstring(strings.TrimSuffix(marker, ".")))
}

func firstSchema(crd *unstructured.Unstructured) any {
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	return versions[0].(map[string]any)["schema"]
}
