// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// policyMutants undo what keeps a person's disable and the re-enable budget.
var policyMutants = []mutant{
	{
		name: "persons-disable", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `a person's disable is never undone`,
		before: `	return p.disabledSince(v1alpha1.ReasonDisabledManually)
`,
		after: `	return p.disabledSince(v1alpha1.ReasonAutoDisabled)
`,
		pkg: "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "accounted-twice", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `an event explains one disable only`,
		before: `		if accountedFor(p.res.Status.Reenable, event) || p.isBaseline() {
`,
		after: `		if p.isBaseline() {
`,
		pkg: "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "no-baseline", file: "controllers/endpoint/plan_locate.go",
		safeguard: `what is resumed starts with a baseline of its events`,
		before: `	case e == nil:
		p.plan.Needs.evidence = id
`,
		after: `	case e == nil:
`,
		pkg: "controllers/endpoint", test: "TestPlanOfARegistration",
	},
	{
		name: "attempt-not-recorded", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `an attempt is recorded before it is made`,
		before:    `	p.add(step{Action: actionRecordAttempt, EndpointID: target.ID, Disabled: p.plan.Disabled})`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "budget", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `attempts never exceed the budget`,
		before: `	if len(attempts) >= policy.MaxAttemptsOrDefault() {
`,
		after: `	if false {
`,
		pkg: "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "window", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `attempts before the window do not count`,
		before: `		if attempt.After(start) {
`,
		after: `		if true {
`,
		pkg: "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "backoff-bound", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `the backoff is bounded`,
		before: `	return from.Add(min(delay, longest))
`,
		after: `	return from.Add(delay)
`,
		pkg: "controllers/endpoint", test: "TestBackoffDoublesUpToItsLimit",
	},
	{
		name: "backoff", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `an attempt waits for its time`,
		before: `	if p.now.Before(due) {
		next`,
		after: `	if false {
		next`,
		pkg: "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "disable-not-recorded", file: "controllers/endpoint/plan.go",
		safeguard: `a disable by spec is recorded before it is made`,
		before: `		p.add(step{Action: actionRecordDisable, EndpointID: target.ID})
`,
		after: ``,
		pkg:   "controllers/endpoint", test: "TestEveryPlanKeepsTheLawsAndEveryResourceSettles",
	},
	{
		name: "events-unaccounted", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `events are accounted for before anything is enabled`,
		before:    `if why != triggerPolicy && !equality`,
		after:     `if false && !equality`,
		pkg:       "controllers/endpoint", test: "TestEventsAreAccountedForBeforeAnythingIsEnabled",
	},
	{
		name: "verdict-unwritten", file: "controllers/endpoint/act_resource.go",
		safeguard: `what an attempt rests on is written with it`,
		before:    `		status.Disabled = s.Disabled // `,
		after:     `		// `,
		pkg:       "controllers/endpoint", test: "TestWhatAnAttemptRestsOnIsWrittenBeforeIt",
	},
	{
		name: "no-baseline-after-suspend", file: "controllers/endpoint/plan.go",
		safeguard: `what was exhausted during a suspension explains no later disable`,
		before:    `isBaselineDue(p.res) && !p.baseline(target.ID):`,
		after:     `false:`,
		pkg:       "controllers/endpoint", test: "TestEventsAreAccountedForBeforeAnythingIsEnabled",
	},
}
