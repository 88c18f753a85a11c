// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package endpoint

import "strings"

// Effects of a step.
const (
	EffectCreate = "Create"
	EffectChange = "Change"
	EffectDelete = "Delete"
)

// effect is what a step means to people. In its words, ENDPOINT and SECRET stand for the ones that the step is about.
type effect struct {
	kind, words string
}

var effects = map[action]effect{
	actionAddFinalizer:    {EffectCreate, "add the finalizer to the resource"},
	actionWriteIntent:     {EffectCreate, "note on the resource that an endpoint is about to be registered"},
	actionRecordDisable:   {EffectChange, "note in the status that the endpoint is about to be disabled"},
	actionRecordAttempt:   {EffectChange, "note in the status an attempt to enable the endpoint"},
	actionRecordEvents:    {EffectChange, "note in the status the events that explain the disable"},
	actionRecordKey:       {EffectChange, "note in the status the API key that sees the endpoint"},
	actionRecordTry:       {EffectChange, "note in the status another try to redeliver what was missed"},
	actionPublishSecret:   {EffectChange, "store the signing secret in Secret SECRET"},
	actionCopySecret:      {EffectChange, "copy the signing secret into Secret SECRET"},
	actionMoveSecret:      {EffectChange, "move the signing secret into Secret SECRET"},
	actionDressSecret:     {EffectChange, "put labels, annotations and id of Secret SECRET right"},
	actionDeleteSecret:    {EffectDelete, "delete Secret SECRET"},
	actionRemoveFinalizer: {EffectDelete, "remove the finalizer, which lets the resource go"},
	actionRegister:        {EffectCreate, "register an endpoint"},
	actionAdopt:           {EffectChange, "adopt endpoint ENDPOINT"},
	actionUpdate:          {EffectChange, "update endpoint ENDPOINT"},
	actionRepairMarks:     {EffectChange, "put the marks of endpoint ENDPOINT right"},
	actionMarkRotation:    {EffectChange, "mark endpoint ENDPOINT for a rotation"},
	actionRotate:          {EffectChange, "rotate the signing secret of endpoint ENDPOINT"},
	actionDisable:         {EffectChange, "disable endpoint ENDPOINT"},
	actionEnable:          {EffectChange, "enable endpoint ENDPOINT"},
	actionDeleteDuplicate: {EffectDelete, "delete endpoint ENDPOINT, a duplicate"},
	actionDelete:          {EffectDelete, "delete endpoint ENDPOINT"},
	actionOrphan:          {EffectChange, "leave endpoint ENDPOINT behind, without the operator's marks"},
	actionBlankMarks:      {EffectChange, "leave endpoint ENDPOINT behind, with empty marks"},
}

func summaryOf(w *work, s step) string {
	return strings.NewReplacer("ENDPOINT", s.EndpointID, "SECRET", secretOf(w, s)).Replace(effects[s.Action].words)
}
