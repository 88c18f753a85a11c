// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// secretMutants undo what keeps the signing secret from being lost, and others' Secrets from being overwritten.
var secretMutants = []mutant{
	{
		name: "rotate-unmarked", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a rotation is marked before it is made`,
		before: `	p.add(step{
		Action: actionMarkRotation,`,
		after: `	_ = (step{
		Action: actionMarkRotation,`,
		pkg: "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "rotate-unproven", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a rotation needs a Secret that can be written`,
		before: `	case view.live && view.unwritable != nil:
`,
		after: `	case false:
`,
		pkg: "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "not-owned", file: "controllers/endpoint/plan_secret.go",
		safeguard: `somebody else's Secret is not overwritten`,
		before: `	case view.exists && !view.owned:
		p.stop(notOwned(p.res.SigningSecretName(), p.now))
	case p.obs.clobbered`,
		after: `	case p.obs.clobbered`,
		pkg:   "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "nonce-not-compared", file: "controllers/endpoint/observation.go",
		safeguard: `only the same nonce says that the Secret holds the secret in force`,
		before:    `s.intact && mark != "" && s.nonce == mark`,
		after:     `s.intact && mark != ""`,
		pkg:       "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "tampered", file: "controllers/endpoint/observation.go",
		safeguard: `a value that the operator did not write is not trusted`,
		before:    `s.exists && s.owned && s.intact &&`,
		after:     `s.exists && s.owned &&`,
		pkg:       "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "mark-repair", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a missing mark is put back, and no reason to rotate`,
		before:    `mark == "" && view.holds(view.nonce) && view.endpointID == target.ID`,
		after:     `false`,
		pkg:       "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "healing-cap", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a lost secret is healed once an hour at most`,
		before:    `healed.IsZero() || !p.now.Before(healed.Add(healInterval))`,
		after:     `true || healed.IsZero()`,
		pkg:       "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "rotation-in-flight", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a rotation that may be in flight is waited out`,
		before:    `	return p.waits(since.Add(p.flightTime()), `,
		after:     `	return false && p.waits(since.Add(p.flightTime()), `,
		pkg:       "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "clobbered", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a rotation out of turn is followed by another one`,
		before: `	case p.obs.clobbered == target.ID:
`,
		after: `	case false:
`,
		pkg: "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "token-twice", file: "controllers/endpoint/tokens.go",
		safeguard: `a request to rotate is served once`,
		before: `	return token != "" && token != handled
`,
		after: `	return token != ""
`,
		pkg: "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "crash-after-rotation", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a rotation that the status does not know yet counts`,
		before:    ` && p.obs.secret.rotatedFor != p.res.Annotations[v1alpha1.AnnotationRotateSecretRequestedAt]`,
		after:     ``,
		pkg:       "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "previous-value", file: "controllers/endpoint/act_secret.go",
		safeguard: `the last published value is kept`,
		before: `		content.previous = s.value // the last published value
`,
		after: ``,
		pkg:   "test/suite", test: "TestARotationOnRequestHappensOnceAndKeepsThePreviousValue",
	},
	{
		name: "renamed-and-forgotten", file: "controllers/endpoint/conclude.go",
		safeguard: `a renamed Secret's old name is kept until that Secret is gone`,
		before:    `is.Name = was.Name // until`,
		after:     `// until`,
		pkg:       "controllers/endpoint", test: "TestARenamedSecretsOldNameIsKeptUntilThatSecretIsGone",
	},
	{
		name: "secret-without-lock", file: "controllers/endpoint/secret.go",
		safeguard: `a Secret that was changed meanwhile is not overwritten`,
		before: `			"resourceVersion": seen.resourceVersion,
`,
		after: ``,
		pkg:   "test/suite", test: "TestASecretThatBecomesSomebodyElsesDuringARotationIsNotOverwritten",
	},
	{
		name: "held-secret", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a secret that could not be stored is held until it can`,
		before: `	case p.obs.held.fits(target.ID, mark):
`,
		after: `	case false:
`,
		pkg: "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "copy-stored-twice", file: "controllers/endpoint/plan_copy.go",
		safeguard: `a copy that was stored before a crash keeps its nonce`,
		before:    `if !isCopy(nonce) || !p.obs.secret.holds(nonce) || !p.isCopied(target) {`,
		after:     `if true {`,
		pkg:       "controllers/endpoint", test: "TestPlanOfAnAdoptionWithACopy",
	},
	{
		name: "answer-is-proof", file: "controllers/endpoint/act.go",
		safeguard: `the answer to a rotation is checked by a read before it is believed`,
		before:    `	return r.seeWhoseTurnItWas(ctx, w, s)`,
		after: `	w.mem.held, w.mem.clobbered = nil, endpoint.ID
	return errStale`,
		pkg: "test/suite", test: "TestARotationWhoseAnswerShowsNoMarkIsNotRepeated",
	},
	{
		name: "left-by-a-move", file: "controllers/endpoint/secret_find.go",
		safeguard: `a Secret that a move has left behind is removed`,
		before:    `secret.Annotations[v1alpha1.AnnotationSecretName] == secret.Name {`,
		after:     `false {`,
		pkg:       "test/suite", test: "TestASecretLeftInTheMiddleOfTwoMovesIsRemoved",
	},
	{
		name: "unnoted-name", file: "controllers/endpoint/secret_find.go",
		safeguard: `who may not list Secrets notes a name before a Secret has it`,
		before:    `isKnownName(w.res, name) {`,
		after:     `true {`,
		pkg:       "test/suite", test: "TestASecretThatCannotBeListedIsFoundByItsNotedName",
	},
	{
		name: "unwatched-secret", file: "controllers/endpoint/secret_find.go",
		safeguard: `who may not watch Secrets looks at each one now and then`,
		before: `	if !r.SecretsByName {
		return time.Time{}`,
		after: `	if r.PollInterval > 0 {
		return time.Time{}`,
		pkg: "test/suite", test: "TestASecretThatIsNotWatchedIsHealedAtTheNextSweep",
	},
	{
		name: "marked-back", file: "controllers/endpoint/plan_secret.go",
		safeguard: `nothing is rotated while a PATCH may put an older mark back`,
		before:    `if p.secretBlocked() || p.mayBeMarkedBack(target) {`,
		after:     `if p.secretBlocked() {`,
		pkg:       "controllers/endpoint", test: "TestNothingIsRotatedWhileAnOlderMarkMayComeBack",
	},
	{
		name: "outdone-for-ever", file: "controllers/endpoint/plan_secret.go",
		safeguard: `a rotation that outdated another one is not repeated again and again`,
		before:    `if p.obs.clobbers > 1 && `,
		after:     `if false && `,
		pkg:       "controllers/endpoint", test: "TestPlanOfTheSigningSecret",
	},
	{
		name: "lost-rotations", file: "controllers/endpoint/plan_secret.go",
		safeguard: `rotations without a usable answer come ever less often`,
		before:    `if flight *= 2; flight`,
		after:     `if flight *= 1; flight`,
		pkg:       "controllers/endpoint", test: "TestRotationsWithoutAnAnswerComeEverLessOften",
	},
}
