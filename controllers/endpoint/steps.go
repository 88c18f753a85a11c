// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import (
	"slices"
	"strings"

	"github.com/medblocks/webhook-operator/api/medblocks"
	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

// action is one kind of write.
type action string

// Writes to Kubernetes.
const (
	actionAddFinalizer    action = "AddFinalizer"
	actionWriteIntent     action = "WriteIntent"
	actionRecordDisable   action = "RecordDisable"
	actionRecordAttempt   action = "RecordAttempt"
	actionRecordEvents    action = "RecordEvents"
	actionRecordKey       action = "RecordKey"
	actionRecordTry       action = "RecordTry"
	actionPublishSecret   action = "PublishSecret"
	actionCopySecret      action = "CopySecret"
	actionMoveSecret      action = "MoveSecret"
	actionDressSecret     action = "DressSecret"
	actionDeleteSecret    action = "DeleteSecret"
	actionRemoveFinalizer action = "RemoveFinalizer"
)

// Writes to Medblocks. They are the actions in status.history and in the log.
const (
	actionRegister        action = "RegisterEndpoint"
	actionAdopt           action = "AdoptEndpoint"
	actionUpdate          action = "UpdateEndpoint"
	actionRepairMarks     action = "RepairMarks"
	actionMarkRotation    action = "MarkRotation"
	actionRotate          action = "RotateSecret"
	actionDisable         action = "DisableEndpoint"
	actionEnable          action = "EnableEndpoint"
	actionDeleteDuplicate action = "DeleteDuplicate"
	actionDelete          action = "DeleteEndpoint"
	actionOrphan          action = "OrphanEndpoint"
	actionBlankMarks      action = "BlankMarks"
)

// actionRead is the live read that comes before a write; it is no step, but it can fail like one.
const actionRead action = "ReadEndpoint"

// atMedblocks tells whether the action writes to Medblocks.
func (a action) atMedblocks() bool {
	switch a {
	case actionRegister, actionAdopt, actionUpdate, actionRepairMarks, actionMarkRotation, actionRotate, actionDisable, actionEnable,
		actionDeleteDuplicate, actionDelete, actionOrphan, actionBlankMarks:
		return true
	default:
		return false
	}
}

// trigger says why something is done at Medblocks.
type trigger string

const (
	triggerSpec         trigger = "Spec"
	triggerAdoption     trigger = "Adoption"
	triggerDrift        trigger = "Drift"
	triggerGone         trigger = "EndpointGone"
	triggerReregister   trigger = "ReregisterRequested"
	triggerLostSecret   trigger = "SecretLost"
	triggerInterval     trigger = "RotationInterval"
	triggerRotate       trigger = "RotateRequested"
	triggerPolicy       trigger = "ReenablePolicy"
	triggerReenable     trigger = "ReenableRequested"
	triggerSource       trigger = "ExistingSecretChanged"
	triggerDuplicate    trigger = "Duplicate"
	triggerMissingMark  trigger = "MarkMissing"
	triggerResourceGone trigger = "ResourceDeleted"
	triggerOrphan       trigger = "Orphan"
)

// step is one write. Steps are carried out in order; the first that fails ends the round.
type step struct {
	Action     action
	Trigger    trigger
	EndpointID string
	Create     *medblocks.CreateEndpointRequest
	Update     *medblocks.UpdateEndpointRequest
	Nonce      string
	Secret     string
	// Disabled is the verdict that an attempt to re-enable rests on.
	Disabled *v1alpha1.DisabledStatus
}

// dropRefused leaves out requests that were refused for good and have not changed since, and what makes no sense without
// them.
func (p *planner) dropRefused() {
	for refused, r := range p.obs.refusals {
		if r.request != p.request() || (!r.until.IsZero() && !p.now.Before(r.until)) {
			continue
		}
		if p.drop(func(a action) bool { return a == refused }) {
			p.stop(&r.hold)
		}
	}
	slices.SortFunc(p.plan.Holds, func(a, b hold) int { return strings.Compare(a.Message, b.Message) }) // not the map's order
}

// drop leaves out steps with all that belongs to them, and tells whether there were any.
func (p *planner) drop(which func(action) bool) bool {
	var dropped []action
	for _, s := range p.plan.Steps {
		if which(s.Action) {
			dropped = append(dropped, s.Action)
		}
	}
	p.plan.Steps = slices.DeleteFunc(p.plan.Steps, func(s step) bool {
		return slices.ContainsFunc(dropped, func(d action) bool { return belongsTo(s.Action, d) })
	})
	return len(dropped) > 0
}

// parts are the steps that are part of another one, or only lead to it or follow from it.
var parts = map[action][]action{
	actionRegister:     {actionWriteIntent, actionRegister, actionPublishSecret},
	actionAdopt:        {actionCopySecret, actionAdopt, actionRotate, actionPublishSecret},
	actionMarkRotation: {actionMarkRotation, actionRotate, actionPublishSecret},
	actionRotate:       {actionAdopt, actionMarkRotation, actionRotate, actionPublishSecret},
	actionEnable:       {actionRecordAttempt, actionRecordEvents, actionEnable},
	actionDisable:      {actionRecordDisable, actionDisable},
	actionDelete:       {actionRecordKey, actionDelete},
}

// belongsTo tells whether an action makes no sense without a refused one.
func belongsTo(a, refused action) bool {
	return a == refused || slices.Contains(parts[refused], a)
}
