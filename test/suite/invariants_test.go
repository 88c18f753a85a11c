// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	kstatus "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// context outlives the test's own, which has ended when its cleanups run.
func (w *world) context() context.Context { return context.WithoutCancel(w.t.Context()) }

// checkInvariants runs when a test has ended, while the operator still runs.
func (w *world) checkInvariants() {
	if w.t.Failed() {
		return
	}
	for _, res := range w.resources() {
		w.Eventually(func(g Gomega) { w.checkResource(g, res.Name) }).Should(Succeed(), "invariants of %s", res.Name)
		w.checkBudget(&res)
	}
	w.checkBystanders()
	w.checkRequests()
}

// checkResource checks invariants 1 and 2 and that generic tools understand the status.
func (w *world) checkResource(g Gomega, name string) {
	res := &v1alpha1.MedblocksWebhookEndpoint{}
	g.Expect(shared.admin.Get(w.context(), w.object(name), res)).To(Succeed())
	g.Expect(checkStatus(res)).To(Succeed())
	ready := meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady) && !res.Observes()
	if !w.expects.leftBehind {
		owned := w.owned(name)
		g.Expect(len(owned)).To(BeNumerically("<=", 1), "endpoints with the owner mark")
		if ready {
			g.Expect(owned).To(HaveLen(1), "a Ready resource has an endpoint")
		}
	}
	if ready && !w.expects.rotatedOutside {
		endpoint, err := w.vendor.Endpoint(res.Status.EndpointID)
		g.Expect(err).NotTo(HaveOccurred())
		secret := &corev1.Secret{}
		g.Expect(shared.admin.Get(w.context(), w.object(res.Status.SigningSecret.Name), secret)).To(Succeed())
		g.Expect(string(secret.Data[v1alpha1.SecretKeyValue])).To(Equal(endpoint.Secret), "the Secret verifies the next delivery")
		if !w.expects.contestedSecret {
			g.Expect(string(secret.Data[v1alpha1.SecretKeyEndpointID])).To(Equal(endpoint.ID))
		}
	}
}

// checkBudget checks invariant 8 as far as a status shows it.
func (w *world) checkBudget(res *v1alpha1.MedblocksWebhookEndpoint) {
	if r := res.Status.Reenable; r != nil {
		w.Expect(len(r.Attempts)).To(BeNumerically("<=", res.Spec.ReenablePolicy.MaxAttemptsOrDefault()))
	}
}

// checkStatus compares what kstatus makes of a resource with its conditions.
func checkStatus(res *v1alpha1.MedblocksWebhookEndpoint) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(res)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("MedblocksWebhookEndpoint"))
	result, err := kstatus.Compute(object)
	if err != nil {
		return err
	}
	has := func(condition string) bool { return meta.FindStatusCondition(res.Status.Conditions, condition) != nil }
	ready := meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady)
	wanted := kstatus.CurrentStatus
	switch {
	case has(v1alpha1.ConditionReconciling) && has(v1alpha1.ConditionStalled):
		return fmt.Errorf("both Reconciling and Stalled:\n%s", show(res))
	case ready && has(v1alpha1.ConditionStalled):
		return fmt.Errorf("both Ready and Stalled:\n%s", show(res))
	case !res.DeletionTimestamp.IsZero():
		wanted = kstatus.TerminatingStatus
	case res.Status.ObservedGeneration != res.Generation, has(v1alpha1.ConditionReconciling):
		wanted = kstatus.InProgressStatus
	case has(v1alpha1.ConditionStalled):
		wanted = kstatus.FailedStatus
	case res.Spec.Suspend && !ready:
		wanted = kstatus.InProgressStatus
	case !ready:
		return fmt.Errorf("not Ready, and neither Reconciling nor Stalled:\n%s", show(res))
	}
	if result.Status != wanted {
		return fmt.Errorf("kstatus says %s (%s), wanted %s:\n%s", result.Status, result.Message, wanted, show(res))
	}
	for _, c := range res.Status.Conditions {
		if c.ObservedGeneration == 0 || c.ObservedGeneration > res.Generation {
			return fmt.Errorf("%s has the observedGeneration %d of %d", c.Type, c.ObservedGeneration, res.Generation)
		}
	}
	return nil
}

// checkBystanders checks invariant 9: endpoints of others are as they were.
func (w *world) checkBystanders() {
	for _, was := range w.bystanders {
		is, err := w.vendor.Endpoint(was.ID)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(is).To(Equal(was), "an endpoint of somebody else")
	}
}

// checkRequests checks how the operator writes to Kubernetes: by patches with a resourceVersion that leave the spec
// alone, within its permissions, and in its namespaces.
func (w *world) checkRequests() {
	for _, call := range w.kube.all(func(c kubeCall) bool { return c.Method != http.MethodGet }) {
		where := call.Method + " " + call.Path + " " + call.Body
		w.Expect(call.Method).NotTo(Equal(http.MethodPut), where)
		if !call.DryRun && !w.expects.refusedWrites {
			w.Expect(call.Status).NotTo(BeElementOf(http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity), where)
		}
		if call.Method != http.MethodPatch || call.about("events") {
			continue
		}
		var patch struct {
			Spec     any
			Metadata struct{ ResourceVersion string }
		}
		w.Expect(json.Unmarshal([]byte(call.Body), &patch)).To(Succeed(), where)
		w.Expect(patch.Spec).To(BeNil(), where)
		w.Expect(patch.Metadata.ResourceVersion).NotTo(BeEmpty(), where)
	}
}

// checkLeaks checks invariant 6: no credential in a log line, an event, a resource, or a write to the API server.
func (w *world) checkLeaks() {
	w.secrets.Keep(w.vendor.Credentials()...)
	w.Expect(w.secrets.Leak("the log", w.logs.String())).To(Succeed())
	w.Expect(w.secrets.Leak("an event", strings.Join(w.events(), "\n"))).To(Succeed())
	for _, res := range w.resources() {
		raw, err := json.Marshal(res)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.secrets.Leak("the resource", string(raw))).To(Succeed())
	}
	var secrets corev1.SecretList
	w.Expect(shared.admin.List(w.context(), &secrets, client.InNamespace(w.namespace))).To(Succeed())
	for i := range secrets.Items {
		raw, err := json.Marshal(secrets.Items[i].ObjectMeta)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.secrets.Leak("the metadata of a Secret", string(raw))).To(Succeed())
	}
	for _, call := range w.kube.all(func(c kubeCall) bool { return !c.about("secrets") }) {
		w.Expect(w.secrets.Leak(call.Method+" "+call.Path, call.Body)).To(Succeed())
	}
	w.Expect(w.logs.String()).NotTo(ContainSubstring("keeps changing while it is reconciled"), "a plan that contradicts itself")
	w.Expect(w.logs.String()).NotTo(ContainSubstring("panic"))
}

// explain prints what is needed to understand a failure.
func (w *world) explain() {
	if !w.t.Failed() {
		return
	}
	for _, res := range w.resources() {
		w.t.Log(show(&res))
	}
	for _, call := range w.calls() {
		w.t.Log("vendor call", call.Operation, call.Path, call.Status, call.Fault)
	}
	const tail = 6000
	logs := w.logs.String()
	w.t.Log(logs[max(0, len(logs)-tail):])
}

func TestTheChecksTellWhatIsWrong(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	res := &v1alpha1.MedblocksWebhookEndpoint{}
	res.Generation, res.Status.ObservedGeneration = 1, 1
	g.Expect(checkStatus(res)).To(MatchError(ContainSubstring("neither Reconciling nor Stalled")))
}
