// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

func disabled(res *lab.Resource) { res.Spec.State = v1alpha1.StateDisabled }
func active(res *lab.Resource)   { res.Spec.State = v1alpha1.StateActive }

// edited changes every field that a PATCH carries.
func edited(res *lab.Resource) {
	res.Spec.URL += "?moved"
	res.Spec.Description = "changed"
	res.Spec.Events = []v1alpha1.EventType{v1alpha1.EventAll}
	res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": "intake"}
}

// fieldScenarios are about the spec.
func fieldScenarios() []scenario {
	const other = "other"
	return []scenario{
		{
			name:  "register",
			act:   create(),
			calls: calls{posts: 1}, pairs: true,
		},
		{
			name:  "register disabled",
			act:   create(disabled),
			calls: calls{posts: 1},
		},
		{
			name: "register two at once",
			act: func(w *lab.World) {
				w.Create(w.Manifest(hooks))
				w.Create(w.Manifest(other))
			},
			calls: calls{posts: 2}, several: true,
		},
		{
			name:    "spec change",
			prepare: created(),
			act:     change(edited),
		},
		{
			name:    "two resources changed and deleted at once",
			prepare: []func(*lab.World){create(), func(w *lab.World) { w.Create(w.Manifest(other)) }},
			act: func(w *lab.World) {
				w.Change(hooks, func(res *lab.Resource) { res.Spec.Description = "changed" })
				w.Delete(other)
			},
			calls: calls{deletes: 1},
		},
		{
			name:    "disable by spec",
			prepare: created(),
			act:     change(disabled),
		},
		{
			name:    "enable by spec",
			prepare: created(disabled),
			act:     change(active),
		},
		{
			name:    "suspend, change and resume",
			prepare: []func(*lab.World){create(), change(func(res *lab.Resource) { res.Spec.Suspend = true; res.Spec.Description = "changed" })},
			act:     change(func(res *lab.Resource) { res.Spec.Suspend = false }),
		},
	}
}
