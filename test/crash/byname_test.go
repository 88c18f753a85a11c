// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// byNameScenarios are for an operator that finds Secrets by their names only.
func byNameScenarios() []scenario {
	middle := signingSecret(v1alpha1.SigningSecretSpec{Name: "middle"})
	all := append(renameScenarios(), []scenario{
		{
			name:  "register under a name that is changed while nobody runs",
			act:   create(middle),
			still: rename("last"),
			calls: calls{posts: 1},
			ends:  movedOn,
		},
		{
			name:    "rename and delete",
			prepare: created(),
			act:     rename("middle"),
			still: func(w *lab.World) {
				if w.Get(hooks) != nil {
					rename("last")(w)
					w.Delete(hooks)
				}
			},
			calls: calls{deletes: 1},
			exact: true,
			ends: func(w *lab.World) {
				for _, name := range []string{signing, "middle", "last"} {
					w.Expect(w.Secret(name)).To(BeNil())
				}
			},
		},
		{
			name:    "heal a lost Secret",
			prepare: created(),
			act: func(w *lab.World) {
				w.DeleteSecret(signing)
				w.Advance(2 * w.Defaults.PollInterval)
			},
			calls: calls{rotations: 1},
		},
	}...)
	for i := range all {
		all[i].name += ", without listing Secrets"
		all[i].byName = true
	}
	return all
}
