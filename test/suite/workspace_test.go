// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestAKeySwappedForAnotherWorkspacesRegistersRotatesAndReleasesNotOneEndpointOfAFleet(t *testing.T) {
	w := newWorld(t)
	rotated := func(res *v1alpha1.MedblocksWebhookEndpoint) {
		res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Rotation: &v1alpha1.SecretRotation{Interval: metav1.Duration{Duration: time.Hour}}}
	}
	const fleet, doomed, lost = 6, "hooks-0", "hooks-1"
	for i := range fleet {
		w.createReady(fmt.Sprintf("hooks-%d", i), rotated)
	}
	w.settle()
	before := w.vendor.Endpoints(w.key)
	w.forget()
	wrong := w.key + "other"
	w.Expect(w.vendor.SetKey(emulator.Key{APIKey: wrong, Workspace: "another"})).To(Succeed())
	w.setKey(wrong)
	for i := range fleet {
		w.until(fmt.Sprintf("hooks-%d", i), beStalled(v1alpha1.ReasonWorkspaceChanged))
	}
	w.delete(doomed)
	w.deleteSecret(lost + "-signing-secret")
	w.restartOperator()
	w.until(doomed, have(v1alpha1.ConditionStalled, isTrue, v1alpha1.ReasonWorkspaceChanged, v1alpha1.AnnotationRelease))
	for range 3 {
		w.advance(2 * time.Hour)
		w.settle()
	}
	w.Expect(writes(w.calls())).To(BeEmpty())
	w.Expect(w.vendor.Endpoints(w.key)).To(Equal(before))
	w.Expect(w.vendor.Endpoints(wrong)).To(BeEmpty())
	w.Expect(w.get(doomed)).NotTo(BeNil())

	t.Log("The right key is put back.")
	w.setKey(w.key)
	w.untilGone(doomed)
	for i := range fleet - 1 {
		w.untilReady(fmt.Sprintf("hooks-%d", i+1))
	}
	w.Expect(w.calls(emulator.OperationCreateEndpoint)).To(BeEmpty())
	w.Expect(w.calls(emulator.OperationDeleteEndpoint)).To(HaveLen(1))
	w.untilSecretHolds(lost, lost+"-signing-secret")
}
