// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package event is what a receiver of Medblocks webhooks needs: the catalogue of
// events, the verification of their signatures, and an http.Handler that does
// both, drops duplicates and answers in time.
//
// The shortest way is NewHandler. Who has a server framework of their own reads
// the raw body, calls ConstructEvent and switches on the type of Event.Data:
//
//	switch data := e.Data.(type) {
//	case *event.PatientFlow:
//	case *event.PatientFlowConnection:
//	case *event.RecordsSyncCompleted:
//	case *event.RecordsSyncFailed:
//	case *event.Unknown: // a type that this version of the package does not know
//	}
//
// After a rotation Medblocks signs with the new secret at once, and a mounted Secret
// follows later. A Handler bridges a few seconds of that, see Options.SecretsWait;
// what it refuses, Medblocks delivers again a minute later.
//
// Comments say where a rule comes from: "vendor" is Medblocks' public
// documentation; "assumed" is a choice of ours where that is silent.
package event
