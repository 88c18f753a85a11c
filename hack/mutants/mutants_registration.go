// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// registrationMutants undo what makes a registration happen once.
var registrationMutants = []mutant{
	{
		name: "post-without-intent", file: "controllers/endpoint/plan_locate.go",
		safeguard: `the intent is written before the POST`,
		before: `	p.add(step{Action: actionWriteIntent, Nonce: p.obs.nonce})
`,
		after: ``,
		pkg:   "controllers/endpoint", test: "TestEveryPlanKeepsTheLawsAndEveryResourceSettles",
	},
	{
		name: "intent-after-post", file: "controllers/endpoint/plan_locate.go",
		safeguard: `the intent is written before the POST, not after it`,
		before: `	p.add(step{Action: actionWriteIntent, Nonce: p.obs.nonce})
	p.add(step{Action: actionRegister, Trigger: why, Nonce: p.obs.nonce, Create: &request})
`,
		after: `	p.add(step{Action: actionRegister, Trigger: why, Nonce: p.obs.nonce, Create: &request})
	p.add(step{Action: actionWriteIntent, Nonce: p.obs.nonce})
`,
		pkg: "controllers/endpoint", test: "TestPlanOfARegistration",
	},
	{
		name: "post-in-flight", file: "controllers/endpoint/plan_locate.go",
		safeguard: `a POST that may be in flight is waited out`,
		before:    `	if p.now.Before(listedAfter) {`,
		after:     `	if false {`,
		pkg:       "controllers/endpoint", test: "TestEveryPlanKeepsTheLawsAndEveryResourceSettles",
	},
	{
		name: "old-list", file: "controllers/endpoint/plan_locate.go",
		safeguard: `only a list that was begun after the flight proves absence`,
		before: `p.obs.view.ListedAt.IsZero() || p.obs.view.ListedAt.Before(listedAfter) {
		p.awaitList()
		return nil`,
		after: `p.obs.view.ListedAt.IsZero() {
		p.awaitList()
		return nil`,
		pkg: "controllers/endpoint", test: "TestPlanOfARegistration",
	},
	{
		name: "flight-not-doubled", file: "controllers/endpoint/plan_locate.go",
		safeguard: `attempts that fail are given more and more time`,
		before:    `p.obs.inFlight << min(max(p.obs.intent.Attempt-1, 0), maxFlightDoublings)`,
		after:     `p.obs.inFlight`,
		pkg:       "controllers/endpoint", test: "TestPlanOfARegistration",
	},
	{
		name: "no-list-needed", file: "controllers/endpoint/plan_locate.go",
		safeguard: `before the first complete list, absence means nothing`,
		before:    `	case p.obs.view.ListedAt.IsZero(), p.isYoungerThanList(id):`,
		after:     `	case p.isYoungerThanList(id):`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsGone",
	},
	{
		name: "absence-is-proof", file: "controllers/endpoint/plan_locate.go",
		safeguard: `an endpoint is gone only after a 404 too`,
		before: `	case !p.obs.isLive(id):
		p.plan.Needs.endpoints = []string{id}
	case p.obs.keyHash`,
		after: `	case p.obs.keyHash`,
		pkg:   "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsGone",
	},
	{
		name: "404-is-proof", file: "controllers/endpoint/plan_locate.go",
		safeguard: `an endpoint that is still listed is not gone`,
		before: `	case p.obs.lists(id):
`,
		after: `	case false:
`,
		pkg: "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsGone",
	},
	{
		name: "another-key", file: "controllers/endpoint/plan_locate.go",
		safeguard: `a 404 under another key is no proof (WorkspaceChanged)`,
		before:    `p.obs.keyHash != p.res.Status.KeyHash && p.obs.registered != id && !asked`,
		after:     `false`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsGone",
	},
	{
		name: "circuit-breaker", file: "controllers/endpoint/plan_locate.go",
		safeguard: `when many vanish at once, nothing is registered`,
		before:    `	case p.obs.view.Suspect && !asked:`,
		after:     `	case false:`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsGone",
	},
	{
		name: "attempt-with-another-key", file: "controllers/endpoint/plan_locate.go",
		safeguard: `a POST with another key may have created one elsewhere`,
		before:    `p.mayBeInFlight() && p.obs.intent.underAnotherKey(p.obs.keyHash) && !reregisterRequested(p.res)`,
		after:     `false`,
		pkg:       "controllers/endpoint", test: "TestPlanOfARegistration",
	},
	{
		name: "secret-not-proven", file: "controllers/endpoint/plan.go",
		safeguard: `the Secret is proven writable before a POST`,
		before:    `(s.Action == actionRegister || s.Action == actionMarkRotation || s.Action == actionAdopt) && !p.obs.secret.live`,
		after:     `(s.Action == actionMarkRotation || s.Action == actionAdopt) && !p.obs.secret.live`,
		pkg:       "controllers/endpoint", test: "TestPlanOfARegistration",
	},
	{
		name: "refusal-forgotten", file: "controllers/endpoint/steps.go",
		safeguard: `what Medblocks refused is not sent again unchanged`,
		before:    `r.request != p.request() ||`,
		after:     `true ||`,
		pkg:       "controllers/endpoint", test: "TestPlanOfARegistration",
	},
	{
		name: "foreign-intent", file: "controllers/endpoint/intent.go",
		safeguard: `an intent of another incarnation is ignored`,
		before: `	if i.UID != res.UID {
`,
		after: `	if false {
`,
		pkg: "controllers/endpoint", test: "TestAnIntentOfAnotherIncarnationIsIgnored",
	},
	{
		name: "damaged-intent", file: "controllers/endpoint/intent.go",
		safeguard: `a damaged intent still says that an endpoint may exist`,
		before: `		return &intent{UID: res.UID}
`,
		after: `		return nil
`,
		pkg: "controllers/endpoint", test: "TestADamagedIntentStillSaysThatAnEndpointMayExist",
	},
	{
		name: "intent-without-lock", file: "controllers/endpoint/act_resource.go",
		safeguard: `the intent is written with the resourceVersion`,
		before: `	metadata := map[string]any{"resourceVersion": w.res.ResourceVersion}
`,
		after: `	metadata := map[string]any{}
`,
		pkg: "test/suite", test: "TestTheFinalizerAndTheIntentAreStoredInOneWriteBeforeThePost",
	},
	{
		name: "lost-answer-is-a-refusal", file: "controllers/endpoint/act.go",
		safeguard: `only a refusal proves that a POST created nothing`,
		before:    `mem.refused = !mayBeAtWork(err)`,
		after:     `mem.refused = true`,
		pkg:       "test/suite", test: "TestARegistrationWhoseAnswerWasLostEndsInOneEndpointAndAValidSecret",
	},
	{
		name: "cached-resource", file: "controllers/endpoint/observe_live.go",
		safeguard: `the resource is read live before the first write`,
		before:    `	if w.confirmed || first.Action == actionAddFinalizer || first.Action == actionWriteIntent {`,
		after:     `	if true {`,
		pkg:       "test/rules", test: "TestAnOldIncarnationNeverTouchesANewOneOfTheSameName",
	},
	{
		name: "young-account", file: "controllers/endpoint/plan_locate.go",
		safeguard: `after a start, an absence counts only once all resources can have been asked`,
		before:    `	case !asked && p.isPremature():`,
		after:     `case false:`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsGone",
	},
	{
		name: "list-before-post", file: "controllers/endpoint/plan_locate.go",
		safeguard: `an endpoint is not judged by a list from before its registration`,
		before:    `	return p.obs.registered == id && p.obs.view.ListedAt.Before(p.obs.intentSince)`,
		after:     `	return false`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsGone",
	},
	{
		name: "outdated-call", file: "controllers/endpoint/act.go",
		safeguard: `a process that was paused does not send what nobody waits for any more`,
		before:    `	left := r.APITimeout - r.Clock.Now().Sub(w.announced)`,
		after:     `	left := r.APITimeout`,
		pkg:       "controllers/endpoint", test: "TestWhatNobodyWaitsForAnyMoreIsNotSent",
	},
}
