// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"testing"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/medblocks/webhook-operator/controllers"
)

func TestAPanicThatWasRecoveredFromIsFoundInTheLog(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	log := &Buffer{}
	ctx := logr.NewContext(t.Context(), controllers.NewLogger(zap.WriteTo(log)))
	g.Expect(panicked(log.String())).To(Succeed())
	for _, handle := range runtime.PanicHandlers { // as a controller does
		handle(ctx, "index out of range")
	}
	g.Expect(panicked(log.String())).To(MatchError(ContainSubstring("index out of range")))
}
