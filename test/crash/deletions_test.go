// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

func orphan(res *lab.Resource) { res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }

func remove(w *lab.World) { w.Delete(hooks) }

// deletionScenarios are about the end.
func deletionScenarios() []scenario {
	return []scenario{
		{
			name:    "delete",
			prepare: created(),
			act:     remove,
			calls:   calls{deletes: 1}, pairs: true,
		},
		{
			name:    "delete with Orphan",
			prepare: created(orphan),
			act:     remove, pairs: true,
		},
		{
			name:   "delete during the registration",
			act:    create(),
			during: deleteDuringPOST,
			still:  remove,
			calls:  calls{posts: 1, deletes: 1}, fewer: true, pairs: true,
		},
		{
			name:    "delete while a rotation is due",
			prepare: created(),
			act: func(w *lab.World) {
				annotate(v1alpha1.AnnotationRotateSecretRequestedAt)(w)
				remove(w)
			},
			calls: calls{rotations: 1, deletes: 1}, fewer: true,
		},
		{
			name:    "delete what is gone at Medblocks",
			prepare: created(),
			act: func(w *lab.World) {
				id := w.Remote(hooks).ID
				remove(w)
				_ = w.Vendor.RemoveEndpoint(id) // the operator may have been faster
			},
			calls: calls{deletes: 1}, fewer: true,
		},
		{
			name:    "delete and create again",
			prepare: created(),
			act:     remove,
			still:   recreate,
			calls:   calls{posts: 1, deletes: 1},
		},
	}
}

// deleteDuringPOST asks for the deletion while the POST is on its way.
func deleteDuringPOST(w *lab.World) lab.Middleware {
	return func(_ *lab.Wire, r *lab.Request, send func() (*http.Response, error)) (*http.Response, error) {
		if r.Side == lab.Medblocks && r.Method == http.MethodPost {
			if err := client.IgnoreNotFound(w.Client.Delete(w.Context(), w.Manifest(hooks))); err != nil {
				return nil, err
			}
		}
		return send()
	}
}

// recreate creates the resource again once it is gone.
func recreate(w *lab.World) {
	if w.Get(hooks) == nil {
		create()(w)
	}
}
