// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package receiver_test

import (
	"os"
	"reflect"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/medblocks/webhook-operator/test/receiver"
)

func TestThePageNamesEveryCount(t *testing.T) {
	g := NewWithT(t)
	page, err := os.ReadFile("../../docs/receivers.md")
	g.Expect(err).NotTo(HaveOccurred())
	counts := reflect.TypeFor[receiver.Counts]()
	for i := range counts.NumField() {
		g.Expect(string(page)).To(ContainSubstring("`%s`", counts.Field(i).Tag.Get("json")))
	}
}
