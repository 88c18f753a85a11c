// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stale

import (
	"slices"
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// create makes the resource.
func create(tweaks ...func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) { w.Create(w.Manifest(hooks, tweaks...)) }
}

// change edits the resource.
func change(edit func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) { w.Change(hooks, edit) }
}

func remove(w *lab.World) { w.Delete(hooks) }

func orphaned(res *lab.Resource) { res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }

func rotate(token string) func(*lab.World) {
	return func(w *lab.World) { w.Annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, token) }
}

func hours(n int) metav1.Duration { return metav1.Duration{Duration: time.Duration(n) * time.Hour} }

func settle(w *lab.World) { w.Settle() }

// all does one thing after the other.
func all(steps ...func(*lab.World)) func(*lab.World) {
	return func(w *lab.World) {
		for _, step := range steps {
			step(w)
		}
	}
}

// strip takes the finalizer off, as a person does who has lost patience.
func strip(w *lab.World) {
	w.Change(hooks, func(res *lab.Resource) {
		res.Finalizers = slices.DeleteFunc(res.Finalizers, func(f string) bool { return f == v1alpha1.Finalizer })
	})
}

// restore loses the resource without the operator's doing, and puts back what a backup of manifests holds.
func restore(w *lab.World) {
	was := w.Get(hooks)
	w.Expect(was).NotTo(BeNil())
	remove(w)
	if w.Get(hooks) != nil {
		strip(w)
	}
	w.Create(&lab.Resource{ObjectMeta: metav1.ObjectMeta{Namespace: was.Namespace, Name: was.Name}, Spec: was.Spec})
}

// callsTo counts what arrived at Medblocks since the counters were reset.
func callsTo(w *lab.World) calls {
	n := w.Vendor.Counters().Calls
	return calls{
		posts: n[emulator.OperationCreateEndpoint], rotations: n[emulator.OperationRotateSecret], deletes: n[emulator.OperationDeleteEndpoint],
	}
}
