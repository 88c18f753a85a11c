// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package states holds no code: its tests send generated sequences of valid and invalid edits of a spec through the API server.
//
// An edit that the API server refuses is refused with the field's name, and changes nothing. One that it takes leads to a
// settled state: Ready, or Stalled with a reason, and never an endless Reconciling. And whatever the way there was, the settled
// state of a spec, the Secret included, is that of a new resource with this spec; see outcome for what is left out.
package states
