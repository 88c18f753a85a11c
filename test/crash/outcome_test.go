// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"regexp"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// outcome is the state of a world without what a crash may change:
//
//   - the history: who dies after a write has not noted it, and who comes after did not make it;
//   - how often a registration was attempted, and the nonce of the last attempt, which a healing rotation replaces;
//   - that a secret was healed, and when: where the answer to a registration dies with the operator, its secret does.
func outcome(w *lab.World) lab.State {
	state := w.State()
	for name, res := range state.Resources {
		res.History = nil
		if intent, ok := res.Annotations[v1alpha1.AnnotationRegistration]; ok {
			res.Annotations[v1alpha1.AnnotationRegistration] = attempt.ReplaceAllString(intent, "")
		}
		res.Status = healed.ReplaceAllString(res.Status, "")
		const condition = v1alpha1.ConditionSigningSecretReady
		if is, ok := res.Conditions[condition]; ok {
			res.Conditions[condition] = recovered.ReplaceAllString(is, "True Published ($1): Secret $2 holds the signing secret")
		}
		state.Resources[name] = res
	}
	return state
}

var (
	attempt   = regexp.MustCompile(`"attempt":\d+,"nonce":"[^"]*",`)
	healed    = regexp.MustCompile(`,\n *"lastHealed": "<time>"`)
	recovered = regexp.MustCompile(`^True Recovered \((.*)\): the signing secret was lost; Secret (".*") holds a new one$`)
)
