// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// deletionMutants undo what a deletion must do, and in which order.
var deletionMutants = []mutant{
	{
		name: "finalizer-first", file: "controllers/endpoint/plan_delete.go",
		safeguard: `the finalizer goes after the endpoint`,
		before: `	return len(p.plan.Steps) == 0 && !p.lostInAnotherWorkspace()
`,
		after: `	return true
`,
		pkg: "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "secret-kept", file: "controllers/endpoint/plan_delete.go",
		safeguard: `the signing Secret goes with the resource`,
		before: `				p.add(step{Action: actionDeleteSecret, Secret: view.name})
`,
		after: ``,
		pkg:   "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "secret-of-another", file: "controllers/endpoint/plan_delete.go",
		safeguard: `somebody else's Secret stays`,
		before:    `if view.exists && view.owned {`,
		after:     `if view.exists {`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "orphan-deleted", file: "controllers/endpoint/plan_delete.go",
		safeguard: `Orphan leaves the endpoint`,
		before: `	if !p.res.OrphansEndpoint() {
		p.add(step{Action: actionDelete,`,
		after: `	if true {
		p.add(step{Action: actionDelete,`,
		pkg: "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "key-not-recorded", file: "controllers/endpoint/plan_delete.go",
		safeguard: `a new key is recorded before the endpoint is deleted with it`,
		before: `			p.add(step{Action: actionRecordKey, EndpointID: target.ID})
`,
		after: ``,
		pkg:   "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "gone-under-another-key", file: "controllers/endpoint/plan_delete.go",
		safeguard: `a 404 under another key does not end a deletion`,
		before:    `p.obs.registered == id || p.obs.keyHash == p.res.Status.KeyHash`,
		after:     `true`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "keyless", file: "controllers/endpoint/plan_delete.go",
		safeguard: `without a key an endpoint is kept`,
		before: `	case *p.obs.namespaceTerminating:
`,
		after: `	case true:
`,
		pkg: "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "deletion-in-flight", file: "controllers/endpoint/plan_delete.go",
		safeguard: `a registration in flight is waited out before a deletion ends`,
		before:    `	listedAfter := p.conclusiveFrom()`,
		after:     `	var listedAfter time.Time`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "deletion-of-another", file: "controllers/endpoint/plan_delete.go",
		safeguard: `an endpoint that another incarnation took over is not deleted`,
		before:    ` && (!fenced || !p.foreign(target))`,
		after:     ` && (fenced || !fenced)`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "deletion-by-404", file: "controllers/endpoint/plan_delete.go",
		safeguard: `an endpoint that is still listed is not gone for a deletion either`,
		before:    `	if !p.obs.lists(id) {`,
		after:     `	if true {`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "release", file: "controllers/endpoint/tokens.go",
		safeguard: `the release annotation always releases`,
		before:    `return res.Annotations[v1alpha1.AnnotationRelease] == "true"`,
		after:     `return false`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "single-refusal", file: "controllers/endpoint/plan_delete.go",
		safeguard: `a single refusal lets go of nothing`,
		before:    `	case !lasts:`,
		after:     `	case !lasts && false:`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "last-key-forgotten", file: "controllers/account/registry.go",
		safeguard: `a deletion uses the last key that worked`,
		before: `		use.former = previous
`,
		after: `		use.former = previous
		r.leaveFormer(who, use)
`,
		pkg: "test/suite", test: "TestADeletionUsesTheLastKeyThatWorkedWhenTheNewOneIsRefused",
	},
	{
		name: "marks-cling", file: "controllers/endpoint/act.go",
		safeguard: `marks that Medblocks does not remove are blanked`,
		before: `endpoint.Metadata[v1alpha1.MarkOwner] != ""
		w.obs.disposed`,
		after: `false
		w.obs.disposed`,
		pkg: "test/suite", test: "TestMarksThatMedblocksDoesNotRemoveFromAnOrphanAreBlanked",
	},
	{
		name: "wrong-one-disposed", file: "controllers/endpoint/plan_delete.go",
		safeguard: `what went before a registration in another workspace proves nothing about that`,
		before:    `		if id != p.obs.intent.Replaces {`,
		after:     `		if true || id == "" {`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
	{
		name: "stale-finalizer", file: "controllers/endpoint/act_resource.go",
		safeguard: `what the API server answers replaces what was known`,
		before: `	w.base, w.res, w.mem.written, w.confirmed = next.DeepCopy(), next, next.ResourceVersion, true
	dropDamagedID(w.res)
`,
		after: `	next.Finalizers = w.res.Finalizers
	w.base, w.res, w.mem.written, w.confirmed = next.DeepCopy(), next, next.ResourceVersion, true
	dropDamagedID(w.res)
`,
		pkg: "test/suite", test: "TestAManagedEndpointIsObservedAndThenManagedAgain",
	},
	{
		name: "marked-later", file: "controllers/endpoint/plan_delete.go",
		safeguard: `nothing is left behind while a PATCH may set its marks again`,
		before:    `return (stays || unmarked) && p.waits(`,
		after:     `return false && (stays || unmarked) && p.waits(`,
		pkg:       "controllers/endpoint", test: "TestPlanOfADeletion",
	},
}
