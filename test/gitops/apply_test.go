// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// applied is a resource that a tool applies in a world.
type applied struct {
	*lab.World
	tool     tool
	manifest *unstructured.Unstructured
}

// newApplied is a world with the API key for the sample, and without an operator yet.
func newApplied(t *testing.T, by tool) *applied {
	t.Helper()
	a := &applied{World: lab.NewWorld(t), tool: by, manifest: sample(t, "full.yaml")}
	a.Outsiders = true                                            // kubectl
	a.set(a.Receiver.URL+"/"+a.manifest.GetName(), "spec", "url") // where a delivery can be looked at
	a.CreateSecret("medblocks-api-key", map[string]string{v1alpha1.DefaultAPIKeySecretKey: a.Key})
	return a
}

func (a *applied) resource() *lab.Resource {
	a.T.Helper()
	return a.Get(a.manifest.GetName())
}

func (a *applied) apply() {
	a.T.Helper()
	a.tool.apply(a.T, a.Namespace, a.manifest)
}

// expectNothingToDo applies the manifest again.
func (a *applied) expectNothingToDo() {
	a.T.Helper()
	a.tool.expectNoDiff(a.T, a.Namespace, a.manifest)
	before := a.resource()
	a.apply()
	after := a.resource()
	if before.Status.ObservedGeneration == -1 {
		// The API server has not stored the default of the status yet, and does so with the next write, even of nothing.
		after.ResourceVersion = before.ResourceVersion
	}
	a.Expect(cmp.Diff(before, after)).To(BeEmpty(), "the tool writes the same again")
}

// settled lets the operator do what it has to, which is so many writes to Medblocks.
func (a *applied) settled(writes int) {
	a.T.Helper()
	a.Expect(a.Settle()).To(BeTrue())
	a.CheckInvariants()
	res := a.resource()
	a.Expect(meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue(), a.Show())
	a.Expect(res.Finalizers).To(ContainElement(v1alpha1.Finalizer))
	a.Expect(res.Annotations).To(HaveKey(v1alpha1.AnnotationRegistration))
	calls := a.Vendor.Counters().Calls
	made := calls[emulator.OperationCreateEndpoint] + calls[emulator.OperationUpdateEndpoint] + calls[emulator.OperationRotateSecret] + calls[emulator.OperationDeleteEndpoint]
	a.Expect(made).To(Equal(writes), "writes to Medblocks")
}

func (a *applied) set(value any, fields ...string) {
	a.T.Helper()
	a.Expect(unstructured.SetNestedField(a.manifest.Object, value, fields...)).To(Succeed())
}

// TestWhatIsInGitAndWhatTheOperatorWritesStayApart applies a manifest over and over, as GitOps tools do.
func TestWhatIsInGitAndWhatTheOperatorWritesStayApart(t *testing.T) {
	t.Parallel()
	for _, by := range tools() {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			a := newApplied(t, by)
			a.apply()
			a.expectNothingToDo()
			a.Start()
			a.settled(1)
			a.expectNothingToDo()

			t.Log("Fields are taken out of the manifest.")
			unstructured.RemoveNestedField(a.manifest.Object, "spec", "description")
			unstructured.RemoveNestedField(a.manifest.Object, "spec", "reenablePolicy")
			unstructured.RemoveNestedField(a.manifest.Object, "spec", "metadata", "environment")
			a.apply()
			a.Expect(a.resource().Spec.Description).To(BeEmpty())
			a.Expect(a.resource().Spec.ReenablePolicy).To(BeNil())
			a.settled(2)
			a.Expect(a.Remote(a.manifest.GetName()).Description).To(BeNil())
			a.Expect(a.Remote(a.manifest.GetName()).Metadata).NotTo(HaveKey("environment"))
			a.expectNothingToDo()

			t.Log("Only annotations and labels change, there and back.")
			generation := a.resource().Generation
			a.set("https://git.example.com/team-a", "metadata", "annotations", "example.com/source")
			a.set("team-a", "metadata", "labels", "app.kubernetes.io/instance")
			a.apply()
			a.Expect(a.resource().Annotations).To(HaveKey("example.com/source"))
			a.settled(2)
			a.expectNothingToDo()
			unstructured.RemoveNestedField(a.manifest.Object, "metadata", "annotations")
			unstructured.RemoveNestedField(a.manifest.Object, "metadata", "labels")
			a.apply()
			a.Expect(a.resource().Annotations).NotTo(HaveKey("example.com/source"))
			a.settled(2)
			a.Expect(a.resource().Generation).To(Equal(generation))
			a.expectNothingToDo()
		})
	}
}

// TestARequestByFluxOutlivesTheNextApply: the CLI sets an annotation that is in no manifest.
func TestARequestByFluxOutlivesTheNextApply(t *testing.T) {
	t.Parallel()
	for _, by := range tools() {
		t.Run(by.name, func(t *testing.T) {
			t.Parallel()
			a := newApplied(t, by)
			a.Start()
			a.apply()
			a.settled(1)
			out, err := kubectl(t, "", "annotate", "--field-manager=flux", "--overwrite", "-n", a.Namespace, "mwe/"+a.manifest.GetName(),
				v1alpha1.AnnotationFluxReconcileRequestedAt+"=now")
			a.Expect(err).NotTo(HaveOccurred(), out)
			a.settled(1)
			a.expectNothingToDo()
			res := a.resource()
			a.Expect(res.Status.LastHandledReconcileAt).To(Equal("now"))
			a.Expect(res.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationFluxReconcileRequestedAt, "now"))
		})
	}
}

// TestTheOperatorOwnsNoFieldThatSomebodyMayApply: its own finalizer, its own annotation, and the status.
func TestTheOperatorOwnsNoFieldThatSomebodyMayApply(t *testing.T) {
	t.Parallel()
	a := newApplied(t, tools()[0])
	a.Start()
	a.apply()
	a.settled(1)
	var owned []string
	for _, entry := range a.resource().ManagedFields {
		if entry.Manager == "kustomize-controller" || entry.Subresource != "" {
			continue
		}
		a.Expect(entry.Operation).To(Equal(metav1.ManagedFieldsOperationUpdate))
		var fields map[string]map[string]any
		a.Expect(json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields)).To(Succeed())
		for part, of := range fields {
			for field := range of {
				owned = append(owned, part+" "+field)
			}
		}
	}
	slices.Sort(owned)
	a.Expect(owned).To(Equal([]string{"f:metadata f:annotations", "f:metadata f:finalizers"}))
}
