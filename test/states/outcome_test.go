// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package states

import (
	"regexp"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// outcome is the state of a world without what tells of the way there, and has to: what was done (the history), with which
// intent the endpoint was registered, and when its secret was issued. Ids, UIDs, nonces and times are no part of a state anyway.
// The endpoint, the conditions with their words, the Secret with its value, labels and annotations all are.
func outcome(w *lab.World) lab.State {
	s := w.State()
	for name, res := range s.Resources {
		delete(res.Annotations, v1alpha1.AnnotationRegistration)
		res.History = nil
		res.Status = issued.ReplaceAllString(res.Status, "")
		s.Resources[name] = res
	}
	return s
}

// issued is when the secret was issued, in a status.
var issued = regexp.MustCompile(`,\n *"lastRotated": "[^"]*"`)
