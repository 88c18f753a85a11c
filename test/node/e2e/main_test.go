// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/medblocks/webhook-operator/test/node"
)

// wanted is set by hack/e2e-node.sh, which has looked whether this machine has what a node needs.
const wanted = "E2E_NODE"

func TestMain(m *testing.M) {
	if os.Getenv(wanted) == "" {
		fmt.Fprintln(os.Stdout, "Not run: make e2e-node runs these tests.")
		return
	}
	ctrllog.SetLogger(logr.Discard())
	os.Exit(node.Main(m.Run))
}

// longest is how long all of it may take on a machine that is busy with other things too.
const longest = 15 * time.Minute

// The steps build on each other, and disturb each other: they run in this order, on one cluster.
func TestTheOperatorWorksOnARealNode(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	started := time.Now()
	w := begin(ctx, t)
	note(t, fmt.Sprintf("%5.1f s  a node, with Medblocks and a receiver on it", time.Since(started).Seconds()))
	for _, step := range []struct {
		name string
		run  func(*world)
	}{
		{"deployed from dist/install.yaml, restricted", deployed},
		{"the key that signs its token is replaced", tokensAreSignedAnew},
		{"the whole story, and Prometheus beside it", storyAndMetrics},
		{"a token of the former key is worth nothing", formerTokensAreRefused},
		{"the leader is killed", leaderKilled},
		{"the leader hangs", leaderHangs},
		{"the Deployment is rolled", rolled},
		{"the node is restarted", nodeRestarted},
		{"a namespace is deleted", namespaceDeleted},
		{"deployed from the chart", deployedFromTheChart},
	} {
		started = time.Now()
		if !t.Run(step.name, func(t *testing.T) { step.run(w.at(t)) }) {
			t.Fatalf("after this nothing is as it should be:\n%s", w.explain())
		}
		note(t, fmt.Sprintf("%5.1f s  %s", time.Since(started).Seconds(), step.name))
	}
}

// note adds a line to the report that hack/e2e-node.sh prints at the end.
func note(t *testing.T, line string) {
	t.Helper()
	t.Log(line)
	path := os.Getenv("E2E_NODE_REPORT")
	if path == "" {
		return
	}
	report, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer report.Close()
	if _, err := fmt.Fprintln(report, line); err != nil {
		t.Fatal(err)
	}
}
