// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/lab"
)

func TestAStaleReadOfTheResourceCausesNoSecondPost(t *testing.T) {
	t.Parallel()
	w := lab.NewWorld(t)
	history := w.Record()
	first := w.Start()
	w.Create(w.Manifest(hooks))
	w.Expect(w.Settle()).To(BeTrue())
	first.Kill()
	born := history.Revisions()[1] // the resource as it was created: no finalizer, no intent, no status
	w.Expect(born.Event).To(Equal(hooks + " added"))

	t.Log("Somebody deletes the endpoint, so that a POST is all that a resource of this look could need.")
	w.Expect(w.Vendor.RemoveEndpoint(w.Remote(hooks).ID)).To(Succeed())
	view := w.NewViewAt(born.Number)
	wire := w.NewWire()
	wire.Intercept(view.Serve)
	second := w.StartThrough(wire, func(o *lab.OperatorOptions) { o.Blind = true })
	w.Advance(time.Hour)
	w.Expect(posts(w)()).To(Equal(1))
	w.Expect(wire.Writes()).To(BeEmpty())

	view.Release()
	second.SetBlind(false)
	w.Expect(w.Settle()).To(BeTrue())
	w.Expect(posts(w)()).To(Equal(2), "it is registered again, once, by what is true")
	w.CheckInvariants()
}

func TestAnOldIncarnationNeverTouchesANewOneOfTheSameName(t *testing.T) {
	t.Parallel()
	w := lab.NewWorld(t)
	first := w.Start()
	w.Create(w.Manifest(hooks))
	w.Expect(w.Settle()).To(BeTrue())
	first.Kill()

	t.Log("The old incarnation is being deleted, loses its finalizer, and comes again; a second operator resumes its endpoint.")
	history := w.Record()
	w.Delete(hooks)
	dying := w.Get(hooks)
	w.Expect(dying.DeletionTimestamp.IsZero()).To(BeFalse())
	w.Change(hooks, func(res *lab.Resource) { res.Finalizers = nil })
	w.Create(w.Manifest(hooks))
	second := w.Start()
	w.Expect(w.Settle()).To(BeTrue())
	w.Expect(w.Get(hooks).UID).NotTo(Equal(dying.UID))
	endpoint, secret := w.Remote(hooks), w.Secret(signing)
	second.Kill()

	t.Log("A third one still sees the old incarnation, being deleted.")
	doomed := history.Revisions()[1]
	w.Expect(doomed.Number).To(Equal(dying.ResourceVersion))
	view := w.NewViewAt(doomed.Number)
	wire := w.NewWire()
	wire.Intercept(view.Serve)
	third := w.StartThrough(wire, func(o *lab.OperatorOptions) { o.Blind = true })
	w.Advance(time.Hour)
	w.Expect(wire.Writes()).To(BeEmpty())
	w.Expect(w.Remote(hooks)).To(Equal(endpoint))
	w.Expect(w.Secret(signing)).To(Equal(secret))
	w.Expect(w.Get(hooks).Finalizers).To(ContainElement(v1alpha1.Finalizer))

	view.Release()
	third.SetBlind(false)
	w.Expect(w.Settle()).To(BeTrue())
	w.Expect(w.Remote(hooks).ID).To(Equal(endpoint.ID))
	w.CheckInvariants()
}
