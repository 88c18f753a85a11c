// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"time"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

const hooks = "hooks"

// scenario is something that an operator has to do, while something goes wrong.
type scenario struct {
	name string
	// spec of the resource hooks.
	spec func(*lab.Resource)
	// unregistered: the story begins before there is a resource.
	unregistered bool
	// asked: what happens is one request to the API server.
	asked bool
	// act is what happens.
	act func(*lab.World)
}

func scenarios() []scenario {
	return []scenario{
		{name: "register", asked: true, unregistered: true, act: func(w *lab.World) { w.Create(w.Manifest(hooks, described)) }},
		{name: "change the spec", asked: true, act: func(w *lab.World) { w.Change(hooks, changed) }},
		{name: "adopt with a rotation", unregistered: true, act: adopt(v1alpha1.AdoptSpec{RotateSecret: true})},
		{name: "adopt with a copy", unregistered: true, act: adopt(v1alpha1.AdoptSpec{ExistingSecretRef: &v1alpha1.SecretKeyReference{Name: "existing", Key: "secret"}})},
		{name: "rename the Secret", asked: true, act: func(w *lab.World) {
			w.Change(hooks, func(res *lab.Resource) { res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "renamed"} })
		}},
		{name: "rotate", asked: true, act: func(w *lab.World) { w.Annotate(hooks, v1alpha1.AnnotationRotateSecretRequestedAt, "now") }},
		{name: "heal a lost Secret", asked: true, act: func(w *lab.World) { w.DeleteSecret(hooks + "-signing-secret") }},
		{name: "disable and enable by the spec", act: disableAndEnable},
		{name: "re-enable by policy", spec: reenabled, act: exhaust},
		{name: "re-enable when healthy, and redeliver", spec: redelivered, act: func(w *lab.World) {
			lab.Miss(w, hooks, 3)
			exhaust(w)
		}},
		{name: "delete", asked: true, act: func(w *lab.World) { w.Delete(hooks) }},
		{name: "delete with Orphan", asked: true, spec: orphaned, act: func(w *lab.World) { w.Delete(hooks) }},
		{name: "gone, and registered again", act: func(w *lab.World) {
			w.Expect(w.Vendor.RemoveEndpoint(w.Remote(hooks).ID)).To(Succeed())
			w.Advance(w.Defaults.PollInterval + time.Minute)
		}},
		{name: "steady polls", act: func(w *lab.World) { w.Advance(4 * w.Defaults.PollInterval) }},
	}
}

// adopt takes over an endpoint that somebody has registered by hand, and whose secret is in a Secret of theirs.
func adopt(spec v1alpha1.AdoptSpec) func(*lab.World) {
	return func(w *lab.World) {
		added, err := w.Vendor.AddEndpoint(w.Key, emulator.Endpoint{URL: w.Receiver.URL + "/by-hand"})
		w.Expect(err).NotTo(HaveOccurred())
		w.CreateSecret("existing", map[string]string{"secret": added.Secret})
		own := spec // of this world
		own.EndpointID = added.ID
		w.Create(w.Manifest(hooks, described, func(res *lab.Resource) { res.Spec.Adopt = &own }))
	}
}

func described(res *lab.Resource) {
	res.Spec.Description = "Production"
	res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": "platform"}
}

func changed(res *lab.Resource) {
	res.Spec.URL += "?version=2"
	res.Spec.Events = []v1alpha1.EventType{v1alpha1.EventRecordsSyncCompleted}
	res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": "data"}
}

func orphaned(res *lab.Resource) { res.Spec.DeletionPolicy = v1alpha1.DeletionOrphan }

func reenabled(res *lab.Resource) {
	res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
		Mode:    v1alpha1.ReenableAlways,
		Backoff: &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: time.Minute}},
	}
}

// redelivered is enabled once its receiver is healthy, and gets what it has missed.
func redelivered(res *lab.Resource) {
	reenabled(res)
	res.Spec.ReenablePolicy.Mode = v1alpha1.ReenableWhenHealthy
	res.Spec.ReenablePolicy.Redelivery = &v1alpha1.RedeliveryPolicy{Mode: v1alpha1.RedeliveryUndelivered}
}

func disableAndEnable(w *lab.World) {
	w.Change(hooks, func(res *lab.Resource) { res.Spec.State = v1alpha1.StateDisabled })
	w.Settle()
	w.Change(hooks, func(res *lab.Resource) { res.Spec.State = v1alpha1.StateActive })
}

// exhaust leaves an endpoint as nine failed attempts to deliver an event do.
func exhaust(w *lab.World) {
	id := w.Remote(hooks).ID
	_, err := w.Vendor.AddEvent("", emulator.EventRecord{WebhookEndpointID: id, Attempts: 9})
	w.Expect(err).NotTo(HaveOccurred())
	w.Expect(w.Vendor.DisableEndpoint(id)).To(Succeed())
	w.Advance(w.Defaults.DisabledPollInterval + 30*time.Second)
}

// begin brings a world to where the scenario starts.
func (s scenario) begin(w *lab.World) *lab.Operator { return s.beginThrough(w, w.NewWire()) }

func (s scenario) beginThrough(w *lab.World, wire *lab.Wire) *lab.Operator {
	op := w.StartThrough(wire)
	if s.unregistered {
		w.Quiesce()
		return op
	}
	w.Create(w.Manifest(hooks, described, func(res *lab.Resource) {
		if s.spec != nil {
			s.spec(res)
		}
	}))
	w.Expect(w.Settle()).To(BeTrue())
	return op
}
