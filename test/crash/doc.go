// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package crash kills the operator at every write, and compares what its successor makes of it with what an undisturbed
// operator would have left behind.
//
// Each scenario of the tables is a change to a settled world. An undisturbed run numbers the writes that it leads to, to
// Kubernetes and to Medblocks. A plan then repeats the scenario and ends the operator around one of these writes: before it is
// sent, after its effect, or after its answer. Its successor starts with cold caches, and may be ended in the same ways.
// In the end
//
//   - the state is that of the undisturbed run, but for what outcome leaves out;
//   - Medblocks got as many POSTs and DELETEs as without a crash, and at most one rotation more per crash, or none where no answer
//     holds a secret that could be lost;
//   - the invariants hold, and the Secret verifies a signed delivery;
//   - nothing is written any more, and Medblocks is asked for lists only.
//
// The real program is killed with SIGKILL in some of the scenarios. Other tests have two leaders at once, the namespace deleted, or a
// resource replaced by a new one of its name while a call for the old one is under way.
//
// EXHAUSTIVE=1 runs all plans, and otherwise each scenario meets each kind of crash at a few of its writes.
package crash
