// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// adversary does to the world what people and other programs do.
type adversary struct {
	*lab.World
	dice    *rand.Rand
	storm   *storm
	started time.Time
	log     []string
	wires   []*lab.Wire
	tokens  int
	// disabled are the endpoints that a person has disabled, and that nobody has asked to be enabled since.
	disabled map[string]bool
}

// deed is something that the adversary may do to one resource.
type deed struct {
	name string
	do   func(a *adversary, res *lab.Resource)
	// forgets: the operator no longer knows the endpoint's id, or may not for long.
	forgets bool
}

var deeds = []deed{
	{name: "edits the spec", do: func(a *adversary, res *lab.Resource) { a.Change(res.Name, a.edit) }},
	{name: "edits the spec", do: func(a *adversary, res *lab.Resource) { a.Change(res.Name, a.edit) }},
	{name: "asks for a rotation", do: func(a *adversary, res *lab.Resource) {
		a.Annotate(res.Name, v1alpha1.AnnotationRotateSecretRequestedAt, a.token())
	}},
	{name: "deletes the resource and creates it again", forgets: true, do: (*adversary).recreate},
	{name: "deletes the Secret", do: func(a *adversary, res *lab.Resource) {
		if a.Secret(res.SigningSecretName()) != nil {
			a.DeleteSecret(res.SigningSecretName())
		}
	}},
	{name: "tampers with the Secret", do: (*adversary).tamper},
	{name: "takes the finalizer and the intent away", forgets: true, do: func(a *adversary, res *lab.Resource) {
		a.Change(res.Name, func(res *lab.Resource) { res.Finalizers = nil })
	}},
	{name: "disables the endpoint", do: (*adversary).disable},
	{name: "enables the endpoint", do: (*adversary).enable},
	{name: "exhausts an event", do: (*adversary).exhaust},
	{name: "deletes the endpoint", do: func(a *adversary, res *lab.Resource) {
		for _, e := range a.Owned(res.Name) {
			delete(a.disabled, e.ID)
			a.Expect(a.Vendor.RemoveEndpoint(e.ID)).To(Succeed())
		}
	}},
	{name: "edits the endpoint", do: (*adversary).drift},
	{name: "crashes the operator", do: func(a *adversary, _ *lab.Resource) {
		kinds := lab.CrashKinds()
		a.storm.crash(1+a.dice.IntN(4), kinds[a.dice.IntN(len(kinds))])
	}},
	{name: "changes the API key", do: (*adversary).changeKey},
	{name: "wipes the status", forgets: true, do: func(a *adversary, res *lab.Resource) {
		a.ChangeStatus(res.Name, func(status *v1alpha1.MedblocksWebhookEndpointStatus) {
			*status = v1alpha1.MedblocksWebhookEndpointStatus{}
		})
		for _, e := range a.Owned(res.Name) {
			delete(a.disabled, e.ID) // a baseline is taken anew
		}
	}},
}

var eventTypes = []v1alpha1.EventType{v1alpha1.EventPatientFlowCompleted, v1alpha1.EventRecordsSyncCompleted, v1alpha1.EventRecordsSyncFailed}

// act does something to somebody.
func (a *adversary) act() {
	resources := a.Resources()
	res := &resources[a.dice.IntN(len(resources))]
	d := deeds[a.dice.IntN(len(deeds))]
	if d.forgets && a.storm.lies.hides(res.Status.EndpointID) {
		a.say("%s: %s, but for a list that hides its endpoint", res.Name, d.name)
		return
	}
	a.say("%s: %s", res.Name, d.name)
	d.do(a, res)
}

func (a *adversary) say(format string, args ...any) {
	a.log = append(a.log, fmt.Sprintf("%10s  ", a.Clock.Now().Sub(a.started).Round(time.Second))+fmt.Sprintf(format, args...))
}

func (a *adversary) token() string {
	a.tokens++
	return fmt.Sprint("token ", a.tokens)
}

func (a *adversary) edit(res *lab.Resource) {
	switch a.dice.IntN(5) {
	case 0:
		res.Spec.URL = fmt.Sprintf("%s/%s?version=%d", a.Receiver.URL, res.Name, a.dice.IntN(100))
	case 1:
		res.Spec.Events = eventTypes[:1+a.dice.IntN(len(eventTypes))]
	case 2:
		res.Spec.Description = fmt.Sprint("description ", a.dice.IntN(100))
	case 3:
		res.Spec.Metadata = map[string]v1alpha1.MetadataValue{"team": v1alpha1.MetadataValue(fmt.Sprint(a.dice.IntN(100)))}
	case 4:
		state := []v1alpha1.EndpointState{v1alpha1.StateActive, v1alpha1.StateDisabled}[a.dice.IntN(2)]
		res.Spec.State = state
		for _, e := range a.Owned(res.Name) {
			delete(a.disabled, e.ID) // from now on it is the spec's wish that counts
		}
	}
}

func (a *adversary) recreate(res *lab.Resource) {
	a.Delete(res.Name)
	a.Advance(time.Duration(a.dice.IntN(600)) * time.Second)
	if a.Get(res.Name) == nil {
		a.Create(a.Manifest(res.Name, withPolicy))
	}
}

func (a *adversary) tamper(res *lab.Resource) {
	if a.Secret(res.SigningSecretName()) == nil {
		return
	}
	a.ChangeSecret(res.SigningSecretName(), func(secret *corev1.Secret) {
		switch a.dice.IntN(3) {
		case 0:
			secret.Data[v1alpha1.SecretKeyValue] = []byte("whsec_tampered")
		case 1:
			delete(secret.Annotations, v1alpha1.AnnotationSecretGeneration)
		case 2:
			secret.Labels = nil
		}
	})
}

// disable is a person's wish where nothing else has disabled the endpoint, and nothing is on its way to.
func (a *adversary) disable(res *lab.Resource) {
	for _, e := range a.Owned(res.Name) {
		if e.Status == emulator.StatusActive && a.isUntroubled(res) {
			a.disabled[e.ID] = true
		}
		a.Expect(a.Vendor.DisableEndpoint(e.ID)).To(Succeed())
	}
}

// isUntroubled tells whether a resource is Ready, wants its endpoint to be active, and has no request or exhausted event about.
func (a *adversary) isUntroubled(res *lab.Resource) bool {
	exhausted := slices.ContainsFunc(a.Vendor.Events(res.Status.EndpointID), func(e emulator.EventRecord) bool { return e.Attempts >= 9 })
	return !exhausted && isReady(res) && !res.WantsDisabled() && res.Status.ObservedGeneration == res.Generation &&
		res.Annotations[v1alpha1.AnnotationReenableRequestedAt] == res.Status.LastHandledReenableAt
}

func (a *adversary) enable(res *lab.Resource) {
	for _, e := range a.Owned(res.Name) {
		delete(a.disabled, e.ID)
		a.Expect(a.Vendor.EnableEndpoint(e.ID)).To(Succeed())
	}
}

// exhaust leaves the endpoint as nine failed attempts to deliver an event do.
func (a *adversary) exhaust(res *lab.Resource) {
	for _, e := range a.Owned(res.Name) {
		if a.disabled[e.ID] {
			continue
		}
		_, err := a.Vendor.AddEvent("", emulator.EventRecord{WebhookEndpointID: e.ID, Attempts: 9})
		a.Expect(err).NotTo(HaveOccurred())
		a.Expect(a.Vendor.DisableEndpoint(e.ID)).To(Succeed())
	}
}

func (a *adversary) drift(res *lab.Resource) {
	choice := a.dice.IntN(3)
	for _, e := range a.Owned(res.Name) {
		a.Expect(a.Vendor.SetEndpoint(e.ID, func(e *emulator.Endpoint) {
			switch choice {
			case 0:
				e.URL += "&drifted"
			case 1:
				delete(e.Metadata, v1alpha1.MarkSecretGeneration)
			case 2:
				e.Metadata["somebody"] = "else"
			}
		})).To(Succeed())
	}
}

// changeKey takes another key of the workspace, one that is refused, or, where every endpoint is known, that of another workspace.
func (a *adversary) changeKey(*lab.Resource) {
	choice := a.dice.IntN(3)
	key := fmt.Sprintf("mb_sk_sbx_canary%s%d", a.Namespace, a.dice.IntN(1000))
	switch {
	case choice == 0:
		a.Expect(a.Vendor.SetKey(emulator.Key{APIKey: key, Workspace: lab.Workspace})).To(Succeed())
	case choice == 1:
		a.Expect(a.Vendor.SetKey(emulator.Key{APIKey: key, Workspace: lab.Workspace, State: emulator.KeyRevoked})).To(Succeed())
	case slices.ContainsFunc(a.Resources(), func(res lab.Resource) bool { return !isReady(&res) || !res.DeletionTimestamp.IsZero() }):
		return
	default:
		a.Expect(a.Vendor.SetKey(emulator.Key{APIKey: key, Workspace: "another"})).To(Succeed())
		a.SetKey(key)
		a.Advance(7 * time.Minute)
		key = a.Key
	}
	a.SetKey(key)
}

func isReady(res *lab.Resource) bool {
	return meta.IsStatusConditionTrue(res.Status.Conditions, v1alpha1.ConditionReady)
}

func withPolicy(res *lab.Resource) {
	res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{Mode: v1alpha1.ReenableAlways}
}
