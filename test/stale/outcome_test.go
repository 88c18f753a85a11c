// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stale

import (
	"maps"
	"regexp"
	"strings"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// outcome is the state of a world without what an end of the operator in the middle of something may change: it takes the
// last lines of the history with it, and perhaps a secret in an answer, which is healed by a rotation.
func outcome(w *lab.World) lab.State {
	s := w.State()
	for name, res := range s.Resources {
		delete(res.Annotations, v1alpha1.AnnotationRegistration)
		res.History = nil
		res.Status = rotated.ReplaceAllString(res.Status, "")
		if ready := res.Conditions[v1alpha1.ConditionSigningSecretReady]; strings.HasPrefix(ready, "True ") {
			res.Conditions[v1alpha1.ConditionSigningSecretReady] = "True"
		}
		s.Resources[name] = res
	}
	for name, secret := range s.Secrets {
		secret.Previous = ""
		delete(secret.Annotations, v1alpha1.AnnotationSecretHealedAt)
		s.Secrets[name] = secret
	}
	return s
}

// rotated are the times of the last rotations in a status.
var rotated = regexp.MustCompile(`,\n *"last(Rotated|Healed)": "[^"]*"`)

// withoutRequests leaves out which requests were served: an operator that is told of one after the other sees a request that
// was taken back, finds that there is nothing to do for it, and says so.
func withoutRequests(s lab.State) lab.State {
	s.Resources = maps.Clone(s.Resources)
	for name, res := range s.Resources {
		res.Status = handled.ReplaceAllString(res.Status, "")
		s.Resources[name] = res
	}
	return s
}

// handled are the requests that a status says were served.
var handled = regexp.MustCompile(`,\n *"lastHandled[A-Za-z]*": "[^"]*"`)
