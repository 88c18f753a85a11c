// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"github.com/go-logr/logr"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// mostVerbose is the lowest level that is logged, whatever is asked for: from V(8) on, client-go logs the bodies of what it
// sends and receives, and those of Secrets hold API keys and signing secrets.
const mostVerbose = zapcore.Level(-7)

// NewLogger makes a logger as zap.New does, but none that would log what is in a Secret.
func NewLogger(opts ...zap.Opts) logr.Logger {
	return zap.New(append(opts, func(o *zap.Options) {
		if o.Level != nil {
			o.Level = boundedLevel{o.Level}
		}
	})...)
}

type boundedLevel struct{ zapcore.LevelEnabler }

func (b boundedLevel) Enabled(level zapcore.Level) bool {
	return level >= mostVerbose && b.LevelEnabler.Enabled(level)
}
