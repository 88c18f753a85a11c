// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"flag"
	"testing"

	"github.com/medblocks/webhook-operator/test/lab"
)

// update writes the files in config/argocd anew that this package otherwise compares.
var update = flag.Bool("update", false, "write config/argocd anew")

func TestMain(m *testing.M) { lab.Main(m, lab.Options{}) }
