// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// restore makes the resource anew, without status and annotations and with another UID, as after the loss of a cluster.
func restore(w *lab.World) {
	w.T.Helper()
	w.Change(hooks, func(res *lab.Resource) { res.Finalizers = nil })
	w.Delete(hooks)
	w.Expect(w.Get(hooks)).To(BeNil())
	w.Create(w.Manifest(hooks))
}

// restoreScenarios are about what is lost in the cluster.
func restoreScenarios() []scenario {
	return []scenario{
		{
			name:    "restore a resource",
			prepare: created(),
			act:     restore,
			down:    true, pairs: true,
		},
		{
			name:    "restore a resource without its Secret",
			prepare: created(),
			act:     func(w *lab.World) { restore(w); w.DeleteSecret(signing) },
			calls:   calls{rotations: 1},
			down:    true, pairs: true,
		},
		{
			name:    "restore a resource with an old Secret",
			prepare: created(),
			act: func(w *lab.World) {
				restore(w)
				old := w.Secret(signing)
				old.Annotations[v1alpha1.AnnotationSecretGeneration] = "OLDOLDOLDOLDOLDOLDOLDOLDOL"
				w.Expect(w.Client.Update(w.Context(), old)).To(Succeed())
			},
			calls: calls{rotations: 1},
			down:  true,
		},
		{
			name:    "find a wiped status again",
			prepare: created(),
			act: func(w *lab.World) {
				w.ChangeStatus(hooks, func(s *v1alpha1.MedblocksWebhookEndpointStatus) {
					*s = v1alpha1.MedblocksWebhookEndpointStatus{ObservedGeneration: -1}
				})
			},
			down: true,
		},
		{
			name:    "put the finalizer back",
			prepare: created(),
			act:     change(func(res *lab.Resource) { res.Finalizers = nil }),
		},
	}
}
