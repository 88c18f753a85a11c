// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Package emulator is the Medblocks webhook API on a local port, with the
// vendor's delivery worker: endpoints, secrets, signed deliveries, nine attempts
// on the documented schedule, and the silent flip to disabled after the ninth.
//
// It decodes requests and encodes answers on its own, without the client's
// types, so that a mistake in one of the two is seen by the other. Where the
// vendor's documentation is silent, Quirks make it do the other thing.
//
// # Use in a test
//
//	vendor := emulator.New(emulator.Options{})
//	server := httptest.NewServer(vendor)
//	t.Cleanup(server.Close)
//	t.Cleanup(vendor.Close) // runs first: it releases calls that a fault holds
//
// # Stepping a fake clock
//
// With Options.Clock a clock/testing.FakeClock, attempts fall due only when the
// test moves the clock, however long the schedule is. The receiver is still a
// real HTTP server, so a test waits for the attempt before it goes on:
//
//	vendor.Fire(key, "patient_flow.completed", nil)
//	g.Eventually(vendor.Idle).Should(BeTrue()) // attempt 1 is over and recorded
//	clk.Step(time.Minute)                      // attempt 2 falls due
//	g.Eventually(vendor.Idle).Should(BeTrue())
//
// Idle is false from the moment an attempt is due, so there is no gap between
// Step and Eventually in which a test could look too early. NextAttempt gives
// the time of the next attempt, for clk.SetTime. The timeout of an attempt
// (5 s) and Fault.Delay are wall-clock time on any clock.
package emulator
