// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// redeliveryMutants undo what keeps a redelivery from doing harm, and what brings it to its end.
var redeliveryMutants = []mutant{
	{
		name: "redelivery-canary", file: "controllers/redelivery/learn.go",
		safeguard: `a receiver that does not take the canary gets no other event`,
		before: `	case it.id == r.trial && !r.tested:
		r.judge(it)
	case`,
		after: `	case`,
		pkg:   "controllers/redelivery", test: "TestACanaryThatIsNotDeliveredStopsTheJob",
	},
	{
		name: "redelivery-same-canary", file: "controllers/redelivery/round.go",
		safeguard: `a canary that failed is not the next one, where there is another`,
		before:    `it.id == r.job.Avoid`,
		after:     `false`,
		pkg:       "controllers/redelivery", test: "TestTheCanaryIsTheNewestEventThatHasFailedBeforeAndTheRestGoesOldestFirst",
	},
	{
		name: "redelivery-unfit-canary", file: "controllers/redelivery/learn.go",
		safeguard: `a canary that fails by its own fault is followed by another`,
		before:    `!canary.refusal || r.unfit == unfitCanaries`,
		after:     `true`,
		pkg:       "controllers/redelivery", test: "TestACanaryThatFailsByItsOwnFaultIsFollowedByAnother",
	},
	{
		name: "redelivery-unfit-canaries", file: "controllers/redelivery/learn.go",
		safeguard: `a receiver that refuses three canaries gets no other event`,
		before:    `|| r.unfit == unfitCanaries`,
		after:     `|| false`,
		pkg:       "controllers/redelivery", test: "TestACanaryThatFailsByItsOwnFaultIsFollowedByAnother",
	},
	{
		name: "redelivery-three-in-a-row", file: "controllers/redelivery/learn.go",
		safeguard: `three failures in a row stop a redelivery`,
		before:    `r.failures == failuresInARow`,
		after:     `false`,
		pkg:       "controllers/redelivery", test: "TestThreeFailuresInARowStopTheJob",
	},
	{
		name: "redelivery-own-fault", file: "controllers/redelivery/learn.go",
		safeguard: `an event that a receiver refuses says nothing about the receiver`,
		before:    `	case r.pass > 0 || it.refusal:`,
		after:     `	case r.pass > 0:`,
		pkg:       "controllers/redelivery", test: "TestThreeFailuresInARowStopTheJob",
	},
	{
		name: "redelivery-limit", file: "controllers/redelivery/round.go",
		safeguard: `no more events are redelivered than the limit says`,
		before:    `	return max(r.job.Limit-r.job.Delivered-r.lost-r.placed, 0)`,
		after:     `	return len(r.known)`,
		pkg:       "controllers/redelivery", test: "TestWhateverTheAnswersNoLawIsBrokenAndTheRoundEnds",
	},
	{
		name: "redelivery-bounds", file: "controllers/redelivery/listing.go",
		safeguard: `nothing older than maxAge is redelivered`,
		before:    `created.Before(l.job.From) || `,
		after:     ``,
		pkg:       "controllers/redelivery", test: "TestAListingKeepsWhatTheJobIsAbout",
	},
	{
		name: "redelivery-own-minute", file: "controllers/redelivery/learn.go",
		safeguard: `an event is redelivered once a minute`,
		before: `		it.due = later(it.due, earlier(e.redelivered, now).Add(betweenAttempts))
`,
		after: ``,
		pkg:   "controllers/redelivery", test: "TestAnEventsOwnMinuteIsRespected",
	},
	{
		name: "redelivery-in-doubt", file: "controllers/redelivery/learn.go",
		safeguard: `an event whose answer was lost is not sent again before a list`,
		before: `		r.refusals, r.listDue = 0, true
`,
		after: `		r.refusals = 0
`,
		pkg: "controllers/redelivery", test: "TestWhateverTheAnswersNoLawIsBrokenAndTheRoundEnds",
	},
	{
		name: "redelivery-stale-look", file: "controllers/redelivery/round.go",
		safeguard: `what was delivered between two looks is not sent again`,
		before: `		r.pass, r.listDue = r.pass+1, true
`,
		after: `		r.pass++
`,
		pkg: "controllers/redelivery", test: "TestWhatIsDeliveredBetweenTwoLooksIsNotSentAgain",
	},
	{
		name: "redelivery-short-looks", file: "controllers/redelivery/round.go",
		safeguard: `an event that failed is not given up while its receiver is down for some minutes`,
		before:    `5 * time.Minute, 30 * time.Minute, 2 * time.Hour}`,
		after:     `5 * time.Minute}`,
		pkg:       "controllers/redelivery", test: "TestAnEventIsNotLostBecauseTheReceiverIsDownForSomeMinutes",
	},
	{
		name: "redelivery-not-found", file: "controllers/redelivery/learn.go",
		safeguard: `an event that is listed and not found is not passed over in silence`,
		before:    `	case refused, gone:`,
		after: `	case gone:
		it.standing = settled
		r.leave(it)
	case refused:`,
		pkg: "controllers/redelivery", test: "TestAnEventThatIsListedAndNotFoundHasFailedUntilALaterListLacksIt",
	},
	{
		name: "redelivery-restart", file: "controllers/redelivery/learn.go",
		safeguard: `what had its turn before a restart waits for the second look`,
		before:    `!it.placed && !e.redelivered.Before(r.job.Begun)`,
		after:     `false`,
		pkg:       "controllers/redelivery", test: "TestWhatHadItsTurnBeforeARestartWaitsForTheSecondLook",
	},
	{
		name: "redelivery-down-at-the-end", file: "controllers/redelivery/round.go",
		safeguard: `a later try takes up what failed because the receiver went down at the end`,
		before:    `curable && r.lastDelivery <= since`,
		after:     `false`,
		pkg:       "controllers/redelivery", test: "TestAJobWhoseReceiverWentDownAtTheEndIsStopped",
	},
	{
		name: "redelivery-storm-of-429", file: "controllers/redelivery/learn.go",
		safeguard: `an account that is told to wait for one event after the other waits`,
		before:    `r.refusals >= refusalsInARow`,
		after:     `false`,
		pkg:       "controllers/redelivery", test: "TestAJobThatIsToldToWaitForOneEventAfterTheOtherWaits",
	},
	{
		name: "redelivery-poison", file: "controllers/redelivery/learn.go",
		safeguard: `an event that Medblocks never answers for does not keep a job from its end`,
		before:    `it.unheard < patienceCalls ||`,
		after:     `true ||`,
		pkg:       "controllers/redelivery", test: "TestAnEventThatIsAskedForInVainForTooLongDoesNotKeepTheJobFromItsEnd",
	},
	{
		name: "redelivery-order-of-the-list", file: "controllers/redelivery/listing.go",
		safeguard: `a list that is oldest first is read to its end`,
		before:    ` && created.Before(l.first)`,
		after:     ``,
		pkg:       "controllers/redelivery", test: "TestAListIsReadAsFarAsThereMayBeEventsOfTheJobInIt",
	},
	{
		name: "redelivery-published-too-often", file: "controllers/redelivery/run.go",
		safeguard: `how far a job has come is published every ten seconds at most`,
		before: `	r.due = r.now().Add(publishInterval)
`,
		after: ``,
		pkg:   "controllers/redelivery", test: "TestHowFarAJobHasComeIsPublishedEveryTenSecondsAndAtItsEnd",
	},
	{
		name: "redelivery-published-unlisted", file: "controllers/redelivery/run.go",
		safeguard: `what was published before a restart stays until as much is known again`,
		before:    `round.state == Running && round.listed &&`,
		after:     `round.state == Running &&`,
		pkg:       "controllers/redelivery", test: "TestAJobThatIsResumedIsNotShownBeforeItKnowsAsMuchAsBefore",
	},
	{
		name: "redelivery-published-at-once", file: "controllers/redelivery/courier.go",
		safeguard: `a short redelivery is published once`,
		before:    `c.opts.Clock.Now().Add(publishInterval)`,
		after:     `c.opts.Clock.Now()`,
		pkg:       "controllers/redelivery", test: "TestAShortJobIsPublishedOnceAtItsEnd",
	},
	{
		name: "background-starves-polls", file: "controllers/account/account.go",
		safeguard: `one background call of an account at a time stands in line`,
		before:    `slot:      make(chan struct{}, 1)`,
		after:     `slot:      make(chan struct{}, 100)`,
		pkg:       "controllers/account", test: "TestPollsAndRegistrationsAreNotStarvedByBackgroundCalls",
	},
	{
		name: "background-rank", file: "controllers/account/background.go",
		safeguard: `what somebody waits for passes background calls`,
		before:    `a.admitAs(ctx, routine)`,
		after:     `a.admitAs(ctx, urgent)`,
		pkg:       "controllers/account", test: "TestWhatSomebodyWaitsForPassesBackgroundCalls",
	},
	{
		name: "background-429", file: "controllers/account/background.go",
		safeguard: `an event that was redelivered too soon does not pause the account`,
		before:    `!medblocks.IsRateLimited(err)`,
		after:     `true || medblocks.IsRateLimited(err)`,
		pkg:       "controllers/account", test: "TestA429OfOneRedeliveryDoesNotPauseTheAccountAndOneOfTheListDoes",
	},
}
