// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package emulator_test

import (
	"os"
	"reflect"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/emulator"
)

func TestThePageNamesEveryFaultQuirkAndOperation(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile("../../docs/emulator.md")
	g.Expect(err).NotTo(HaveOccurred())
	for _, kind := range emulator.FaultKinds() {
		g.Expect(string(page)).To(ContainSubstring("`%s`", kind))
	}
	for _, op := range emulator.Operations() {
		g.Expect(string(page)).To(ContainSubstring("`%s`", op))
	}
	quirks := reflect.TypeFor[emulator.Quirks]()
	for i := range quirks.NumField() {
		g.Expect(string(page)).To(ContainSubstring("`%s`", quirks.Field(i).Tag.Get("json")))
	}
}
