// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

// rival is a resource that comes after hooks, although its name comes first: an older claim wins by its age.
const rival = "another"

// createRivals creates two resources that want the same. Creation times are whole seconds.
func createRivals(tweak func(*lab.Resource)) func(*lab.World) {
	return func(w *lab.World) {
		w.T.Helper()
		create(tweak)(w)
		w.Eventually(time.Now).WithTimeout(patience).Should(BeTemporally(">=", w.Get(hooks).CreationTimestamp.Add(time.Second)))
		w.Create(w.Manifest(rival, tweak))
	}
}

// rivalScenarios are about two resources that claim what only one of them can have.
func rivalScenarios() []scenario {
	shared := signingSecret(v1alpha1.SigningSecretSpec{Name: "shared"})
	return []scenario{
		{
			name:    "two adopt one endpoint",
			prepare: []func(*lab.World){unmarked},
			act:     createRivals(adopting),
			calls:   calls{rotations: 1},
			down:    true, ends: olderWins,
		},
		{
			name:    "two adopt one endpoint with a copy",
			prepare: []func(*lab.World){unmarked},
			act:     createRivals(adoptingWithCopy),
			exact:   true, down: true, ends: olderWins,
		},
		{
			name:  "two want one signing Secret",
			act:   createRivals(shared),
			calls: calls{posts: 1},
			down:  true, ends: olderWins,
		},
		{
			name:    "the older adopter lets go of the endpoint",
			prepare: []func(*lab.World){unmarked, createRivals(func(res *lab.Resource) { adopting(res); orphan(res) })},
			act:     remove,
			calls:   calls{rotations: 1},
			ends:    heirHasIt,
		},
		{
			name:    "the resource with the signing Secret is deleted",
			prepare: []func(*lab.World){createRivals(shared)},
			act:     remove,
			calls:   calls{posts: 1, deletes: 1},
			ends:    heirHasIt,
		},
	}
}

// olderWins tells that the older resource has what both want, and that the other one has nothing and says why.
func olderWins(w *lab.World) {
	w.T.Helper()
	w.Expect(meta.IsStatusConditionTrue(w.Get(hooks).Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
	w.Expect(w.Owned(hooks)).To(HaveLen(1))
	w.Expect(w.Owned(rival)).To(BeEmpty())
	w.Expect(w.Secret(rival + "-signing-secret")).To(BeNil())
	loser := w.Get(rival)
	w.Expect(loser.Finalizers).To(BeEmpty(), "it has nothing to clean up")
	w.Expect(meta.IsStatusConditionTrue(loser.Status.Conditions, v1alpha1.ConditionStalled)).To(BeTrue())
	synced := meta.FindStatusCondition(loser.Status.Conditions, v1alpha1.ConditionSynced)
	w.Expect(synced).To(HaveField("Reason", v1alpha1.ReasonConflict))
}

// heirHasIt tells that the younger resource has got its turn.
func heirHasIt(w *lab.World) {
	w.T.Helper()
	w.Expect(w.Get(hooks)).To(BeNil())
	w.Expect(w.Owned(rival)).To(HaveLen(1))
	w.Expect(meta.IsStatusConditionTrue(w.Get(rival).Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
}
