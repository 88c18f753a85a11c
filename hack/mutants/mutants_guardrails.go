// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// guardrailMutants undo what keeps the tenants of an account, and its orphans, apart.
var guardrailMutants = []mutant{
	{
		name: "any-namespace", file: "controllers/endpoint/guardrails.go",
		safeguard: `an account lets in the namespaces that it selects`,
		before:    `	case !selects(g.spec.NamespaceSelector, g.labels):`,
		after:     `	case false:`,
		pkg:       "controllers/endpoint", test: "TestEachGuardrailRefusesWhatIsOutsideAndNamesItself",
	},
	{
		name: "any-host", file: "controllers/endpoint/guardrails.go",
		safeguard: `an account allows the hosts that it names`,
		before:    `	case !allowsHost(g.spec.AllowedURLHosts, res.Spec.URL):`,
		after:     `	case false:`,
		pkg:       "controllers/endpoint", test: "TestEachGuardrailRefusesWhatIsOutsideAndNamesItself",
	},
	{
		name: "no-limit", file: "controllers/endpoint/guardrails.go",
		safeguard: `a namespace has as many endpoints as its account allows`,
		before:    `	case g.spec.MaxEndpointsPerNamespace != nil && g.rank >= int(*g.spec.MaxEndpointsPerNamespace):`,
		after:     `	case false:`,
		pkg:       "controllers/endpoint", test: "TestEachGuardrailRefusesWhatIsOutsideAndNamesItself",
	},
	{
		name: "places-by-age", file: "controllers/endpoint/places.go",
		safeguard: `whoever has an endpoint keeps its place`,
		before:    `	return cmp.Or(cmp.Compare(s.tenureOf(a), s.tenureOf(b)), olderFirst(a, b))`,
		after:     `	return cmp.Or(0, olderFirst(a, b))`,
		pkg:       "controllers/endpoint", test: "TestPlacesBelongToThoseThatHaveAnEndpointThroughTheAccountAndThenToTheOldest",
	},
	{
		name: "tenants-endpoint", file: "controllers/endpoint/guardrails.go",
		safeguard: `a tenant cannot take another one's endpoint`,
		before:    `	if p.obs.guardrails == nil || owner == "" || isOfNamespace(owner, p.res.Namespace) {`,
		after:     `	if owner != "" || true {`,
		pkg:       "test/suite", test: "TestATenantCannotAdoptAnotherTenantsEndpointThroughASharedAccount",
	},
	{
		name: "orphan-comes-back", file: "controllers/endpoint/orphans_delete.go",
		safeguard: `an orphan has no resource when it is deleted`,
		before: `	return r.claimTo(ctx, o)
}

// claimTo`,
		after: `	return nil
}

// claimTo`,
		pkg: "test/suite", test: "TestNoOrphanIsDeletedWhoseDeletionWasPreparedWhenThingsChanged",
	},
	{
		name: "orphan-remarked", file: "controllers/endpoint/orphans_delete.go",
		safeguard: `an orphan carries the same marks when it is deleted`,
		before:    `	case o.Owner == "" || endpoint.Metadata[v1alpha1.MarkOwner] != o.Owner || endpoint.Metadata[v1alpha1.MarkIncarnation] != o.Incarnation:`,
		after:     `	case endpoint.ID == "":`,
		pkg:       "test/suite", test: "TestAnEndpointWhoseMarkIsChangedInTheLastMomentIsNotDeleted",
	},
	{
		name: "orphan-policy", file: "controllers/endpoint/orphans_delete.go",
		safeguard: `the policy holds when an orphan is deleted`,
		before: `	if err := o.Objection(ctx); err != nil {
		return err
	}
`,
		after: ``,
		pkg:   "test/suite", test: "TestNoOrphanIsDeletedWhoseDeletionWasPreparedWhenThingsChanged",
	},
}
