// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stale

import (
	"slices"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

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
	// down: nothing runs while act does.
	down bool
	// whole: it is several wishes in a row, and there are no plans that break off in the middle: a wish that is made while no
	// operator runs replaces the one before it.
	whole bool
	// calls that Medblocks gets after that.
	calls calls
	// exact: there is no rotation more, whatever is lost: no answer holds a secret.
	exact bool
}

// calls are the writes to Medblocks that matter most.
type calls struct{ posts, rotations, deletes int }

func scenarios() []scenario {
	return slices.Concat(lives(), adoptions(), secrets())
}

// lives are the scenarios of endpoints.
func lives() []scenario {
	return []scenario{
		{name: "register", act: create(), calls: calls{posts: 1}},
		{
			name:    "spec change",
			prepare: create(),
			act: change(func(res *lab.Resource) {
				res.Spec.URL += "?version=2"
				res.Spec.Description = "changed"
				res.Spec.Events = []v1alpha1.EventType{v1alpha1.EventAll}
				res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": "intake"}
			}),
		},
		{
			name:    "disable",
			prepare: create(),
			act:     change(func(res *lab.Resource) { res.Spec.State = v1alpha1.StateDisabled }),
		},
		{
			name:    "enable",
			prepare: create(func(res *lab.Resource) { res.Spec.State = v1alpha1.StateDisabled }),
			act:     change(func(res *lab.Resource) { res.Spec.State = v1alpha1.StateActive }),
		},
		{
			name:    "disable and enable",
			prepare: create(),
			act: all(
				change(func(res *lab.Resource) { res.Spec.State = v1alpha1.StateDisabled }), settle,
				change(func(res *lab.Resource) { res.Spec.State = "" }),
			),
		},
		{name: "delete", prepare: create(), act: remove, calls: calls{deletes: 1}},
		{name: "delete with Orphan", prepare: create(orphaned), act: remove},
		{
			name:    "delete and recreate",
			whole:   true,
			prepare: create(),
			act:     all(remove, settle, create(func(res *lab.Resource) { res.Spec.Description = "again" })),
			calls:   calls{posts: 1, deletes: 1},
		},
		{
			name:    "restore",
			prepare: create(),
			act:     restore, down: true,
		},
		{
			name: "two resources",
			act: func(w *lab.World) {
				w.Create(w.Manifest(hooks))
				w.Create(w.Manifest("billing"))
			},
			calls: calls{posts: 2},
		},
		{
			name:    "gone at Medblocks",
			prepare: create(),
			act:     func(w *lab.World) { w.Expect(w.Vendor.RemoveEndpoint(w.Remote(hooks).ID)).To(Succeed()) },
			calls:   calls{posts: 1},
		},
	}
}

// adoptions are the scenarios of endpoints that somebody else has registered.
func adoptions() []scenario {
	adopt := func(spec v1alpha1.AdoptSpec) func(*lab.Resource) {
		spec.EndpointID = adopted
		return func(res *lab.Resource) { res.Spec.Adopt = &spec }
	}
	withCopy := adopt(v1alpha1.AdoptSpec{ExistingSecretRef: &v1alpha1.SecretKeyReference{Name: existing, Key: v1alpha1.SecretKeyValue}})
	return []scenario{
		{
			name:    "adopt",
			prepare: stranger,
			act:     create(adopt(v1alpha1.AdoptSpec{RotateSecret: true})),
			calls:   calls{rotations: 1},
		},
		{
			name:    "adopt with a copy",
			prepare: stranger,
			act:     create(withCopy),
			exact:   true,
		},
		{
			name:    "copy a lost Secret again",
			prepare: all(stranger, create(withCopy)),
			act:     func(w *lab.World) { w.DeleteSecret(signing) },
			exact:   true,
		},
	}
}

// secrets are the scenarios of signing Secrets.
func secrets() []scenario {
	return []scenario{
		{name: "rotate", prepare: create(), act: rotate("now"), calls: calls{rotations: 1}},
		{name: "rotate twice", whole: true, prepare: create(), act: all(rotate("once"), settle, rotate("twice")), calls: calls{rotations: 2}},
		{
			name: "rotate by interval",
			prepare: create(func(res *lab.Resource) {
				res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Rotation: &v1alpha1.SecretRotation{Interval: hours(24)}}
			}),
			act:   func(w *lab.World) { w.Advance(24 * time.Hour) },
			calls: calls{rotations: 1},
		},
		{
			name:    "rename the Secret",
			prepare: create(),
			act:     change(func(res *lab.Resource) { res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "renamed"} }),
		},
		{
			name:    "rename the Secret and back",
			whole:   true,
			prepare: create(),
			act: all(
				change(func(res *lab.Resource) { res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "renamed"} }), settle,
				change(func(res *lab.Resource) { res.Spec.SigningSecret = nil }),
			),
		},
		{
			name:    "dress the Secret",
			prepare: create(),
			act: change(func(res *lab.Resource) {
				res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Labels: map[string]v1alpha1.LabelValue{"team": "intake"}}
			}),
		},
		{
			name:    "heal a lost Secret",
			prepare: create(),
			act:     func(w *lab.World) { w.DeleteSecret(signing) },
			calls:   calls{rotations: 1},
		},
		{
			name:    "heal a Secret that somebody changed",
			prepare: create(),
			act: func(w *lab.World) {
				w.ChangeSecret(signing, func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyValue] = []byte("whsec_tampered") })
			},
			calls: calls{rotations: 1},
		},
	}
}
