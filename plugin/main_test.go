// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

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
var managerFlags = []string{
	"--disabled-poll-interval=300ms", "--poll-interval=2s", "--api-qps=200", "--api-burst=400",
	"--operator-namespace=" + controlplane.OperatorNamespace,
	// Some resources are for nobody, to see what becomes of a request that no operator answers.
	"--watch-label-selector=operator!=none", "--leader-election-id=" + operatorLease,
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
	// Tests wait most of the time, so that more of them run beside each other than there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(max(4, goruntime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	log.SetLogger(logr.Discard()) // the programs have their own logs
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
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	if suite.api, err = client.NewWithWatch(suite.plane.Admin, client.Options{Scheme: scheme}); err != nil {
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
