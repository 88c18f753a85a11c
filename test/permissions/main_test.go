// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/gomega"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/controllers"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	// patience is how long anything may take: a busy machine with two cores gets its time.
	patience = 90 * time.Second
	// often is how often one looks.
	often = 100 * time.Millisecond
)

// suite is what all tests share.
var suite struct {
	plane    *controlplane.ControlPlane
	stack    *stack.Stack
	emulator *stack.Emulator
	api      client.Client // may do everything
}

// parallel is how many tests run at a time unless -parallel says otherwise: they mostly wait, whatever the number of cores.
const parallel = "6"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err) // before flag.Parse, so that -parallel overrides it
	}
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	// Operators that may stream lists do not list.
	if err := os.Setenv("KUBE_FEATURE_WatchListClient", "false"); err != nil {
		panic(err)
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "permissions:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(often)
	ctx := context.Background()
	programs, err := stack.FindPrograms(filepath.Join("..", "..", "bin"))
	if err != nil {
		return 1, err
	}
	// The controller manager fills the aggregated roles.
	if suite.plane, err = controlplane.Start(ctx, controlplane.Options{ControllerManager: true}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, suite.plane.Stop()) }()
	if suite.api, err = client.New(suite.plane.Admin, client.Options{Scheme: controllers.Scheme()}); err != nil {
		return 1, err
	}
	if suite.stack, err = stack.New(suite.plane, programs); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, suite.stack.Stop()) }()
	// Nine attempts take a second.
	if suite.emulator, err = suite.stack.StartEmulator(ctx, "--time-scale=400000"); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// kubectl runs kubectl as a cluster administrator.
func kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, suite.plane.KubectlPath(), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+suite.plane.AdminKubeconfig(), "KUBECACHEDIR="+filepath.Join(suite.stack.Dir, "kube-cache"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}
