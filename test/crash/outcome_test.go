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
//   - how often a re-enable was attempted: an attempt is noted before it is made;
//   - how many events a redelivery counts, and where it began: those that were delivered just before the crash are not counted, because
//     nobody has noted them;
//   - why the Secret is in order, and whether it was healed: the secret in an answer that dies with the operator is healed,
//     Recovered, instead of Published or Rotated.
func outcome(w *lab.World) lab.State {
	state := w.State()
	for name, res := range state.Resources {
		res.History = nil
		if intent, ok := res.Annotations[v1alpha1.AnnotationRegistration]; ok {
			res.Annotations[v1alpha1.AnnotationRegistration] = attempt.ReplaceAllString(intent, "")
		}
		res.Status = attempts.ReplaceAllString(res.Status, `"<time>"`)
		res.Status = healed.ReplaceAllString(res.Status, "")
		res.Status = counted.ReplaceAllString(res.Status, "")
		if is := res.Conditions[v1alpha1.ConditionSigningSecretReady]; inOrder.MatchString(is) {
			res.Conditions[v1alpha1.ConditionSigningSecretReady] = inOrder.ReplaceAllString(is, "True ($1)")
		}
		state.Resources[name] = res
	}
	for _, secret := range state.Secrets {
		delete(secret.Annotations, v1alpha1.AnnotationSecretHealedAt)
	}
	return state
}

var (
	attempt  = regexp.MustCompile(`"attempt":\d+,"nonce":"[^"]*",`)
	attempts = regexp.MustCompile(`"<time>"(,\s*"<time>")+`)
	healed   = regexp.MustCompile(`,\n *"lastHealed": "<time>"`)
	counted  = regexp.MustCompile(`(,\n *)?"(delivered|failed|canary|cursor)": ("[^"]*"|\d+)`)
	inOrder  = regexp.MustCompile(`^True (?:Published|Rotated|Recovered) \((.*)\): .*$`)
)
