// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"os"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// flux evaluates health check expressions as Flux does: with its own code.
type flux struct{ *cel.StatusEvaluator }

// readFlux reads one of the patches in config/flux.
func readFlux(t testing.TB, name string) flux {
	t.Helper()
	g := NewWithT(t)
	content, err := os.ReadFile("../../config/flux/" + name)
	g.Expect(err).NotTo(HaveOccurred())
	var patch struct {
		Spec struct {
			HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
		} `json:"spec"`
	}
	g.Expect(yaml.Unmarshal(content, &patch)).To(Succeed())
	g.Expect(patch.Spec.HealthCheckExprs).To(HaveLen(1))
	check := patch.Spec.HealthCheckExprs[0]
	g.Expect(check.APIVersion + " " + check.Kind).To(Equal(v1alpha1.GroupVersion.String() + " " + v1alpha1.Kind))
	evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
	g.Expect(err).NotTo(HaveOccurred())
	return flux{evaluator}
}

func (f flux) of(t testing.TB, object *unstructured.Unstructured) status.Status {
	t.Helper()
	is, err := f.Evaluate(t.Context(), object)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	return is.Status
}

// TestExpressionsCopeWithWhatIsNotThereYet: an error would count as unknown, until the Kustomization times out. (There is always a
// status: the API server sets the default.)
func TestExpressionsCopeWithWhatIsNotThereYet(t *testing.T) {
	for _, name := range []string{"strict.yaml", "non-blocking.yaml"} {
		for about, manifest := range map[string]string{
			"a new resource":     `{metadata: {generation: 1}, spec: {}, status: {observedGeneration: -1}}`,
			"no conditions":      `{metadata: {generation: 1}, spec: {}, status: {observedGeneration: 1}}`,
			"empty conditions":   `{metadata: {generation: 1}, spec: {}, status: {observedGeneration: 1, conditions: []}}`,
			"an older condition": `{metadata: {generation: 2}, spec: {}, status: {observedGeneration: 1, conditions: [{type: Stalled, status: "True", reason: R}]}}`,
		} {
			t.Run(name+"/"+about, func(t *testing.T) {
				// The API server's numbers are integers.
				object := &unstructured.Unstructured{}
				raw, err := yaml.YAMLToJSON([]byte(manifest))
				g := NewWithT(t)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(object.UnmarshalJSON(append([]byte(`{"apiVersion":"v1","kind":"Any",`), raw[1:]...))).To(Succeed())
				g.Expect(readFlux(t, name).of(t, object)).To(Equal(status.InProgressStatus))
			})
		}
	}
}
