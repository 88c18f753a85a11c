// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"fmt"
	"slices"
	"time"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// law is something that no plan ever breaks. It gets the plan where nothing more has to be known: its steps are carried out
// next.
type law struct {
	name   string
	broken func(w *work, p plan, now time.Time) string
}

// laws of the write-ahead rules and of ownership; they know nothing of how a plan comes about.
var laws = []law{
	{"nothing is written to Medblocks without a live read of that endpoint", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return s.Action.atMedblocks() && s.Action != actionRegister && w.obs.live[s.EndpointID] == nil
		})
	}},
	{"nothing is written to an endpoint that is not ours, unless it is being adopted", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return s.Action.atMedblocks() && s.Action != actionRegister && !isOurs(w, w.obs.live[s.EndpointID]) && !adopts(w, p, s)
		})
	}},
	{"a POST comes right after its intent, and its secret is stored right after it", func(_ *work, p plan, _ time.Time) string {
		return framed(p, actionRegister, actionWriteIntent)
	}},
	{"a rotation comes right after its mark, and its secret is stored right after it", func(_ *work, p plan, _ time.Time) string {
		return framed(p, actionRotate, actionMarkRotation, actionAdopt)
	}},
	{"a POST, a rotation and an adoption need a Secret that was proven to be writable", func(w *work, p plan, _ time.Time) string {
		s := w.obs.secret
		return each(p, func(is step) bool {
			return slices.Contains([]action{actionRegister, actionRotate, actionAdopt}, is.Action) && (!s.live || s.unwritable != nil || (s.exists && !s.owned))
		})
	}},
	{"a POST and an adoption need a complete list that was begun after every POST in flight, without a mark of ours", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return (s.Action == actionRegister || s.Action == actionAdopt) && !listProvesAbsence(w)
		})
	}},
	{"a suspected loss and another key register nothing without a person", func(w *work, p plan, _ time.Time) string {
		lost := w.res.Status.EndpointID != "" && w.obs.keyHash != w.res.Status.KeyHash && w.obs.registered == ""
		return each(p, func(s step) bool {
			return s.Action == actionRegister && !reregisterRequested(w.res) && (w.obs.view.Suspect || lost)
		})
	}},
	{"an endpoint that is known is replaced only after a 404", func(w *work, p plan, _ time.Time) string {
		id := w.res.Status.EndpointID
		return each(p, func(s step) bool {
			return s.Action == actionRegister && id != "" && (!w.obs.isLive(id) || w.obs.live[id] != nil) && !w.obs.intent.open(id)
		})
	}},
	{"metadata is written with the marks or, for an orphan, without any", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return s.Update != nil && s.Update.Metadata != nil && !marksAreRight(w, s)
		})
	}},
	{"no call is made while the account is paused, refused or without a key", func(w *work, p plan, now time.Time) string {
		stop := now.Before(w.obs.turn.At) || w.obs.refused != nil || w.obs.keyHash == ""
		return each(p, func(s step) bool { return s.Action.atMedblocks() && stop })
	}},
	{"a suspended resource is left alone", func(w *work, p plan, _ time.Time) string {
		return each(p, func(step) bool { return w.res.Spec.Suspend && w.res.DeletionTimestamp.IsZero() })
	}},
	{"read-only writes nothing", func(w *work, p plan, _ time.Time) string {
		p.withhold(w.res)
		return each(p, func(step) bool { return true })
	}},
	{"a policy enables only what Medblocks disabled, and records the attempt first", func(_ *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return s.Action == actionEnable && s.Trigger == triggerPolicy &&
				(p.Disabled == nil || p.Disabled.Cause != v1alpha1.ReasonAutoDisabled || before(p, s).Action != actionRecordAttempt)
		})
	}},
	{"no attempt is made beyond the budget", func(w *work, p plan, now time.Time) string {
		policy := w.res.Spec.ReenablePolicy
		spent := len(attemptsSince(w.res.Status.Reenable, now.Add(-policy.WindowOrDefault()))) >= policy.MaxAttemptsOrDefault()
		return each(p, func(s step) bool { return spent && (s.Action == actionRecordAttempt || s.Action == actionRecordTry) })
	}},
	{"an endpoint whose receiver must be healthy is enabled by policy only when it is", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return s.Action == actionRecordAttempt && w.res.Spec.ReenablePolicy.ModeOrDefault() == v1alpha1.ReenableWhenHealthy && !w.obs.probe.Healthy
		})
	}},
	{"nothing is redelivered to an endpoint that is not active, or of which nobody has said so", func(w *work, p plan, _ time.Time) string {
		e := w.obs.endpoint(p.EndpointID)
		if p.Job != nil && (e == nil || e.Status != medblocks.EndpointStatusActive || w.res.Spec.Suspend || w.res.Observes() || !w.res.Spec.ReenablePolicy.Redelivers()) {
			return p.Job.EndpointID
		}
		return ""
	}},
	{"a disable by spec is recorded first", func(w *work, p plan, _ time.Time) string {
		was := w.res.Status.Disabled
		known := was != nil && was.Cause == v1alpha1.ReasonDisabledBySpec
		return each(p, func(s step) bool {
			return s.Action == actionDisable && !known && before(p, s).Action != actionRecordDisable
		})
	}},
	{"an endpoint is deleted only for a resource that is deleted, and under a key that the status knows", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			known := w.res.Status.KeyHash == w.obs.keyHash || s.EndpointID != w.res.Status.EndpointID || before(p, s).Action == actionRecordKey
			return s.Action == actionDelete && (w.res.DeletionTimestamp.IsZero() || !known || w.res.OrphansEndpoint())
		})
	}},
	{"a duplicate is never the endpoint that is kept", func(_ *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			return s.Action == actionDeleteDuplicate && (s.EndpointID == p.EndpointID || p.EndpointID == "")
		})
	}},
	{"the finalizer goes last, after everything at Medblocks and the Secret", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			last := s == p.Steps[len(p.Steps)-1]
			return s.Action == actionRemoveFinalizer && (!last || (w.res.DeletionTimestamp.IsZero() && !w.res.Observes()) ||
				slices.ContainsFunc(p.Steps, func(other step) bool { return other.Action.atMedblocks() }))
		})
	}},
	{"only a Secret of ours is deleted, and never the one in use", func(w *work, p plan, _ time.Time) string {
		return each(p, func(s step) bool {
			var view *secretView
			if i := slices.IndexFunc(w.obs.secrets(), func(v *secretView) bool { return v.name == s.Secret }); i >= 0 {
				view = w.obs.secrets()[i]
			}
			inUse := w.res.DeletionTimestamp.IsZero() && s.Secret == w.res.SigningSecretName()
			return s.Action == actionDeleteSecret && (view == nil || !view.owned || inUse || w.res.OrphansEndpoint() && !w.res.DeletionTimestamp.IsZero())
		})
	}},
}

// each names the first step of which something is true that must not be.
func each(p plan, wrong func(step) bool) string {
	for _, s := range p.Steps {
		if wrong(s) {
			return string(s.Action) + " " + s.EndpointID
		}
	}
	return ""
}

func before(p plan, s step) step {
	if i := slices.Index(p.Steps, s); i > 0 {
		return p.Steps[i-1]
	}
	return step{}
}

// framed: an action stands between the one that announces it and the one that keeps its secret, with one nonce.
func framed(p plan, is action, ahead ...action) string {
	for i, s := range p.Steps {
		if s.Action != is {
			continue
		}
		if i == 0 || i+1 == len(p.Steps) {
			return string(is) + " stands alone"
		}
		first, last := p.Steps[i-1], p.Steps[i+1]
		if !slices.Contains(ahead, first.Action) || last.Action != actionPublishSecret || first.EndpointID != s.EndpointID {
			return fmt.Sprintf("%s %s %s", first.Action, is, last.Action)
		}
		if s.Nonce == "" || first.Nonce != s.Nonce || last.Nonce != s.Nonce {
			return "another nonce"
		}
	}
	return ""
}

// isOurs: it carries our owner mark, or none and is the one that the status or the answer to our POST names; and it is not
// another incarnation's, unless the resource has no past by which to tell.
func isOurs(w *work, e *medblocks.Endpoint) bool {
	if e == nil {
		return false
	}
	owner, incarnation := e.Metadata[v1alpha1.MarkOwner], e.Metadata[v1alpha1.MarkIncarnation]
	named := e.ID == w.res.Status.EndpointID || e.ID == w.obs.registered
	foreign := incarnation != "" && incarnation != string(w.res.UID)
	return (owner == testOwner || (owner == "" && named)) && (!foreign || w.res.Status.EndpointID == "")
}

func listProvesAbsence(w *work) bool {
	obs := w.obs
	if obs.view.ListedAt.IsZero() {
		return false
	}
	for i := range obs.view.Owned {
		if e := obs.endpoint(obs.view.Owned[i].ID); e != nil && e.Metadata[v1alpha1.MarkOwner] == testOwner {
			return false
		}
	}
	inFlight := obs.intent.open(w.res.Status.EndpointID) && !obs.intentRefused
	return !inFlight || obs.registered != "" || !obs.view.ListedAt.Before(obs.intentSince.Add(obs.inFlight))
}

func marksAreRight(w *work, s step) bool {
	is := s.Update.Metadata
	if s.Action == actionOrphan {
		return is[v1alpha1.MarkOwner] == "" && is[v1alpha1.MarkIncarnation] == "" && is[v1alpha1.MarkSecretGeneration] == ""
	}
	nonce := w.obs.live[s.EndpointID].Metadata[v1alpha1.MarkSecretGeneration]
	switch s.Action {
	case actionMarkRotation, actionAdopt:
		nonce = s.Nonce
	case actionRepairMarks:
		nonce = w.obs.secret.nonce
	default:
	}
	return is[v1alpha1.MarkOwner] == testOwner && is[v1alpha1.MarkIncarnation] == string(w.res.UID) && is[v1alpha1.MarkSecretGeneration] == nonce
}
