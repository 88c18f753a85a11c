// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
)

func TestAPlanIsThatOfAnOperatorWithCertainEnvironments(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	n := newTenant(t) // with a key of the sandbox
	n.create(t, "patients", unwatched)

	g.Expect(actions(n.planOf(t, "patients", "--allowed-environments=Production, Sandbox,"))).To(ContainElement("RegisterEndpoint"))
	refused := n.planOf(t, "patients", "--allowed-environments=Production")
	g.Expect(refused.Steps).To(BeEmpty())
	g.Expect(reasons(refused)).To(Equal([]string{v1alpha1.ReasonWrongEnvironment}))

	is := n.invoke(t, "plan", "patients", "--allowed-environments=Staging")
	g.Expect(is.code).To(Equal(ExitUsage), "%+v", is)
	g.Expect(is.err).To(ContainSubstring(`--allowed-environments: there is no environment "Staging"`))
}
