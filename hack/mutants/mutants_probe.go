// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// probeMutants undo what keeps probes of receivers away from where they must not go, and their verdicts honest.
var probeMutants = []mutant{
	{
		name: "probe-unguarded", file: "controllers/probe/asker.go",
		safeguard: `the address of the connection itself is looked at, whatever its name resolved to before`,
		before:    `ControlContext: at.guard.control(&tried), `,
		after:     ``,
		pkg:       "controllers/probe", test: "TestANameThatLeadsElsewhereAfterItWasCheckedIsRefused",
	},
	{
		name: "probe-private", file: "controllers/probe/guard.go",
		safeguard: `a URL leads to no private address`,
		before:    `slices.Concat(local, private)`,
		after:     `slices.Concat(local)`,
		pkg:       "controllers/probe", test: "TestProbesReachPublicAddressesAndServicesOnly",
	},
	{
		name: "probe-mapped", file: "controllers/probe/guard.go",
		safeguard: `an IPv4 address written as IPv6 is as good as the address`,
		before:    `addr = addr.Unmap().WithZone("")`,
		after:     `addr = addr.WithZone("")`,
		pkg:       "controllers/probe", test: "TestProbesReachPublicAddressesAndServicesOnly",
	},
	{
		name: "probe-zone", file: "controllers/probe/guard.go",
		safeguard: `a zone hides no address`,
		before:    `addr = addr.Unmap().WithZone("")`,
		after:     `addr = addr.Unmap()`,
		pkg:       "controllers/probe", test: "TestProbesReachPublicAddressesAndServicesOnly",
	},
	{
		name: "probe-tunnel", file: "controllers/probe/guard.go",
		safeguard: `an address of a tunnel leads to no address that is refused`,
		before:    `	case sixToFour.Contains(addr):`,
		after:     `	case false:`,
		pkg:       "controllers/probe", test: "TestProbesReachPublicAddressesAndServicesOnly",
	},
	{
		name: "probe-service-anywhere", file: "controllers/probe/place.go",
		safeguard: `not even a Service leads to this machine or to metadata`,
		before:    `guard{refused: local, allowed: a.allowed}`,
		after:     `guard{allowed: a.allowed}`,
		pkg:       "controllers/probe", test: "TestAServiceThatCannotBeProbedIsSaid",
	},
	{
		name: "probe-external-name", file: "controllers/probe/place.go",
		safeguard: `a Service of type ExternalName is not probed`,
		before:    `	if service.Spec.Type == corev1.ServiceTypeExternalName {`,
		after:     `	if false {`,
		pkg:       "controllers/probe", test: "TestAServiceThatCannotBeProbedIsSaid",
	},
	{
		name: "probe-other-namespace", file: "controllers/probe/place.go",
		safeguard: `a Service of another namespace is not probed`,
		before:    `	if s.Namespace != namespace {`,
		after:     `	if false {`,
		pkg:       "controllers/probe", test: "TestAServiceThatCannotBeProbedIsSaid",
	},
	{
		name: "probe-second-request", file: "controllers/probe/place.go",
		safeguard: `a URL makes one request, and none follows it`,
		before:    `	if strings.Contains(text, " ") {`,
		after:     `	if false {`,
		pkg:       "controllers/probe", test: "TestWhatIsNoURLIsSaid",
	},
	{
		name: "probe-any-certificate", file: "controllers/probe/asker.go",
		safeguard: `a certificate is verified`,
		before:    `MinVersion: tls.VersionTLS12,`,
		after:     `MinVersion: tls.VersionTLS12, InsecureSkipVerify: true,`,
		pkg:       "controllers/probe", test: "TestACertificateIsVerified",
	},
	{
		name: "probe-endless-head", file: "controllers/probe/asker.go",
		safeguard: `an answer's head is read up to a limit`,
		before:    `readStatus(answer)`,
		after:     `readStatus(conn)`,
		pkg:       "controllers/probe", test: "TestAnEndlessHeadIsNotReadToItsEnd",
	},
	{
		name: "probe-late-answer", file: "controllers/probe/prober.go",
		safeguard: `the answer to a probe that was stopped counts for nothing`,
		before: `	if ctx.Err() != nil {
		return
	}
	if ended.expected {`,
		after: `	if ended.expected {`,
		pkg:   "controllers/probe", test: "TestAProbeThatIsStoppedUnderWayIsCancelledAndForgotten",
	},
	{
		name: "probe-one-success", file: "controllers/probe/prober.go",
		safeguard: `one answer makes no receiver healthy`,
		before:    `	successesInARow = 2`,
		after:     `	successesInARow = 1`,
		pkg:       "controllers/probe", test: "TestEveryVerdictIsEarned",
	},
	{
		name: "probe-storm", file: "controllers/probe/prober.go",
		safeguard: `a resource is reconciled only when the result of its probes changes`,
		before: `	if result == r.result {
		return
	}
`,
		after: ``,
		pkg:   "controllers/probe", test: "TestAResourceIsReconciledWhenTheResultChangesAndNotOtherwise",
	},
	{
		name: "probe-flood", file: "controllers/probe/prober.go",
		safeguard: `not too many probes are made at once`,
		before:    `make(chan struct{}, probesAtOnce)`,
		after:     `make(chan struct{}, 10*probesAtOnce)`,
		pkg:       "controllers/probe", test: "TestNotTooManyProbesAreMadeAtOnceAndAllOfThemInTheEnd",
	},
	{
		name: "probe-after-the-end", file: "controllers/probe/prober.go",
		safeguard: `nothing is begun after the end`,
		before: `	if p.ctx.Err() != nil {
		return
	}
	if r, ok`,
		after: `	if r, ok`,
		pkg:   "controllers/probe", test: "TestTheEndWaitsForTheProbesAndNothingIsStartedAfterIt",
	},
}
