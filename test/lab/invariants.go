// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

// CheckInvariants checks what must hold of every settled world. It fires events: deliveries are really signed and really
// verified.
func (w *World) CheckInvariants() {
	w.T.Helper()
	for _, res := range w.Resources() {
		w.checkResource(&res)
	}
	w.checkOwners()
	w.CheckManners()
}

// CheckManners checks what holds even where an endpoint had to be left behind: those of others are as they were (invariant 9), and
// nothing was written to Kubernetes in a way that could undo what somebody else writes.
func (w *World) CheckManners() {
	w.T.Helper()
	for _, was := range w.Bystanders {
		is, err := w.Vendor.Endpoint(was.ID)
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(is).To(Equal(was), "an endpoint of somebody else")
	}
	w.checkRequests()
}

// checkResource checks invariants 1, 2 and 8.
func (w *World) checkResource(res *Resource) {
	w.T.Helper()
	owned := w.Owned(res.Name)
	w.Expect(len(owned)).To(BeNumerically("<=", 1), "endpoints with the owner mark of %s", res.Name)
	if r := res.Status.Reenable; r != nil {
		w.Expect(len(r.Attempts)).To(BeNumerically("<=", res.Spec.ReenablePolicy.MaxAttemptsOrDefault()))
	}
	if !meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady) || res.Spec.ManagementPolicy == v1alpha1.ManagementObserve {
		return
	}
	w.Expect(owned).To(HaveLen(1), "a Ready resource has an endpoint")
	w.Expect(owned[0].ID).To(Equal(res.Status.EndpointID))
	if owned[0].Status == emulator.StatusActive {
		w.Expect(w.VerifyDelivery(res.Name)).To(Succeed(), "the Secret verifies the next delivery")
	}
}

// VerifyDelivery has Medblocks deliver an event to a resource's endpoint, and verifies its signature with what the signing
// Secret holds.
func (w *World) VerifyDelivery(name string) error {
	w.T.Helper()
	res := w.Get(name)
	fired := w.Vendor.Fire(w.Key, string(res.Spec.Events[0]), nil)
	w.Expect(slices.ContainsFunc(fired, func(e emulator.FiredEvent) bool { return e.WebhookEndpointID == res.Status.EndpointID })).To(BeTrue())
	w.Eventually(w.Vendor.Idle, 10*time.Second, time.Millisecond).Should(BeTrue())
	delivered, ok := w.Receiver.Last(name)
	w.Expect(ok).To(BeTrue(), "nothing was delivered to %s", res.Spec.URL)
	secret := w.Secret(res.SigningSecretName())
	w.Expect(secret).NotTo(BeNil())
	w.Expect(string(secret.Data[v1alpha1.SecretKeyEndpointID])).To(Equal(res.Status.EndpointID))
	verifier := event.Verifier{Secrets: event.StaticSecrets(string(secret.Data[v1alpha1.SecretKeyValue])), Clock: w.Clock}
	_, err := verifier.ConstructEvent(w.Context(), delivered.Body, delivered.Signature)
	return err
}

// checkOwners checks invariant 3: every mark of ours belongs to a resource.
func (w *World) checkOwners() {
	w.T.Helper()
	var owners []any
	for _, res := range w.Resources() {
		owners = append(owners, w.OwnerMark(res.Name))
	}
	for _, e := range w.endpoints() {
		if owner, marked := e.Metadata[v1alpha1.MarkOwner]; marked {
			w.Expect(owners).To(ContainElement(owner), "endpoint %s is left behind", e.ID)
		}
	}
}

// checkRequests checks how operators write to Kubernetes: by patches with a resourceVersion that leave the spec alone.
func (w *World) checkRequests() {
	w.T.Helper()
	for _, op := range w.operators {
		for _, r := range op.Wire.Requests() {
			if r.Side != Kubernetes || r.Method == http.MethodGet || r.isEvent() {
				continue
			}
			where := r.String() + " " + r.Body
			w.Expect(r.Method).NotTo(Equal(http.MethodPut), where)
			if r.Method != http.MethodPatch {
				continue
			}
			var patch struct {
				Spec     any
				Metadata struct{ ResourceVersion string }
			}
			w.Expect(json.Unmarshal([]byte(r.Body), &patch)).To(Succeed(), where)
			w.Expect(patch.Spec).To(BeNil(), where)
			w.Expect(patch.Metadata.ResourceVersion).NotTo(BeEmpty(), where)
		}
	}
}
