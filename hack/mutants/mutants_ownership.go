// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// ownershipMutants undo what keeps the operator off things that are not its own, and on those that are.
var ownershipMutants = []mutant{
	{
		name: "owner-mark", file: "controllers/endpoint/plan_locate.go",
		safeguard: `an endpoint with another owner's mark is left alone`,
		before:    `owner != "" && owner != p.obs.owner:`,
		after:     `false:`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsKnown",
	},
	{
		name: "incarnation-fence", file: "controllers/endpoint/plan_locate.go",
		safeguard: `an endpoint of another incarnation is left alone`,
		before:    `return incarnation != "" && incarnation != string(p.res.UID)`,
		after:     `return incarnation == string(p.res.UID) && incarnation == ""`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsKnown",
	},
	{
		name: "untaken", file: "controllers/endpoint/conclude.go",
		safeguard: `the status names an endpoint only once it is taken over`,
		before:    ` && !c.isUntaken()`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestAnEndpointIsNotOursBeforeItIsTakenOverFromAnEarlierIncarnation",
	},
	{
		name: "oldest-is-kept", file: "controllers/endpoint/plan_locate.go",
		safeguard: `of duplicates, the one whose secret we hold is kept`,
		before: `		if p.obs.secret.holds(e.Metadata[v1alpha1.MarkSecretGeneration]) {
`,
		after: `		if false {
`,
		pkg: "controllers/endpoint", test: "TestPlanOfARegistration",
	},
	{
		name: "duplicate-of-another", file: "controllers/endpoint/plan.go",
		safeguard: `a duplicate of another incarnation is left alone`,
		before:    `p.res.Status.EndpointID != "" && p.foreign(other)`,
		after:     `false`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsKnown",
	},
	{
		name: "no-live-read", file: "controllers/endpoint/plan.go",
		safeguard: `nothing is written on what a cache says`,
		before:    `s.Action.atMedblocks() && s.EndpointID != "" &&`,
		after:     `false &&`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsKnown",
	},
	{
		name: "marks-left-out", file: "controllers/endpoint/desired.go",
		safeguard: `every write of metadata carries the marks`,
		before: `			v1alpha1.MarkIncarnation: string(res.UID),
`,
		after: ``,
		pkg:   "controllers/endpoint", test: "TestEveryPlanKeepsTheLawsAndEveryResourceSettles",
	},
	{
		name: "nonce-left-out", file: "controllers/endpoint/desired.go",
		safeguard: `a change of metadata keeps the secret-generation mark`,
		before:    `d.withNonce(endpoint.Metadata[v1alpha1.MarkSecretGeneration])`,
		after:     `d.withNonce("")`,
		pkg:       "controllers/endpoint", test: "TestEveryPlanKeepsTheLawsAndEveryResourceSettles",
	},
	{
		name: "endless-patch", file: "controllers/endpoint/plan.go",
		safeguard: `a form that Medblocks chose itself is accepted`,
		before: `	drifted := projectionOf(target).hash() != p.obs.acceptedHash
`,
		after: `	drifted := projectionOf(target).hash() != p.want.hash()
`,
		pkg: "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsKnown",
	},
	{
		name: "order-of-events", file: "controllers/endpoint/desired.go",
		safeguard: `events compare as a set`,
		before:    `slices.Sorted(slices.Values(endpoint.Events))`,
		after:     `endpoint.Events`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsKnown",
	},
	{
		name: "suspended", file: "controllers/endpoint/plan_gates.go",
		safeguard: `a suspended resource is left alone`,
		before: `	if !p.res.Spec.Suspend {
`,
		after: `	if true {
`,
		pkg: "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsKnown",
	},
	{
		name: "read-only", file: "controllers/endpoint/plan_withhold.go",
		safeguard: `a read-only operator writes nothing`,
		before: `	p.Steps = nil
	p.Holds = append([]hold{*stalledHold`,
		after: `	p.Holds = append([]hold{*stalledHold`,
		pkg:   "controllers/endpoint", test: "TestEveryPlanKeepsTheLawsAndEveryResourceSettles",
	},
	{
		name: "paused-account", file: "controllers/endpoint/plan_turn.go",
		safeguard: `a paused account makes no call`,
		before:    `	if !p.now.Before(turn.At) {`,
		after:     `	if true {`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnEndpointThatIsKnown",
	},
	{
		name: "status-rewritten", file: "controllers/endpoint/record.go",
		safeguard: `the status is patched only where it differs`,
		before: `	if equality.Semantic.DeepEqual(&w.base.Status, status) {
`,
		after: `	if false {
`,
		pkg: "test/suite", test: "TestASettledResourceCostsNothingButThePolls",
	},
	{
		name: "turns", file: "controllers/endpoint/turns.go",
		safeguard: `nobody adopts an endpoint in the middle of a rotation`,
		before:    `if is.busy || now.Before(is.until) {`,
		after:     `if false {`,
		pkg:       "test/suite", test: "TestAnAdoptionInTheMiddleOfARotationWaitsForItsEnd",
	},
	{
		name: "turn-of-a-lost-answer", file: "controllers/endpoint/turns.go",
		safeguard: `nobody comes while a write of another one may be in flight`,
		before:    `if is.busy || now.Before(is.until) {`,
		after:     `if is.busy {`,
		pkg:       "controllers/endpoint", test: "TestOneResourceAtATimeWritesToAnEndpoint",
	},
	{
		name: "younger-claim", file: "controllers/endpoint/rivals.go",
		safeguard: `the older claim to an endpoint goes first`,
		before:    `	return is.older && !is.refused`,
		after:     `	return false && !is.refused`,
		pkg:       "controllers/endpoint", test: "TestOfTwoAdoptersTheOneWithTheOlderClaimWins",
	},
	{
		name: "claim-of-the-holder", file: "controllers/endpoint/rivals.go",
		safeguard: `who has adopted an endpoint keeps it`,
		before:    `	if mark == is.owner {`,
		after:     `	if false {`,
		pkg:       "controllers/endpoint", test: "TestOfTwoAdoptersTheOneWithTheOlderClaimWins",
	},
	{
		name: "blind-rival", file: "controllers/endpoint/rivals.go",
		safeguard: `nobody keeps others from an endpoint by merely naming it`,
		before:    `		if sees {`,
		after:     `		if sees || true {`,
		pkg:       "test/suite", test: "TestAResourceWhoseKeyCannotSeeTheEndpointKeepsNobodyFromAdoptingIt",
	},
	{
		name: "refused-rival", file: "controllers/endpoint/rivals.go",
		safeguard: `who is not allowed to adopt an endpoint keeps nobody else from it`,
		before:    `is.older && !is.refused && `,
		after:     `is.older && `,
		pkg:       "controllers/endpoint", test: "TestWhoMayNotAdoptAnEndpointKeepsNobodyFromIt",
	},
	{
		name: "one-secret-for-two", file: "controllers/endpoint/plan_rivals.go",
		safeguard: `one Secret is one resource's`,
		before:    `		if !p.hasSecret(other) {`,
		after:     `		if true || !p.hasSecret(other) {`,
		pkg:       "controllers/endpoint", test: "TestOfTwoResourcesWithOneSigningSecretTheOneWithTheOlderClaimWins",
	},
	{
		name: "rivals-asleep", file: "controllers/endpoint/rivals.go",
		safeguard: `who waits for another one's claim is told when it is gone`,
		before:    `			r.Enqueue(client.ObjectKeyFromObject(&others[i]))`,
		after:     `			_ = others[i]`,
		pkg:       "test/suite", test: "TestAnAdopterThatComesLaterGetsTheEndpointOnceTheFirstOneLetsItGo",
	},
	{
		name: "copy-of-a-secret", file: "controllers/endpoint/secret_find.go",
		safeguard: `a Secret that somebody has copied is theirs`,
		before:    `secret.Annotations[v1alpha1.AnnotationSecretName] == secret.Name {`,
		after:     `secret.Annotations[v1alpha1.AnnotationSecretName] != "" {`,
		pkg:       "test/suite", test: "TestASecretLeftInTheMiddleOfTwoMovesIsRemoved",
	},
	{
		name: "adopt-unread", file: "controllers/endpoint/plan_adopt.go",
		safeguard: `an endpoint is read live before it is adopted`,
		before: `	if !p.obs.isLive(id) {
		if target == nil || p.mayHaveBegun() || p.maySucceed() {`,
		after: `	if !p.obs.secret.live {
		if target == nil || p.mayHaveBegun() || p.maySucceed() {`,
		pkg: "controllers/endpoint", test: "TestPlanOfAnAdoption",
	},
	{
		name: "adopt-a-second", file: "controllers/endpoint/plan_adopt.go",
		safeguard: `a resource that has an endpoint adopts no other`,
		before:    `if owned := p.obs.owned(); len(owned) > 0 {`,
		after:     `if owned := p.obs.owned(); false {`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnAdoption",
	},
	{
		name: "observer-writes", file: "controllers/endpoint/plan.go",
		safeguard: `who observes writes nothing`,
		before: `	case res.Observes():
		p.watch()
`,
		after: ``,
		pkg:   "controllers/endpoint", test: "TestPlanUnderObserve",
	},
	{
		name: "orphan-unread", file: "controllers/endpoint/orphans.go",
		safeguard: `an orphan is judged by a live read of its endpoint`,
		before:    `if err != nil || endpoint.Metadata[v1alpha1.MarkOwner] != account.OwnerMark(o.ClusterID, m.Owner) {`,
		after:     `if err != nil && !medblocks.IsNotFound(err) && endpoint.ID == "" {`,
		pkg:       "test/suite", test: "TestAListThatLagsBehindADeletionMakesNoOrphan",
	},
	{
		name: "withdrawn-adoption", file: "controllers/endpoint/plan_locate.go",
		safeguard: `an adoption that is not asked for any more may still take effect`,
		before: `		from = p.obs.flyingUntil
`,
		after: `		from = p.obs.intentSince
`,
		pkg: "controllers/endpoint", test: "TestAnAdoptionThatIsNotAskedForAnyMoreIsWaitedFor",
	},
	{
		name: "adopt-twice", file: "controllers/endpoint/plan_adopt.go",
		safeguard: `a second attempt to adopt waits for the end of the first`,
		before: `	case p.mayBeWrittenByOthers(target):
`,
		after: `	case false:
`,
		pkg: "controllers/endpoint", test: "TestPlanOfAnAdoption",
	},
	{
		name: "nobody-flies", file: "controllers/endpoint/memory.go",
		safeguard: `a PATCH of a process that has ended may be under way`,
		before:    `if !m.met && slices.Contains(res.Finalizers, v1alpha1.Finalizer) {`,
		after:     `if !m.met && slices.Contains(res.Finalizers, v1alpha1.Finalizer+"/none") {`,
		pkg:       "controllers/endpoint", test: "TestAPatchOfAProcessThatHasEndedIsExpectedOnce",
	},
	{
		name: "adopt-after-a-start", file: "controllers/endpoint/plan_adopt.go",
		safeguard: `what the endpoint's owner was about to do before a restart is waited for`,
		before:    `		until = p.obs.begunUntil`,
		after:     `		_ = until`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnAdoption",
	},
	{
		name: "adopt-before-list", file: "controllers/endpoint/plan_adopt.go",
		safeguard: `an earlier adoption of another endpoint is looked for before the next`,
		before:    `	if p.obs.view.ListedAt.Before(p.obs.flyingUntil) {`,
		after:     `	if false {`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnAdoption",
	},
}
