// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"fmt"
	"strings"

	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gcustom"
	gomegatypes "github.com/onsi/gomega/types"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// have matches a resource with a condition of that type, status and reason, whose message holds all of texts.
func have(condition string, status metav1.ConditionStatus, reason string, texts ...string) gomegatypes.GomegaMatcher {
	return describe(fmt.Sprintf("%s=%s (%s) saying %q", condition, status, reason, texts), func(res *v1alpha1.MedblocksWebhookEndpoint) bool {
		c := meta.FindStatusCondition(res.Status.Conditions, condition)
		if c == nil || c.Status != status || c.Reason != reason {
			return false
		}
		for _, text := range texts {
			if !strings.Contains(c.Message, text) {
				return false
			}
		}
		return true
	})
}

// lack matches a resource without that condition.
func lack(condition string) gomegatypes.GomegaMatcher {
	return describe("no condition "+condition, func(res *v1alpha1.MedblocksWebhookEndpoint) bool {
		return meta.FindStatusCondition(res.Status.Conditions, condition) == nil
	})
}

// describe makes a matcher whose failure shows the conditions.
func describe(wanted string, ok func(*v1alpha1.MedblocksWebhookEndpoint) bool) gomegatypes.GomegaMatcher {
	return gcustom.MakeMatcher(func(res *v1alpha1.MedblocksWebhookEndpoint) (bool, error) {
		if res == nil {
			return false, nil
		}
		return ok(res), nil
	}).WithTemplate("Wanted {{.Data.Wanted}}, got\n{{call .Data.Show .Actual}}", map[string]any{"Wanted": wanted, "Show": show})
}

// show prints what matters of a resource.
func show(res *v1alpha1.MedblocksWebhookEndpoint) string {
	if res == nil {
		return "no such resource"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s generation %d, observed %d, endpoint %s\n", res.Name, res.Generation, res.Status.ObservedGeneration, res.Status.EndpointID)
	for _, c := range res.Status.Conditions {
		fmt.Fprintf(&b, "  %s=%s %s (generation %d): %s\n", c.Type, c.Status, c.Reason, c.ObservedGeneration, c.Message)
	}
	for _, h := range res.Status.History {
		fmt.Fprintf(&b, "  did %s because of %s\n", h.Action, h.Trigger)
	}
	return b.String()
}

const (
	isTrue    = metav1.ConditionTrue
	isFalse   = metav1.ConditionFalse
	isUnknown = metav1.ConditionUnknown
)

// beReady matches a resource with which all is well and nothing is under way.
func beReady() gomegatypes.GomegaMatcher {
	return And(
		have(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonRegistered),
		have(v1alpha1.ConditionSynced, isTrue, v1alpha1.ReasonRegistered),
		lack(v1alpha1.ConditionReconciling), lack(v1alpha1.ConditionStalled),
	)
}

// beStalled matches a resource that needs help from outside, and is not Ready.
func beStalled(reason string, texts ...string) gomegatypes.GomegaMatcher {
	return And(
		have(v1alpha1.ConditionStalled, isTrue, reason, texts...), lack(v1alpha1.ConditionReconciling),
		have(v1alpha1.ConditionReady, isFalse, reason, texts...),
	)
}

// beWorking matches a resource that is not Ready and that the operator works on.
func beWorking(reason string, texts ...string) gomegatypes.GomegaMatcher {
	return And(
		have(v1alpha1.ConditionReconciling, isTrue, reason, texts...), lack(v1alpha1.ConditionStalled),
		have(v1alpha1.ConditionReady, isFalse, reason, texts...),
	)
}

// beDelayed matches a registered resource that stays Ready while the operator waits for better times.
func beDelayed(reason string, texts ...string) gomegatypes.GomegaMatcher {
	return And(
		have(v1alpha1.ConditionReconciling, isTrue, reason, texts...), lack(v1alpha1.ConditionStalled),
		have(v1alpha1.ConditionSynced, isUnknown, reason, texts...),
		have(v1alpha1.ConditionReady, isTrue, v1alpha1.ReasonRegistered),
	)
}

// observed matches a resource whose status is about its present spec.
func observed() gomegatypes.GomegaMatcher {
	return describe("the present generation observed", func(res *v1alpha1.MedblocksWebhookEndpoint) bool {
		return res.Status.ObservedGeneration == res.Generation
	})
}

// until waits until the operator has observed the resource's spec and the resource matches.
func (w *world) until(name string, matchers ...gomegatypes.GomegaMatcher) *v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	var res *v1alpha1.MedblocksWebhookEndpoint
	w.Eventually(func() *v1alpha1.MedblocksWebhookEndpoint {
		res = w.get(name)
		return res
	}).Should(And(append(matchers, observed())...))
	return res
}

func (w *world) untilReady(name string) *v1alpha1.MedblocksWebhookEndpoint {
	w.t.Helper()
	return w.until(name, beReady())
}
