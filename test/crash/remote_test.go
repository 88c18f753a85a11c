// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"net/http"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

func always(res *lab.Resource) {
	res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
}

// whenHealthy redelivers too.
func whenHealthy(res *lab.Resource) {
	res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
		Mode: v1alpha1.ReenableWhenHealthy, Redelivery: &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered},
	}
}

// everythingArrivedOnce: no event was lost, none was delivered twice, and attempts stay within the budget.
func everythingArrivedOnce(w *lab.World) {
	for _, event := range w.Vendor.Events(w.Remote(hooks).ID) {
		w.Expect(event.DeliveredAt).NotTo(BeNil(), "%s was not delivered", event.ID)
	}
	accepted := map[string]int{}
	for _, d := range w.Vendor.Deliveries() {
		if d.StatusCode == http.StatusOK {
			accepted[d.EventID]++
		}
	}
	for id, times := range accepted {
		w.Expect(times).To(Equal(1), "%s was delivered %d times", id, times)
	}
	if r := w.Get(hooks).Status.Reenable; r != nil {
		w.Expect(len(r.Attempts)).To(BeNumerically("<=", v1alpha1.DefaultReenableMaxAttempts))
	}
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
			name:    "re-enable when healthy, and redeliver",
			prepare: created(whenHealthy),
			act: func(w *lab.World) {
				lab.Miss(w, hooks, 4)
				exhaust(w)
			},
			ends: everythingArrivedOnce,
		},
		{
			name:    "redeliver to a receiver that refuses the canary",
			prepare: created(whenHealthy),
			act: func(w *lab.World) {
				lab.Miss(w, hooks, 2)
				w.Receiver.RefuseNext(1)
				exhaust(w)
			},
			ends: everythingArrivedOnce,
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
