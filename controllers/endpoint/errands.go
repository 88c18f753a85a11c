// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/controllers/account"
)

// Errands take longer than a reconcile may: probing a receiver, and redelivering events. A plan says which ones are wanted; they have
// the resource reconciled when there is news of them.

// observeErrands takes down what is known of them.
func (r *Reconciler) observeErrands(w *work) {
	who := client.ObjectKeyFromObject(w.res)
	w.obs.probe = r.Prober.Result(who, probeTarget(w.res))
	if is := w.res.Status.Redelivery; is != nil {
		if progress, known := r.Courier.Progress(who, is.BegunAt.Time); known {
			w.obs.courier = &progress
		}
	}
}

// runErrands begins those that a plan wants, once the status that they belong to is stored, and ends all others. A plan that could not be
// carried out, or that is not stored, leaves them as they are.
func (r *Reconciler) runErrands(w *work, p plan, err error) {
	if err != nil || p.Postponed || isQuiet(p) {
		return
	}
	who := client.ObjectKeyFromObject(w.res)
	if p.Probe == nil {
		r.Prober.Stop(who)
	} else {
		r.Prober.Watch(who, *p.Probe)
	}
	if p.Job == nil || w.account == nil {
		r.Courier.Stop(who)
	} else {
		r.Courier.Go(who, w.account, *p.Job)
	}
}

// endUnwanted ends those that no plan can want, whatever keeps one from being made or carried out.
func (r *Reconciler) endUnwanted(res *v1alpha1.MedblocksWebhookEndpoint) {
	if !res.DeletionTimestamp.IsZero() || res.Spec.Suspend || res.Observes() || res.WantsDisabled() {
		r.endErrands(client.ObjectKeyFromObject(res))
	}
}

func (r *Reconciler) endErrands(who account.Resource) {
	r.Prober.Stop(who)
	r.Courier.Stop(who)
}
