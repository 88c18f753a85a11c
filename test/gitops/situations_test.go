// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/emulator"
	"github.com/medblocks/webhook-operator/test/lab"
)

// hooks is the resource in every situation.
const hooks = "patient-events"

// situation is one that a resource may be in, and what is to be made of it. Its name is that of its status in testdata.
type situation struct {
	name    string
	arrange func(*lab.World)

	argo, argoNonBlocking string
	flux, fluxNonBlocking status.Status
	// kstatus, if it says something else than flux, about what is being deleted.
	kstatus status.Status
}

// situations of an endpoint.
func situations() []situation {
	const current, inProgress, failed = status.CurrentStatus, status.InProgressStatus, status.FailedStatus
	return []situation{
		{name: "progressing_new", arrange: nobodyLooks, argo: progressing, argoNonBlocking: progressing, flux: inProgress, fluxNonBlocking: inProgress},
		{name: "progressing_registering", arrange: registering, argo: progressing, argoNonBlocking: progressing, flux: inProgress, fluxNonBlocking: inProgress},
		{name: "progressing_key_missing", arrange: keyMissing(time.Minute), argo: progressing, argoNonBlocking: progressing, flux: inProgress, fluxNonBlocking: inProgress},
		{name: "degraded_key_missing", arrange: keyMissing(10 * time.Minute), argo: degraded, argoNonBlocking: degraded, flux: failed, fluxNonBlocking: failed},
		{name: "healthy_ready", arrange: ready(), argo: healthy, argoNonBlocking: healthy, flux: current, fluxNonBlocking: current},
		{name: "healthy_disabled_by_spec", arrange: ready(disabledBySpec), argo: healthy, argoNonBlocking: healthy, flux: current, fluxNonBlocking: current},
		{name: "healthy_observed", arrange: observed, argo: healthy, argoNonBlocking: healthy, flux: current, fluxNonBlocking: current},
		{name: "degraded_auto_disabled", arrange: autoDisabled(), argo: degraded, argoNonBlocking: healthy, flux: failed, fluxNonBlocking: current},
		{name: "progressing_reenabling", arrange: autoDisabled(always), argo: progressing, argoNonBlocking: healthy, flux: inProgress, fluxNonBlocking: current},
		{name: "degraded_disabled_manually", arrange: disabledManually, argo: degraded, argoNonBlocking: healthy, flux: failed, fluxNonBlocking: current},
		{name: "suspended", arrange: suspendedLater(ready()), argo: suspended, argoNonBlocking: healthy, flux: current, fluxNonBlocking: current},
		{name: "suspended_auto_disabled", arrange: suspendedLater(autoDisabled()), argo: suspended, argoNonBlocking: healthy, flux: inProgress, fluxNonBlocking: current},
		{name: "suspended_unregistered", arrange: ready(suspend), argo: suspended, argoNonBlocking: suspended, flux: inProgress, fluxNonBlocking: inProgress},
		{name: "progressing_changed", arrange: changedUnseen, argo: progressing, argoNonBlocking: progressing, flux: inProgress, fluxNonBlocking: inProgress},
		{name: "progressing_unavailable", arrange: unavailable, argo: progressing, argoNonBlocking: progressing, flux: inProgress, fluxNonBlocking: inProgress},
		{name: "degraded_invalid_request", arrange: invalid, argo: degraded, argoNonBlocking: degraded, flux: failed, fluxNonBlocking: failed},
		{name: "degraded_not_owned", arrange: notOwned, argo: degraded, argoNonBlocking: degraded, flux: failed, fluxNonBlocking: failed},
		{name: "degraded_conflict", arrange: conflict, argo: degraded, argoNonBlocking: degraded, flux: failed, fluxNonBlocking: failed},
		{name: "degraded_drifted", arrange: drifted, argo: degraded, argoNonBlocking: degraded, flux: failed, fluxNonBlocking: failed},
		{name: "progressing_deletion", arrange: deleting, argo: progressing, argoNonBlocking: progressing, flux: inProgress, fluxNonBlocking: inProgress, kstatus: status.TerminatingStatus},
		{name: "degraded_deletion", arrange: deletionStuck, argo: degraded, argoNonBlocking: degraded, flux: failed, fluxNonBlocking: failed, kstatus: status.TerminatingStatus},
	}
}

type tweak = func(*lab.Resource)

func disabledBySpec(res *lab.Resource) { res.Spec.State = v1alpha1.StateDisabled }

func suspend(res *lab.Resource) { res.Spec.Suspend = true }

func describe(res *lab.Resource) { res.Spec.Description = "another one" }

func always(res *lab.Resource) {
	res.Spec.ReenablePolicy = &v1alpha1.ReenablePolicy{
		Mode: v1alpha1.ReenableAlways, Backoff: &v1alpha1.ReenableBackoff{Initial: &metav1.Duration{Duration: time.Hour}},
	}
}

func settle(w *lab.World) {
	w.T.Helper()
	w.Expect(w.Settle()).To(BeTrue())
}

func nobodyLooks(w *lab.World) { w.Create(w.Manifest(hooks)) }

func ready(tweaks ...tweak) func(*lab.World) {
	return func(w *lab.World) {
		w.Start()
		w.Create(w.Manifest(hooks, tweaks...))
		settle(w)
	}
}

func fail(w *lab.World, operation emulator.Operation, status int) {
	w.Vendor.InjectFault(emulator.Fault{Operation: operation, Times: -1, Kind: emulator.FaultStatus, Status: status})
}

// registering: the answer to the registration was lost, and whether there is an endpoint is not known yet.
func registering(w *lab.World) {
	w.Vendor.InjectFault(emulator.Fault{Operation: emulator.OperationCreateEndpoint, Kind: emulator.FaultLostAnswer})
	w.Start()
	w.Create(w.Manifest(hooks))
	w.Advance(20 * time.Second)
}

func keyMissing(since time.Duration) func(*lab.World) {
	return func(w *lab.World) {
		w.DeleteSecret(lab.KeySecret)
		w.Start()
		w.Create(w.Manifest(hooks))
		w.Advance(since)
	}
}

// autoDisabled is what Medblocks does after the ninth failed attempt to deliver an event.
func autoDisabled(tweaks ...tweak) func(*lab.World) {
	return func(w *lab.World) {
		ready(tweaks...)(w)
		code := 503
		_, err := w.Vendor.AddEvent(w.Key, emulator.EventRecord{WebhookEndpointID: w.Remote(hooks).ID, Attempts: 9, LastStatusCode: &code})
		w.Expect(err).NotTo(HaveOccurred())
		w.Expect(w.Vendor.DisableEndpoint(w.Remote(hooks).ID)).To(Succeed())
		w.Advance(10 * time.Minute)
	}
}

func disabledManually(w *lab.World) {
	ready()(w)
	w.Expect(w.Vendor.DisableEndpoint(w.Remote(hooks).ID)).To(Succeed())
	settle(w)
}

func suspendedLater(before func(*lab.World)) func(*lab.World) {
	return func(w *lab.World) {
		before(w)
		w.Change(hooks, suspend)
		settle(w)
	}
}

// changedUnseen: there is no operator when the spec changes.
func changedUnseen(w *lab.World) {
	op := w.Start()
	w.Create(w.Manifest(hooks))
	settle(w)
	op.Stop()
	w.Change(hooks, describe)
}

func unavailable(w *lab.World) {
	ready()(w)
	fail(w, emulator.OperationUpdateEndpoint, 503)
	w.Change(hooks, describe)
	w.Advance(time.Minute)
}

func invalid(w *lab.World) {
	ready()(w)
	w.Vendor.InjectFault(emulator.Fault{
		Operation: emulator.OperationUpdateEndpoint, Times: -1, Kind: emulator.FaultStatus, Status: 400, Message: "url is not allowed", Param: "url",
	})
	w.Change(hooks, describe)
	settle(w)
}

func notOwned(w *lab.World) {
	w.CreateSecret(hooks+"-signing-secret", map[string]string{"somebody": "else's"})
	ready()(w)
}

// conflict: another resource has the older claim to the signing Secret.
func conflict(w *lab.World) {
	shared := func(res *lab.Resource) { res.Spec.SigningSecret = &v1alpha1.SigningSecretSpec{Name: "shared"} }
	w.Start()
	w.Create(w.Manifest("older", shared))
	settle(w)
	w.Create(w.Manifest(hooks, shared))
	settle(w)
}

// observed is an endpoint of somebody else's, which the resource only looks at.
func observed(w *lab.World) {
	manifest := w.Manifest(hooks)
	endpoint, err := w.Vendor.AddEndpoint(w.Key, emulator.Endpoint{URL: manifest.Spec.URL, Events: []string{string(manifest.Spec.Events[0]), string(manifest.Spec.Events[1])}})
	w.Expect(err).NotTo(HaveOccurred())
	ready(func(res *lab.Resource) {
		res.Spec.ManagementPolicy = v1alpha1.ManagementObserve
		res.Spec.Adopt = &v1alpha1.AdoptSpec{EndpointID: endpoint.ID, RotateSecret: true}
	})(w)
}

func drifted(w *lab.World) {
	observed(w)
	w.Change(hooks, func(res *lab.Resource) { res.Spec.URL += "/elsewhere" })
	settle(w)
}

func deleting(w *lab.World) {
	ready()(w)
	fail(w, emulator.OperationDeleteEndpoint, 503)
	w.Delete(hooks)
	w.Advance(time.Minute)
}

// deletionStuck: nobody has the API key any more.
func deletionStuck(w *lab.World) {
	op := w.Start()
	w.Create(w.Manifest(hooks))
	settle(w)
	op.Stop()
	w.DeleteSecret(lab.KeySecret)
	w.Delete(hooks)
	w.Start()
	settle(w)
}
