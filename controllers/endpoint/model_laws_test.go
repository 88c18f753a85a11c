// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// lawsOfAdoption are those of taking an endpoint over, of the user's Secret, and of merely looking on.
var lawsOfAdoption = []law{
	{"nothing is registered while the adoption is pending", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return (s.Action == actionRegister || s.Action == actionWriteIntent) && adoptionIsPending(w)
		})
	}},
	{"nothing is adopted once the adoption is over", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool { return s.Action == actionAdopt && !adoptionIsPending(w) })
	}},
	{"an adoption has its finalizer first", func(w *work, p plan, _ time.Time) string {
		has := slices.Contains(w.res.Finalizers, v1alpha1.Finalizer) || (len(p.Steps) > 0 && p.Steps[0].Action == actionAddFinalizer)
		return each(p, func(s step) bool { return (s.Action == actionAdopt || s.Action == actionCopySecret) && !has })
	}},
	{"an adoption is followed by its rotation, unless it is marked with a copy", func(_ *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			next := after(p, s)
			rotated := next.Action == actionRotate && next.EndpointID == s.EndpointID && next.Nonce == s.Nonce
			return s.Action == actionAdopt && rotated == isCopy(s.Nonce)
		})
	}},
	{"the secret of an adopted endpoint is replaced only with consent", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return s.Action == actionAdopt && isCopy(s.Nonce) == w.res.Spec.Adopt.RotateSecret
		})
	}},
	{"a copy is in the Secret before the endpoint is marked with it", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			first, view := before(p, s), w.obs.secret
			stored := view.live && view.holds(s.Nonce) && w.obs.source != nil && string(view.value) == w.obs.source.value.Reveal()
			return s.Action == actionAdopt && isCopy(s.Nonce) && !stored && (first.Action != actionCopySecret || first.Nonce != s.Nonce)
		})
	}},
	{"a copy is made of a secret that was read after the Secret that it replaces", func(w *work, p plan, _ time.Time) string {
		known := w.obs.source != nil && w.obs.source.problem == "" && w.obs.secret.live
		return each(p, func(s step) bool { return s.Action == actionCopySecret && (!known || !isCopy(s.Nonce)) })
	}},
	{"a copy for an endpoint of ours has the endpoint's mark", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			if s.Action != actionCopySecret || after(p, s).Action == actionAdopt {
				return false
			}
			e := w.obs.endpoint(s.EndpointID)
			return !isOurs(w, e) || e.Metadata[v1alpha1.MarkSecretGeneration] != s.Nonce
		})
	}},
	{"no adoption while an older rival or the holder claims the endpoint, or before they are known", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return s.Action == actionAdopt && (w.obs.endpointRivals == nil || slices.ContainsFunc(w.obs.endpointRivals, func(is rival) bool {
				return is.older || is.owner == w.obs.live[s.EndpointID].Metadata[v1alpha1.MarkOwner]
			}))
		})
	}},
	{"a signing Secret that another resource holds is not written", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			view := w.obs.secret
			return s.Secret == view.name && view.exists && !view.owned
		})
	}},
	{"under Observe the only step takes the finalizer away", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool { return w.res.Observes() && s.Action != actionRemoveFinalizer })
	}},
}

func after(p plan, s step) step {
	if i := slices.Index(p.Steps, s); i >= 0 && i+1 < len(p.Steps) {
		return p.Steps[i+1]
	}
	return step{}
}

// adoptionIsPending: the status names no endpoint, and no intent says that the adopted one was gone and is replaced.
func adoptionIsPending(w *work) bool {
	replaced := w.obs.intent != nil && w.obs.intent.Replaces != "" && w.obs.intent.Replaces == specAdopts(w.res)
	return w.res.Spec.Adopt != nil && w.res.Status.EndpointID == "" && !replaced && !w.res.Observes()
}

// adopts tells whether a step takes the endpoint over that spec.adopt names, or is the rotation right after that.
func adopts(w *work, p plan, s step) bool {
	rotation := s.Action == actionRotate && before(p, s).Action == actionAdopt && before(p, s).EndpointID == s.EndpointID
	return (s.Action == actionAdopt || rotation) && s.EndpointID == specAdopts(w.res) && adoptionIsPending(w) && w.res.DeletionTimestamp.IsZero()
}
