// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package lab runs the operator against a real API server and the emulator in virtual time, so that hours pass in
// milliseconds and every single request can be seen, counted, changed or cut.
//
//	func TestMain(m *testing.M) { lab.Main(m, lab.Options{}) }
//
//	w := lab.NewWorld(t)                  // a namespace, a vendor, a key and a clock of its own
//	op := w.Start()                       // an operator with cold caches
//	w.Create(w.Manifest("hooks"))
//	op.Wire.Intercept(lab.CrashAt(2, lab.AnswerLost))
//	w.Settle()                            // until nothing is left to do, or no operator is left
//	w.Start()
//	w.Settle()
//	w.CheckInvariants()
//
// # Virtual time
//
// The pollers, the controller's work queue, the emulator and all decisions of the operator use World.Clock, which stands
// still unless the test moves it. Settle and Advance move it from one deadline to the next, and only while nothing is under
// way: no request in flight, no resource being reconciled, no change that the informers have not seen. Requests themselves
// take real time, as they are real requests.
//
// # Crashes
//
// All requests of an operator go through its Wire. Once that is cut, nothing of this operator reaches anybody any more,
// whatever its goroutines still try: to the rest of the world that is the end of a process.
//
// # Plans
//
// A package that enumerates plans runs all of them with EXHAUSTIVE=1, and otherwise those that Pick leaves. Report counts
// them per scenario; the table is printed at the end, and added to the file (an absolute path) that LAB_REPORT names.
package lab
