// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// adopted is an endpoint that exists before its resource does, and existing a Secret of the user's with its signing secret. The
// secret is where a State looks for it, so that one shows whether it is still there and in force.
const (
	adopted  = "wh_01J9YR9N3X4VZ6P2K5RH7M3LMP"
	existing = "existing"
)

func adopting(res *lab.Resource) {
	res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: adopted, RotateSecret: true}
}

func adoptingWithCopy(res *lab.Resource) {
	res.Spec.Adopt = &v1alpha1.AdoptSpec{
		EndpointID: adopted, ExistingSecretRef: &v1alpha1.SecretKeyReference{Name: existing, Key: v1alpha1.SecretKeyValue},
	}
}

// stranger adds the endpoint that is adopted, and the Secret of the user's.
func stranger(metadata map[string]any) func(*lab.World) {
	return func(w *lab.World) {
		w.T.Helper()
		added, err := w.Vendor.AddEndpoint(w.Key, emulator.Endpoint{ID: adopted, Metadata: metadata})
		w.Expect(err).NotTo(HaveOccurred())
		w.CreateSecret(existing, map[string]string{v1alpha1.SecretKeyValue: added.Secret})
	}
}

// unmarked is an endpoint that nobody has marked, and theirs one that another operator has.
var (
	unmarked = stranger(map[string]any{"team": "billing"})
	theirs   = stranger(map[string]any{
		v1alpha1.MarkOwner: "elsewhere/shop/orders", v1alpha1.MarkIncarnation: "theirs", v1alpha1.MarkSecretGeneration: "theirs",
	})
)

// adoptionScenarios are about endpoints that somebody else has registered.
func adoptionScenarios() []scenario {
	return []scenario{
		{
			name:    "adopt with Rotate",
			prepare: []func(*lab.World){unmarked},
			act:     create(adopting),
			calls:   calls{rotations: 1}, pairs: true,
		},
		{
			name:    "adopt from another owner",
			prepare: []func(*lab.World){theirs},
			act:     create(adopting),
			calls:   calls{rotations: 1},
		},
		{
			name:    "adopt with a copy",
			prepare: []func(*lab.World){unmarked},
			act:     create(adoptingWithCopy),
			exact:   true, pairs: true,
			ends: secretsInForce(existing, signing),
		},
		{
			name:    "copy a lost Secret again",
			prepare: []func(*lab.World){unmarked, create(adoptingWithCopy)},
			act:     func(w *lab.World) { w.DeleteSecret(signing) },
			exact:   true,
			ends:    secretsInForce(existing, signing),
		},
		{
			name:    "rotate what was adopted with a copy",
			prepare: []func(*lab.World){unmarked, create(adoptingWithCopy)},
			act:     annotate(v1alpha1.AnnotationRotateSecretRequestedAt),
			calls:   calls{rotations: 1},
			ends:    secretsInForce(signing),
		},
		{
			name:    "delete what was adopted with a copy",
			prepare: []func(*lab.World){unmarked, create(adoptingWithCopy)},
			act:     remove,
			calls:   calls{deletes: 1},
			ends: func(w *lab.World) {
				w.Expect(w.Secret(existing)).NotTo(BeNil())
				w.Expect(w.Secret(signing)).To(BeNil())
			},
		},
	}
}

// secretsInForce tells that Secrets hold what Medblocks signs with.
func secretsInForce(names ...string) func(*lab.World) {
	return func(w *lab.World) {
		w.T.Helper()
		for _, name := range names {
			w.Expect(string(w.Secret(name).Data[v1alpha1.SecretKeyValue])).To(Equal(w.Remote(hooks).Secret), name)
		}
	}
}
