// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// accountMutants undo what makes the view of an account trustworthy, and its calls few.
var accountMutants = []mutant{
	{
		name: "partial-list", file: "controllers/account/poller.go",
		safeguard: `a list that stopped half-way changes nothing`,
		before: `			return nil, err
		}
		if endpoint.Metadata == nil {`,
		after: `			return listed, nil
		}
		if endpoint.Metadata == nil {`,
		pkg: "controllers/account", test: "TestAListThatStoppedHalfWayChangesNothing",
	},
	{
		name: "sweep-undoes-writes", file: "controllers/account/snapshot.go",
		safeguard: `a sweep does not undo what was written while it ran`,
		before: `		if edit <= begun {
`,
		after: `		if edit <= begun || true {
`,
		pkg: "controllers/account", test: "TestASweepDoesNotUndoWhatWasWrittenWhileItRan",
	},
	{
		name: "disabled-list-is-complete", file: "controllers/account/snapshot.go",
		safeguard: `a partial list proves no absence`,
		before: `		if s.edits[id] > begun {
			continue
		}
`,
		after: ``,
		pkg:   "controllers/account", test: "TestAPartialListProvesNoAbsence",
	},
	{
		name: "fleet-suspicion", file: "controllers/account/snapshot.go",
		safeguard: `many that vanish at once are suspect`,
		before: `	case vanished >= 3 && vanished*10 > known:
`,
		after: `	case false:
`,
		pkg: "controllers/account", test: "TestManyVanishingAtOnceIsSuspectUntilALaterListConfirmsIt",
	},
	{
		name: "first-list", file: "controllers/account/snapshot.go",
		safeguard: `many that are missing in the first list are suspect too`,
		before:    `		if !s.absent[id] {`,
		after:     `		if false {`,
		pkg:       "controllers/account", test: "TestManyMissingInTheFirstListAreSuspectToo",
	},
	{
		name: "early-confirmation", file: "controllers/account/snapshot.go",
		safeguard: `a suspicion is settled by a list that comes long enough after it`,
		before:    `!s.suspectAt.IsZero() && at.Sub(s.suspectAt) >= s.confirmAfter`,
		after:     `!s.suspectAt.IsZero()`,
		pkg:       "controllers/account", test: "TestManyVanishingAtOnceIsSuspectUntilALaterListConfirmsIt",
	},
	{
		name: "retry-after", file: "controllers/account/limiter.go",
		safeguard: `a 429 pauses the whole account`,
		before: `		a.pause(a.clock.Now().Add(pause))
`,
		after: `		_ = pause
`,
		pkg: "controllers/account", test: "TestRetryAfterPausesTheAccount",
	},
	{
		name: "refused-key", file: "controllers/account/limiter.go",
		safeguard: `a refused key stops the account`,
		before: `	if err := a.breaker.err(); err != nil {
		return err
	}
	if until`,
		after: `	if until`,
		pkg:   "controllers/account", test: "TestARefusedKeyStopsTheAccountAndIsAnnouncedOnce",
	},
	{
		name: "waiters-not-told", file: "controllers/account/poller.go",
		safeguard: `who waits for a list is told of it`,
		before: `	concerned := p.account.noteList(err)
`,
		after: `	concerned := p.account.noteList(err)[:0]
`,
		pkg: "controllers/account", test: "TestOneListServesAllThatWait",
	},
	{
		name: "oldest-first", file: "controllers/account/snapshot.go",
		safeguard: `endpoints of one owner are found oldest first`,
		before: `	if c := a.CreatedAt.Compare(b.CreatedAt.Time); c != 0 {
		return c
`,
		after: `	if c := a.CreatedAt.Compare(b.CreatedAt.Time); c != 0 {
		return -c
`,
		pkg: "controllers/account", test: "TestEndpointsOfOneOwnerAreFoundOldestFirst",
	},
	{
		name: "blind-in-a-pause", file: "controllers/account/poller.go",
		safeguard: `a new key is looked for while the account is paused`,
		before:    `disabledDue && (paused || p.account.Refused() != nil):`,
		after:     `disabledDue && !paused && p.account.Refused() != nil:`,
		pkg:       "controllers/account", test: "TestANewKeyIsLookedForWhileTheAccountIsPaused",
	},
	{
		name: "key-that-is-back", file: "controllers/account/registry.go",
		safeguard: `a resource whose former key is back stays with its account`,
		before:    `		use.former = nil // it is back`,
		after:     `		_ = use // it is back`,
		pkg:       "controllers/account", test: "TestAKeyThatWorkedIsKeptUntilTheNextOneIsAcceptedAndServesAgainWhenItIsBack",
	},
	{
		name: "relapse", file: "controllers/account/poller.go",
		safeguard: `a key that lists accept and other calls do not is tried ever less often`,
		before:    `case p.relapses > 0 && p.account.Refused() != nil:`,
		after:     `case false:`,
		pkg:       "controllers/account", test: "TestAKeyThatListsAcceptAndOtherCallsDoNotIsTriedEverLessOften",
	},
	{
		name: "starved-polls", file: "controllers/account/pace.go",
		safeguard: `writes that follow one another do not starve the polls`,
		before:    `	case !anyUrgent || p.inARow == urgentInARow:`,
		after:     `	case !anyUrgent:`,
		pkg:       "controllers/account", test: "TestWhatSomebodyWaitsForPassesPollsAndDoesNotStarveThem",
	},
	{
		name: "full-bucket-after-429", file: "controllers/account/pace.go",
		safeguard: `after a 429 the account goes on one call at a time`,
		before: `	p.limiter.SetBurst(1)
`,
		after: ``,
		pkg:   "controllers/account", test: "TestAPaceIsWonBackInFull",
	},
	{
		name: "sent-for-nothing", file: "controllers/account/limiter.go",
		safeguard: `who waited for the account's turn learns of a refusal before calling`,
		before:    `	return a.barred() // what`,
		after:     `	return nil // what`,
		pkg:       "controllers/account", test: "TestWhoWaitsForTheirTurnLearnsWhatHappenedMeanwhile",
	},
	{
		name: "others-untold", file: "controllers/account/account.go",
		safeguard: `an own write is told to the other resources that have to do with the endpoint`,
		before:    `len(concerned) > 1`,
		after:     `len(concerned) > 9`,
		pkg:       "controllers/account", test: "TestWhatSeveralHaveToDoWithIsToldToAllOfThem",
	},
}
