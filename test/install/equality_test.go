// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// mustDiffer are labels of objects (never those of Pods, or in selectors) that say who installed them and what, and so have to differ.
var mustDiffer = []string{"app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/version", "helm.sh/chart"}

// byKey is what was installed by one way without the signature of that way.
func byKey(t *testing.T, rendered string) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	for _, object := range parse(t, rendered) {
		NewWithT(t).Expect(objects).NotTo(HaveKey(key(object)))
		labels := object.GetLabels()
		for _, name := range mustDiffer {
			delete(labels, name)
		}
		object.SetLabels(labels)
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations", "helm.sh/resource-policy")
		objects[key(object)] = object.Object
	}
	return objects
}

func TestTheChartInstallsWhatTheKustomizationsInstall(t *testing.T) {
	for name, c := range map[string]struct{ values, kustomization string }{
		"everything, as it is by default":        {"", root + "/config/default"},
		"with Roles in some namespaces":          {"testdata/values/namespaced.yaml", root + "/config/namespaced"},
		"with all components of a kustomization": {"testdata/values/components.yaml", "testdata/components"},
		"without list and watch on Secrets":      {"testdata/values/secret-access-get.yaml", "testdata/secret-access-get"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewWithT(t)
			built, err := shared.kubectl(t.Context(), nil, "kustomize", c.kustomization)
			g.Expect(err).NotTo(HaveOccurred(), built)
			wants, got := byKey(t, built), byKey(t, render(t, c.values))
			// The one difference: Helm keeps its own records in the namespace, which therefore exists before.
			g.Expect(wants).To(HaveKey("/v1, Kind=Namespace  " + namespace))
			delete(wants, "/v1, Kind=Namespace  "+namespace)
			g.Expect(len(wants)).To(BeNumerically(">", 10))
			if diff := cmp.Diff(wants, got); diff != "" {
				t.Errorf("-kustomize +helm:\n%s", diff)
			}
		})
	}
}
