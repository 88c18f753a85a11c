// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// receiverMutants undo what keeps a receiver from refusing what is genuine, and from being held up by what is not.
var receiverMutants = []mutant{
	{
		name: "torn-volume", file: "api/medblocks/event/secrets.go",
		safeguard: `secrets that were read while the volume was swapped are read again`,
		before: `		if generationOf(dir) == generation {
`,
		after: `		if true {
`,
		pkg: "api/medblocks/event", test: "TestAReaderInTheMiddleOfASwapReadsAgain",
	},
	{
		name: "wait-for-all", file: "api/medblocks/event/waiting.go",
		safeguard: `a bounded number of deliveries waits for other secrets`,
		before: `	if l.waiting >= l.limit {
`,
		after: `	if false {
`,
		pkg: "api/medblocks/event", test: "TestForgersCannotMakeMoreThanABoundedNumberOfDeliveriesWait",
	},
	{
		name: "wait-in-vain", file: "api/medblocks/event/waiting.go",
		safeguard: `what is outside the window does not wait`,
		before:    `	return signed, err == nil && v.checkTime(signed.at) == nil`,
		after:     `	return signed, err == nil`,
		pkg:       "api/medblocks/event", test: "TestNothingWaitsThatOtherSecretsCannotHelp",
	},
	{
		name: "wait-for-nobody", file: "api/medblocks/event/waiting.go",
		safeguard: `the wait ends when the sender hangs up`,
		before:    `context.WithDeadline(r.Context(), `,
		after:     `context.WithDeadline(ctx, `,
		pkg:       "api/medblocks/event", test: "TestTheWaitEndsWithItsRequest",
	},
	{
		name: "wait-for-long", file: "api/medblocks/event/handler.go",
		safeguard: `the wait leaves time to handle the event`,
		before: `	options.SecretsWait = min(options.SecretsWait, options.Timeout*3/4)
`,
		after: ``,
		pkg:   "api/medblocks/event", test: "TestTheWaitLeavesTimeForTheEvent",
	},
}
