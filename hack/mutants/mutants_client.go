// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// clientMutants undo what keeps the client from believing or giving away too much.
var clientMutants = []mutant{
	{
		name: "404-of-a-proxy", file: "api/medblocks/predicates.go",
		safeguard: `a 404 without the vendor's envelope proves nothing`,
		before:    `e.StatusCode == http.StatusNotFound && e.Envelope`,
		after:     `e.StatusCode == http.StatusNotFound`,
		pkg:       "api/medblocks", test: "TestAnAnswerThatIsNotTheVendorsEnvelopeKeepsItsStatusAndProvesNothing",
	},
	{
		name: "cut-envelope", file: "api/medblocks/answer.go",
		safeguard: `an error whose body ends early is no proof`,
		before: `	if readErr != nil {
		envelope`,
		after: `	if false {
		envelope`,
		pkg: "api/medblocks", test: "TestAnErrorWhoseBodyEndsEarlyIsNoProof",
	},
	{
		name: "5xx-rejects", file: "api/medblocks/predicates.go",
		safeguard: `only a 4xx proves that a call had no effect`,
		before:    ` && e.StatusCode <= 499 && e.StatusCode != http.StatusRequestTimeout`,
		after:     ``,
		pkg:       "api/medblocks", test: "TestPredicatesSortErrorsAsTheContractSays",
	},
	{
		name: "redirect", file: "api/medblocks/client.go",
		safeguard: `redirects are not followed: the key would travel`,
		before: `	response, err := c.roundTrip(httpRequest)
`,
		after: `	response, err := (&http.Client{}).Do(httpRequest)
`,
		pkg: "api/medblocks", test: "TestARedirectIsAnErrorAndTheKeyDoesNotTravel",
	},
	{
		name: "body-limit", file: "api/medblocks/client.go",
		safeguard: `an answer is read up to a bound`,
		before: `	if len(data) > MaxBodySize {
`,
		after: `	if false {
`,
		pkg: "api/medblocks", test: "TestABodyOverTheBoundIsMalformedAndNotReadToItsEnd",
	},
	{
		name: "another-id", file: "api/medblocks/endpoints.go",
		safeguard: `an answer about another endpoint is refused`,
		before:    `id != "" && endpoint.ID != id:`,
		after:     `false:`,
		pkg:       "api/medblocks", test: "TestAnAnswerAboutSomethingElseIsMalformed",
	},
	{
		name: "bad-id", file: "api/medblocks/endpoints.go",
		safeguard: `an id that is no id is refused`,
		before: `	case !IsEndpointID(endpoint.ID):
`,
		after: `	case false:
`,
		pkg: "api/medblocks", test: "TestAnAnswerAboutSomethingElseIsMalformed",
	},
	{
		name: "no-secret", file: "api/medblocks/endpoints.go",
		safeguard: `a registration without a secret is refused`,
		before: `	if secret.Secret == "" {
`,
		after: `	if false {
`,
		pkg: "api/medblocks", test: "TestAnAnswerAboutSomethingElseIsMalformed",
	},
	{
		name: "cursor-loop", file: "api/medblocks/paging.go",
		safeguard: `a list that repeats a cursor is an error`,
		before: `	case w.seen[*next]:
`,
		after: `	case false:
`,
		pkg: "api/medblocks", test: "TestACursorThatComesBackLaterEndsTheList",
	},
	{
		name: "list-cut", file: "api/medblocks/paging.go",
		safeguard: `a list that does not say whether there is more is an error`,
		before: `		return false, result.malformed("the list does not say whether there is more")
`,
		after: `		return false, nil
`,
		pkg: "api/medblocks", test: "TestAListThatDoesNotKeepTheContractIsMalformed",
	},
	{
		name: "retry-after-bound", file: "api/medblocks/answer.go",
		safeguard: `Retry-After is bounded`,
		before: `	return min(max(at.Sub(now), 0), MaxRetryAfter), true
`,
		after: `	return at.Sub(now), true
`,
		pkg: "api/medblocks", test: "TestRetryAfterIsReadInEveryForm",
	},
	{
		name: "echoed-credentials", file: "api/medblocks/secret.go",
		safeguard: `an error that echoes a credential does not pass it on`,
		before: `	text = credentialPattern.ReplaceAllString(text, redacted)
`,
		after: ``,
		pkg:   "api/medblocks", test: "TestAnErrorThatEchoesCredentialsDoesNotPassThemOn",
	},
	{
		name: "printed-secret", file: "api/medblocks/secret.go",
		safeguard: `a secret prints redacted`,
		before:    `func (Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, redacted) }`,
		after:     `func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, string(s)) }`,
		pkg:       "api/medblocks", test: "TestASecretPrintsRedactedAndIsRevealedOnPurposeOnly",
	},
	{
		name: "old-signature", file: "api/medblocks/event/signature.go",
		safeguard: `a delivery is accepted within its time only`,
		before:    `tolerance > 0 && off > tolerance`,
		after:     `false`,
		pkg:       "api/medblocks/event", test: "TestTheWindowReachesExactlyToItsEdges",
	},
	{
		name: "empty-secret", file: "api/medblocks/event/signature.go",
		safeguard: `an empty secret verifies nothing`,
		before: `		if secret == "" {
			continue // anybody can sign with an empty key
		}
`,
		after: ``,
		pkg:   "api/medblocks/event", test: "TestEachWayToFailCanBeToldFromTheOthers",
	},
}
