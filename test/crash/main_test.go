// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"testing"

	"github.com/medblocks/webhook-operator/test/lab"
)

func TestMain(m *testing.M) { lab.Main(m, lab.Options{ControllerManager: true}) }
