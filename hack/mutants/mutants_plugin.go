// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// pluginMutants undo what keeps the kubectl plugin from losing an endpoint, and from promising what it cannot know.
var pluginMutants = []mutant{
	{
		name: "release-orphans", file: "plugin/release_leaving.go",
		safeguard: `a release has the resource leave its endpoint before it deletes it`,
		before: `	if leavesEndpoint(l.res) {
		return nil
	}`,
		after: `	if leavesEndpoint(l.res) || len(options) == 0 {
		return nil
	}`,
		pkg: "plugin", test: "TestAReleaseLeavesEndpointsAndTheirSecrets",
	},
	{
		name: "release-unseen", file: "plugin/release_leaving.go",
		safeguard: `whether a resource leaves its endpoint is read anew before it is deleted`,
		before:    `	if err := r.refresh(ctx, l); err != nil {`,
		after:     `	if err := ctx.Err(); err != nil {`,
		pkg:       "plugin", test: "TestNoResourceIsDeletedWhoseDeletionPolicyWasSetBackUnseen",
	},
	{
		name: "release-version", file: "plugin/release_leaving.go",
		safeguard: `a resource is deleted only as it was seen`,
		before:    `client.Preconditions{UID: &l.res.UID, ResourceVersion: &l.res.ResourceVersion}`,
		after:     `client.Preconditions{UID: &l.res.UID}`,
		pkg:       "plugin", test: "TestNoResourceIsDeletedWhoseDeletionPolicyWasSetBackUnseen",
	},
	{
		name: "release-set-back", file: "plugin/releaser.go",
		safeguard: `who sets the deletion policy back while a release waits is overruled`,
		before:    `	if l.see(res); leavesEndpoint(res) {`,
		after:     `	if l.see(res); res != nil {`,
		pkg:       "plugin", test: "TestAReleaseIsNotUndoneByWhoSetsTheDeletionPolicyBack",
	},
	{
		name: "release-doubt", file: "plugin/release_leaving.go",
		safeguard: `no endpoint is said to stay whose deletion had begun`,
		before:    `	l.inDoubt = l.inDoubt || isInDoubt(res)`,
		after:     ``,
		pkg:       "plugin", test: "TestAnEndpointWhoseDeletionHadBegunIsNotSaidToStay",
	},
	{
		name: "release-forgets", file: "plugin/release_leaving.go",
		safeguard: `another run of a release knows what the first one has seen`,
		before:    `	if l.inDoubt {`,
		after:     `	if l.inDoubt && len(options) > 0 {`,
		pkg:       "plugin", test: "TestAnEndpointWhoseDeletionHadBegunIsNotSaidToStay",
	},
	{
		name: "redeliver-on-and-on", file: "plugin/redeliver.go",
		safeguard: `a receiver that takes nothing is left alone`,
		before:    `if inARow == failuresInARow && stop == nil {`,
		after:     `if inARow > len(events) {`,
		pkg:       "plugin", test: "TestRedeliverNamesWhatHasNotArrivedAndStopsWhenNothingDoes",
	},
	{
		name: "orphans-guessed", file: "plugin/orphans_judge.go",
		safeguard: `without a complete list of resources, no endpoint is called an orphan`,
		before:    `	case !complete:`,
		after:     `	case !complete && owner == clusterID:`,
		pkg:       "plugin", test: "TestAnEndpointIsJudgedByItsMarkAndByWhatResourcesSay",
	},
	{
		name: "plan-incomplete", file: "plugin/plan.go",
		safeguard: `a plan that could not be made does not end with "nothing to do"`,
		before: `	case problem != nil:
		return problem`,
		after: `	case problem != nil && r.hasSteps():
		return problem`,
		pkg: "plugin", test: "TestAPlanIsRefusedWhereTheUserMayNotReadWhatTheOperatorReads",
	},
	{
		name: "plan-barred", file: "controllers/endpoint/preview_reader.go",
		safeguard: `what the user may not read is not taken for what the operator cannot read`,
		before:    `		r.barred = err`,
		after:     `		r.note("%v", err)`,
		pkg:       "plugin", test: "TestAPlanIsRefusedWhereTheUserMayNotReadWhatTheOperatorReads",
	},
	{
		name: "plan-proves", file: "controllers/endpoint/observe_live.go",
		safeguard: `a preview writes nothing, not even for a dry run`,
		before:    `	case toProve && r.previews:`,
		after:     `	case toProve && r.previews && r.Client == nil:`,
		pkg:       "plugin", test: "TestAPlanIsThatOfAnOperatorWithCertainEnvironments",
	},
}
