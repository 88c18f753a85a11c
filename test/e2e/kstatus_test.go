// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// expectedStatus is what the conditions mean by their own definition.
func expectedStatus(resource *v1alpha1.MedblocksWebhookEndpoint) (status.Status, error) {
	conditions := resource.Status.Conditions
	is := func(kind string) bool { return meta.IsStatusConditionTrue(conditions, kind) }
	for _, kind := range []string{v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if condition := meta.FindStatusCondition(conditions, kind); condition != nil && condition.Status != metav1.ConditionTrue {
			return "", fmt.Errorf("condition %s is present and %s", kind, condition.Status)
		}
	}
	switch {
	case resource.Status.ObservedGeneration != resource.Generation:
		return "", fmt.Errorf("generation %d, observed %d", resource.Generation, resource.Status.ObservedGeneration)
	case meta.FindStatusCondition(conditions, v1alpha1.ConditionReady) == nil:
		return "", errors.New("no condition Ready")
	case is(v1alpha1.ConditionReconciling) && is(v1alpha1.ConditionStalled):
		return "", errors.New("both Reconciling and Stalled")
	case is(v1alpha1.ConditionStalled) && is(v1alpha1.ConditionReady):
		return "", errors.New("both Ready and Stalled")
	case is(v1alpha1.ConditionStalled):
		return status.FailedStatus, nil
	case is(v1alpha1.ConditionReconciling), !is(v1alpha1.ConditionReady):
		return status.InProgressStatus, nil
	}
	return status.CurrentStatus, nil
}

// kstatusAgrees tells whether tools that know nothing of our resource read its status as it is meant.
func kstatusAgrees(resource *v1alpha1.MedblocksWebhookEndpoint) error {
	want, err := expectedStatus(resource)
	if err != nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(resource)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("MedblocksWebhookEndpoint"))
	result, err := status.Compute(object)
	if err != nil {
		return fmt.Errorf("kstatus: %w", err)
	}
	if result.Status != want {
		return fmt.Errorf("kstatus says %s (%s), the conditions mean %s", result.Status, result.Message, want)
	}
	return nil
}

// everyStatusMakesSense looks at every resource that the tests have left. What is still at work gets time to come to rest.
func everyStatusMakesSense(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var wrong error
	err := wait.PollUntilContextCancel(ctx, often, true, func(ctx context.Context) (bool, error) {
		var list v1alpha1.MedblocksWebhookEndpointList
		if err := suite.api.List(ctx, &list); err != nil {
			return false, err
		}
		wrong = nil
		if len(list.Items) == 0 {
			wrong = errors.New("the tests have left no resource to look at")
		}
		for i := range list.Items {
			if err := kstatusAgrees(&list.Items[i]); err != nil {
				wrong = errors.Join(wrong, fmt.Errorf("%s/%s: %w: %+v", list.Items[i].Namespace, list.Items[i].Name, err, list.Items[i].Status.Conditions))
			}
		}
		return wrong == nil, nil
	})
	return errors.Join(err, wrong)
}

// TestEveryWayToEndUpIsReadRightByToolsThatKnowNothingOfUs leaves resources in all kinds of states; the check at the end of the
// suite sees them again.
func TestEveryWayToEndUpIsReadRightByToolsThatKnowNothingOfUs(t *testing.T) {
	tenant := newTenant(t)
	other := func(secret, key string) tweak {
		return func(e *v1alpha1.MedblocksWebhookEndpoint) {
			e.Spec.APIKeySecretRef = v1alpha1.APIKeySecretReference{Name: secret, Key: key}
		}
	}
	g := NewWithT(t)
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: tenant.namespace, Name: "not-owned-signing-secret"}}
	g.Expect(suite.api.Create(t.Context(), foreign)).To(Succeed())
	wrongKey := tenant.keySecret("mb_sk_" + "nonsense" + suite.secrets.newAPIKey())
	wrongKey.Name = "wrong-key"
	g.Expect(suite.api.Create(t.Context(), wrongKey)).To(Succeed())

	for _, c := range []struct {
		name   string
		tweak  tweak
		kind   string // a condition, and its reason
		reason string
		want   status.Status
	}{
		{"registered", nil, v1alpha1.ConditionReady, v1alpha1.ReasonRegistered, status.CurrentStatus},
		{"disabled-by-spec", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.State = v1alpha1.StateDisabled }, v1alpha1.ConditionReady, v1alpha1.ReasonRegistered, status.CurrentStatus},
		{"suspended", func(e *v1alpha1.MedblocksWebhookEndpoint) { e.Spec.Suspend = true }, v1alpha1.ConditionSynced, v1alpha1.ReasonSuspended, status.InProgressStatus},
		{"no-secret", other("nowhere", ""), v1alpha1.ConditionSynced, v1alpha1.ReasonCredentialsUnavailable, status.InProgressStatus},
		{"no-key", other(keySecretName, "NOT_IN_IT"), v1alpha1.ConditionSynced, v1alpha1.ReasonCredentialsUnavailable, status.InProgressStatus},
		{"wrong-key", other("wrong-key", ""), v1alpha1.ConditionSynced, v1alpha1.ReasonInvalidAPIKey, status.FailedStatus},
		{"not-owned", nil, v1alpha1.ConditionSigningSecretReady, v1alpha1.ReasonNotOwned, status.FailedStatus},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := NewWithT(t)
			tweaks := []tweak{}
			if c.tweak != nil {
				tweaks = append(tweaks, c.tweak)
			}
			tenant.create(t, c.name, tweaks...)
			g.Eventually(func(g Gomega) {
				resource := tenant.get(t, c.name)
				g.Expect(kstatusAgrees(resource)).To(Succeed())
				want, err := expectedStatus(resource)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(want).To(Equal(c.want), "%+v", resource.Status.Conditions)
				g.Expect(meta.FindStatusCondition(resource.Status.Conditions, c.kind).Reason).To(Equal(c.reason))
			}).WithTimeout(patience).WithPolling(often).Should(Succeed())
		})
	}
}

func TestAResourceThatNobodyHasLookedAtIsNotTakenForFinished(t *testing.T) {
	g := NewWithT(t)
	resource := &v1alpha1.MedblocksWebhookEndpoint{ObjectMeta: metav1.ObjectMeta{
		Generation: 1, CreationTimestamp: metav1.NewTime(time.Now()),
	}}
	resource.Status.ObservedGeneration = -1 // the default of the schema
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(resource)
	g.Expect(err).NotTo(HaveOccurred())
	result, err := status.Compute(&unstructured.Unstructured{Object: content})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(result.Status).To(Equal(status.InProgressStatus))
	g.Expect(kstatusAgrees(resource)).NotTo(Succeed(), "the check at the end of the suite would notice")
}
