// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"bytes"
	"testing"

	. "github.com/onsi/gomega"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

func TestWhatClientGoLogsOfSecretsIsLeftOutWhateverLevelIsAskedFor(t *testing.T) {
	t.Parallel()
	g := NewWithT(t)
	var log bytes.Buffer
	logger := NewLogger(zap.WriteTo(&log), zap.Level(zapcore.Level(-127)))
	g.Expect(logger.V(8).Enabled()).To(BeFalse(), "bodies of requests and answers")
	logger.V(8).WithCallDepth(1).WithName("deeper").Info("a body")
	g.Expect(log.String()).To(BeEmpty())
	logger.V(7).Info("a request")
	g.Expect(log.String()).To(ContainSubstring("a request"))
	g.Expect(NewLogger(zap.WriteTo(&log)).V(1).Enabled()).To(BeFalse(), "the default stays what it is")
}
