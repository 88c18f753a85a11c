// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

func always(res *lab.Resource) {
	res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
}

// remote does something to the endpoint at Medblocks.
func remote(edit func(*emulator.Endpoint)) func(*lab.World) {
	return func(w *lab.World) { w.Expect(w.Vendor.SetEndpoint(w.Remote(hooks).ID, edit)).To(Succeed()) }
}

func observe(res *lab.Resource) { res.Spec.ManagementPolicy = v1alpha1.ManagementObserve }

// disable is what a person does in the dashboard.
func disable(w *lab.World) {
	remote(func(e *emulator.Endpoint) { e.Status = emulator.StatusDisabled })(w)
}

// exhaust is what Medblocks does after the ninth failed attempt to deliver an event.
func exhaust(w *lab.World) {
	w.T.Helper()
	code := 503
	_, err := w.Vendor.AddEvent(w.Key, emulator.EventRecord{WebhookEndpointID: w.Remote(hooks).ID, Attempts: 9, LastStatusCode: &code})
	w.Expect(err).NotTo(HaveOccurred())
	disable(w)
}

// remoteScenarios are about what happens at Medblocks.
func remoteScenarios() []scenario {
	return []scenario{
		{
			name:    "re-enable by policy",
			prepare: created(always),
			act:     exhaust,
		},
		{
			name:    "report a disable under policy Never",
			prepare: created(),
			act:     exhaust,
		},
		{
			name:    "re-enable by annotation",
			prepare: []func(*lab.World){create(always), disable},
			act:     annotate(v1alpha1.AnnotationReenableRequestedAt),
		},
		{
			name:    "patch drift back",
			prepare: created(),
			act:     remote(func(e *emulator.Endpoint) { e.Description = nil; e.Events = []string{emulator.EventWildcard} }),
		},
		{
			name:    "put the marks back",
			prepare: created(),
			act:     remote(func(e *emulator.Endpoint) { e.Metadata = map[string]any{"team": "billing"} }),
		},
		{
			name:    "register again what is gone",
			prepare: created(),
			act:     func(w *lab.World) { w.Expect(w.Vendor.RemoveEndpoint(w.Remote(hooks).ID)).To(Succeed()) },
			calls:   calls{posts: 1}, pairs: true,
		},
		{
			name:    "remove a duplicate",
			prepare: created(),
			act: func(w *lab.World) {
				duplicate := w.Remote(hooks).Endpoint
				duplicate.ID, duplicate.Metadata[v1alpha1.MarkSecretGeneration] = "", "lost"
				_, err := w.Vendor.AddEndpoint(w.Key, duplicate)
				w.Expect(err).NotTo(HaveOccurred())
			},
			calls: calls{deletes: 1},
		},
		{
			name:    "begin to observe",
			prepare: created(),
			act:     change(observe),
		},
		{
			name:    "manage again what drifted while it was observed",
			prepare: []func(*lab.World){create(), change(observe), remote(func(e *emulator.Endpoint) { e.Events = []string{emulator.EventWildcard} })},
			act:     change(func(res *lab.Resource) { res.Spec.ManagementPolicy = v1alpha1.ManagementManage }),
		},
		{
			name:    "replace the API key",
			prepare: created(),
			act: func(w *lab.World) {
				next := w.Key + "b"
				w.Expect(w.Vendor.SetKey(emulator.Key{APIKey: next, Workspace: lab.Workspace})).To(Succeed())
				w.SetKey(next)
			},
		},
	}
}
