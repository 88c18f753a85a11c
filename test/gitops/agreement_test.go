// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// inFlux is what Argo CD's words are in Flux's.
var inFlux = map[string]status.Status{
	healthy: status.CurrentStatus, degraded: status.FailedStatus, progressing: status.InProgressStatus, suspended: status.InProgressStatus,
}

// TestTheScriptsAndTheExpressionsAgree asks both about every combination of conditions that the operator might write, and many that it
// never does.
func TestTheScriptsAndTheExpressionsAgree(t *testing.T) {
	for check, expressions := range map[string]string{ofEndpoints: "strict.yaml", "non-blocking/" + ofEndpoints: "non-blocking.yaml"} {
		t.Run(expressions, func(t *testing.T) {
			g := NewWithT(t)
			script, flux := readScript(t, filepath.Join(argocd, check, "health.lua")), readFlux(t, expressions)
			for _, object := range combinations() {
				is, err := script.of(object)
				g.Expect(err).NotTo(HaveOccurred())
				if is.Status == suspended && expressions == "strict.yaml" {
					continue // Flux has no word for it, and goes by Ready
				}
				g.Expect(flux.of(t, object)).To(Equal(inFlux[is.Status]), "Argo CD says %s about %v", is.Status, object.Object)
			}
		})
	}
}

// combinations of conditions and of the policy.
func combinations() []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	synced := []condition{{"True", v1alpha1.ReasonRegistered}, {"False", v1alpha1.ReasonConflict}, {"Unknown", v1alpha1.ReasonAPIUnavailable}, {"Unknown", v1alpha1.ReasonSuspended}}
	secret := []condition{{"True", v1alpha1.ReasonPublished}, {"False", v1alpha1.ReasonNotOwned}, {"Unknown", v1alpha1.ReasonWaitingForSecret}, {}}
	enabled := []condition{{"True", v1alpha1.ReasonActive}, {"False", v1alpha1.ReasonAutoDisabled}}
	progress := []condition{{}, {"True", v1alpha1.ReasonConflict}, {"True", v1alpha1.ReasonNotOwned}, {"True", v1alpha1.ReasonAutoDisabled}, {"True", v1alpha1.ReasonAPIUnavailable}}
	ready := []condition{{"True", v1alpha1.ReasonRegistered}, {"False", v1alpha1.ReasonAutoDisabled}, {}}
	for _, policy := range []string{"Manage", "Observe"} {
		for i := range len(synced) * len(secret) * len(enabled) * len(progress) * len(ready) * 2 {
			pick := func(from []condition) condition {
				one := from[i%len(from)]
				i /= len(from)
				return one
			}
			conditions := map[string]condition{
				v1alpha1.ConditionSynced: pick(synced), v1alpha1.ConditionSigningSecretReady: pick(secret), v1alpha1.ConditionEnabled: pick(enabled),
				v1alpha1.ConditionReady: pick(ready),
			}
			moves := pick(progress)
			if i == 0 {
				conditions[v1alpha1.ConditionStalled] = moves
			} else {
				conditions[v1alpha1.ConditionReconciling] = moves
			}
			if conditions[v1alpha1.ConditionSynced].reason == v1alpha1.ReasonSuspended && i == 0 {
				continue // who is suspended is not stalled
			}
			all = append(all, conditioned(policy, conditions))
		}
	}
	return all
}

// condition is one without the rest; empty: absent.
type condition struct{ status, reason string }

func conditioned(policy string, conditions map[string]condition) *unstructured.Unstructured {
	list := []any{}
	for kind, c := range conditions {
		if c.status != "" {
			list = append(list, map[string]any{"type": kind, "status": c.status, "reason": c.reason, "message": fmt.Sprintf("about %s", kind)})
		}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"generation": int64(3)}, "spec": map[string]any{"managementPolicy": policy},
		"status": map[string]any{"observedGeneration": int64(3), "conditions": list},
	}}
}
