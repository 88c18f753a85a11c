// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
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
var managerFlags = []string{"--disabled-poll-interval=300ms", "--poll-interval=2s", "--zap-log-level=10", "--api-qps=200", "--api-burst=400"}

// suite is what all tests share: one control plane, one emulator, one operator.
var suite struct {
	plane    *controlplane.ControlPlane
	stack    *stack.Stack
	emulator *stack.Emulator
	manager  *stack.Manager // the one that works; tests that replace it say so
	api      client.WithWatch
	secrets  secretKeeper
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	bin, err := filepath.Abs(filepath.Join("..", "..", "bin"))
	if err != nil {
		return 1, err
	}
	programs, err := stack.FindPrograms(bin)
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
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, suite.stack.Stop())
		}
	}()
	if err := start(ctx); err != nil {
		return 1, err
	}
	code = m.Run()
	// What the tests have left must make sense, and nobody may have let a secret slip, up to the very end.
	err = errors.Join(everyStatusMakesSense(ctx), collectFromCluster(ctx))
	stopped = true
	return code, errors.Join(err, suite.stack.Stop(), suite.secrets.noLeak())
}

func start(ctx context.Context) (err error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	if suite.api, err = client.NewWithWatch(suite.plane.Admin, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	if suite.emulator, err = suite.stack.StartEmulator(ctx, fmt.Sprintf("--time-scale=%d", timeScale), "--log-level=debug"); err != nil {
		return err
	}
	suite.secrets.watchLog(suite.stack.LogPath("emulator"))
	if suite.manager, err = startManager(ctx, "manager"); err != nil {
		return err
	}
	return plant(ctx)
}

// plant makes a resource that stays to the end, so that the checks there have something to look at, whichever tests are run.
func plant(ctx context.Context) error {
	n, err := makeTenant(ctx, "tenant")
	if err != nil {
		return err
	}
	return suite.api.Create(ctx, n.resource("planted"))
}

// startManager starts an operator under the name of its log.
func startManager(ctx context.Context, name string) (*stack.Manager, error) {
	suite.secrets.watchLog(suite.stack.LogPath(name))
	return suite.stack.StartManager(ctx, name, suite.emulator.URL, managerFlags...)
}
