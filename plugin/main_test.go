// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	// patience is how long anything may take: a busy machine with two cores gets its time.
	patience = 90 * time.Second
	// often is how often one looks.
	often = 100 * time.Millisecond
	// timeScale makes 12 hours one second, and nine attempts (3.6 days) some seven.
	timeScale = 43_200
)

// managerFlags are what every operator here is started with, beside those of the shipped Deployment.
var managerFlags = []string{
	"--disabled-poll-interval=300ms", "--poll-interval=2s", "--api-qps=200", "--api-burst=400",
	"--operator-namespace=" + controlplane.OperatorNamespace,
}

// suite is what all tests share: one control plane, one emulator, one operator.
var suite struct {
	plane    *controlplane.ControlPlane
	stack    *stack.Stack
	emulator *stack.Emulator
	manager  *stack.Manager
	api      client.WithWatch
}

func TestMain(m *testing.M) {
	code, err := runSuite(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "plugin:", err)
		code = 1
	}
	os.Exit(code)
}

func runSuite(m *testing.M) (code int, err error) {
	ctx := context.Background()
	programs, err := stack.FindPrograms(filepath.Join("..", "bin"))
	if err != nil {
		return 1, err
	}
	if suite.plane, err = controlplane.Start(ctx, controlplane.Options{ControllerManager: true}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, suite.plane.Stop()) }()
	if suite.stack, err = stack.New(suite.plane, programs); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, suite.stack.Stop()) }()
	if err := startSuite(ctx); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func startSuite(ctx context.Context) (err error) {
	if suite.api, err = client.NewWithWatch(suite.plane.Admin, client.Options{Scheme: newScheme()}); err != nil {
		return err
	}
	if suite.emulator, err = suite.stack.StartEmulator(ctx, fmt.Sprintf("--time-scale=%d", timeScale)); err != nil {
		return err
	}
	if suite.manager, err = suite.stack.StartManager(ctx, "manager", suite.emulator.URL, managerFlags...); err != nil {
		return err
	}
	// What a user of the emulator would set. The subcommands that do not call Medblocks have no flag for it.
	return os.Setenv(EnvironmentAPIBaseURL, suite.emulator.URL)
}
