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
		before:    ` && !accountedFor(r, event)`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
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
		name: "attempt-not-recorded", file: "controllers/endpoint/plan_policy.go",
		safeguard: `an attempt is recorded before it is made`,
		before:    `	p.add(step{Action: actionRecordAttempt, EndpointID: target.ID, Disabled: p.plan.Disabled})`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "attempt-kept", file: "controllers/endpoint/act.go",
		safeguard: `an attempt that was not made is none`,
		before:    `	case s.Action == actionEnable && s.Trigger == triggerPolicy && hadToWait(err):`,
		after:     `	case s.Action == actionEnable && s.Trigger == triggerPolicy && hadToWait(nil):`,
		pkg:       "test/suite", test: "TestAnAttemptThatMedblocksPutsOffIsNoAttempt",
	},
	{
		name: "budget", file: "controllers/endpoint/plan_policy.go",
		safeguard: `attempts never exceed the budget`,
		before: `	if len(attempts) >= policy.MaxAttemptsOrDefault() {
`,
		after: `	if false {
`,
		pkg: "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "window", file: "controllers/endpoint/plan_policy.go",
		safeguard: `attempts before the window do not count`,
		before: `		if attempt.After(start) {
`,
		after: `		if true {
`,
		pkg: "controllers/endpoint", test: "TestPlanOfADisabledEndpoint",
	},
	{
		name: "backoff-bound", file: "controllers/endpoint/plan_policy.go",
		safeguard: `the backoff is bounded`,
		before: `	delay = min(delay, longest)
`,
		after: ``,
		pkg:   "controllers/endpoint", test: "TestBackoffDoublesUpToItsLimit",
	},
	{
		name: "backoff", file: "controllers/endpoint/plan_policy.go",
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
	{
		name: "unhealthy-enabled", file: "controllers/endpoint/plan_policy.go",
		safeguard: `a receiver that must be healthy is asked`,
		before:    `policy.ModeOrDefault() == v1alpha1.ReenableWhenHealthy && !p.isHealthy() || `,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestPlanWhenHealthy",
	},
	{
		name: "redelivered-evidence", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `a redelivery is no attempt of Medblocks`,
		before:    ` && !early && `,
		after:     ` && (!early || true) && `,
		pkg:       "controllers/endpoint", test: "TestARedeliveryIsNoAttemptOfMedblocks",
	},
	{
		name: "redelivered-unaccounted", file: "controllers/endpoint/conclude.go",
		safeguard: `events that redeliveries have exhausted are accounted for`,
		before:    `		accountForRedelivered(r, g.Exhausted, c.res.Status.Redelivery.StartedAt)`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestEventsThatRedeliveriesExhaustedExplainNoDisable",
	},
	{
		name: "try-unbounded", file: "controllers/endpoint/plan_redeliver.go",
		safeguard: `tries to redeliver stay within the budget`,
		before:    `	if attempts := p.recentAttempts(); len(attempts) >= policy.MaxAttemptsOrDefault() {`,
		after:     `	if attempts := p.recentAttempts(); false {`,
		pkg:       "controllers/endpoint", test: "TestPlanOfARedelivery",
	},
	{
		name: "try-not-counted", file: "controllers/endpoint/act_resource.go",
		safeguard: `a try to redeliver is recorded as an attempt`,
		before:    `		recordAttempt(res, status, status.Reenable.DeepCopy(), now)`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestATryThatEndedEarlyCountsAndIsRepeatedAfterTheBackoff",
	},
	{
		name: "active-unread", file: "controllers/endpoint/plan.go",
		safeguard: `that an endpoint is active again is believed once it is read`,
		before:    `	case p.res.Status.Disabled != nil && !p.obs.isLive(target.ID):`,
		after:     `	case false:`,
		pkg:       "controllers/endpoint", test: "TestPlanOfARedelivery",
	},
	{
		name: "read-only-redelivers", file: "controllers/endpoint/plan_withhold.go",
		safeguard: `--read-only neither probes nor redelivers`,
		before:    `	p.dropErrands(res)`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestAReadOnlyOperatorNeitherProbesNorRedelivers",
	},
	{
		name: "rotation-window", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a rotation waits for its window`,
		before:    `	return p.res.RotationWindow().Next(due)`,
		after:     `	return due`,
		pkg:       "controllers/endpoint", test: "TestARotationWaitsForItsWindow",
	},
	{
		name: "early-acceptance", file: "controllers/endpoint/deliveries.go",
		safeguard: `a delivery that was under way during a rotation proves nothing`,
		before:    `	at = at.Add(slack)`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestWhatAReceiverMakesOfARotation",
	},
	{
		name: "stale-verdict", file: "controllers/endpoint/plan_reenable.go",
		safeguard: `a disable is judged anew where somebody has changed the endpoint since`,
		before:    ` && !p.isChangedSince(target, was):`,
		after:     `:`,
		pkg:       "controllers/endpoint", test: "TestADisableIsJudgedAnewWhereSomebodyHasChangedTheEndpointSince",
	},
	{
		name: "try-unread", file: "controllers/endpoint/plan_redeliver.go",
		safeguard: `an endpoint is read before a try to redeliver takes one off the budget`,
		before:    `	case !p.obs.isLive(p.plan.EndpointID):`,
		after:     `	case false:`,
		pkg:       "controllers/endpoint", test: "TestPlanOfARedelivery",
	},
}
