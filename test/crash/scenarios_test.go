// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

const (
	// hooks is the resource that most scenarios are about, and signing its Secret.
	hooks   = "hooks"
	signing = hooks + "-signing-secret"
)

// scenario is a change to a settled world.
type scenario struct {
	name string
	// prepare is undisturbed, and is followed by settling. Without one there is just an operator.
	prepare func(*lab.World)
	// act changes something.
	act func(*lab.World)
	// calls that Medblocks gets without a crash.
	calls calls
	// pairs: the successor is ended at each of its writes too.
	pairs bool
	// down: nothing runs while act does, and an operator with cold caches finds what has changed.
	down bool
}

// variants are all scenarios, seen by a running operator, and found by one that starts.
func variants() []scenario {
	var all []scenario
	for _, s := range scenarios() {
		all = append(all, s)
		if !s.down {
			s.name += " while down"
			s.down = true
			all = append(all, s)
		}
	}
	return all
}

// calls are the writes to Medblocks that matter most.
type calls struct{ posts, rotations, deletes int }

func scenarios() []scenario {
	return []scenario{
		{
			name:  "register",
			act:   create(),
			calls: calls{posts: 1}, pairs: true,
		},
		{
			name:    "spec change",
			prepare: create(),
			act: change(func(res *lab.Resource) {
				res.Spec.Description = "changed"
				res.Spec.Events = []v1alpha1.EventType{v1alpha1.EventAll}
				res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": "intake"}
			}),
		},
		{
			name:    "rotate by annotation",
			prepare: create(),
			act:     func(w *lab.World) { w.Annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now") },
			calls:   calls{rotations: 1}, pairs: true,
		},
		{
			name:    "delete",
			prepare: create(),
			act:     func(w *lab.World) { w.Delete(hooks) },
			calls:   calls{deletes: 1}, pairs: true,
		},
	}
}

// create makes the resource.
func create(tweaks ...func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) { w.Create(w.Manifest(hooks, tweaks...)) }
}

// change edits the resource.
func change(edit func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) { w.Change(hooks, edit) }
}
