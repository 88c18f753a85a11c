// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/stack"
)

const (
	// patience is how long one step of a page may take: a busy machine with two cores gets its time.
	patience = 120 * time.Second
	// often is how often one looks.
	often = 100 * time.Millisecond
	// timeScale makes nine attempts (3.6 days) less than a second.
	timeScale = 432_000
)

// managerFlags are what every operator here is started with, beside those of its Deployment.
var managerFlags = []string{
	"--disabled-poll-interval=300ms", "--poll-interval=2s", "--api-qps=200", "--api-burst=400",
	"--api-timeout=2s", // also how long an unanswered registration counts as in flight
	"--operator-namespace=" + controlplane.OperatorNamespace,
}

// root is the folder of the repository, as seen from this one.
var root = func() string {
	path, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return path
}()

// site is a cluster for pages: a control plane, an emulator of Medblocks, and something in place of nodes.
type site struct {
	plane    *controlplane.ControlPlane
	stack    *stack.Stack
	emulator *stack.Emulator
	api      client.WithWatch
	stopNode func() error
}

// newSite starts a site. On a bare one nothing is installed, and the operator runs once a page has installed it; on the others
// both are there.
func newSite(ctx context.Context, bare bool) (_ *site, err error) {
	s := &site{}
	programs, err := stack.FindPrograms(filepath.Join(root, "bin"))
	if err != nil {
		return nil, err
	}
	if s.plane, err = controlplane.Start(ctx, controlplane.Options{ControllerManager: true, Bare: bare}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	scheme := apiruntime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	if s.api, err = client.NewWithWatch(s.plane.Admin, client.Options{Scheme: scheme}); err != nil {
		return nil, err
	}
	if err := s.installForeignCRDs(); err != nil {
		return nil, err
	}
	if s.stack, err = stack.New(s.plane, programs); err != nil {
		return nil, err
	}
	if s.emulator, err = s.stack.StartEmulator(ctx, fmt.Sprintf("--time-scale=%d", timeScale)); err != nil {
		return nil, err
	}
	if !bare {
		if _, err := s.stack.StartManager(ctx, "manager", s.emulator.URL, managerFlags...); err != nil {
			return nil, err
		}
	}
	s.stopNode = s.startNode(context.WithoutCancel(ctx), bare)
	return s, nil
}

// installForeignCRDs installs those of other projects that pages have manifests for.
func (s *site) installForeignCRDs() error {
	_, err := envtest.InstallCRDs(s.plane.Admin, envtest.CRDInstallOptions{Paths: []string{filepath.Join("testdata", "crds")}})
	return err
}

func (s *site) stop() error {
	var errs []error
	if s.stopNode != nil {
		errs = append(errs, s.stopNode())
	}
	if s.stack != nil {
		errs = append(errs, s.stack.Stop())
	}
	return errors.Join(append(errs, s.plane.Stop())...)
}

// shared is the site of all pages without a cluster of their own; it is started by the first that needs it.
var shared struct {
	once sync.Once
	site *site
	err  error
}

func sharedSite() (*site, error) {
	shared.once.Do(func() { shared.site, shared.err = newSite(context.Background(), false) })
	return shared.site, shared.err
}

func TestMain(m *testing.M) {
	// Pages wait most of the time, so that more of them run beside each other than there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(max(4, runtime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	ctrl.SetLogger(logr.Discard()) // the programs have their own logs
	code := m.Run()
	if shared.site != nil {
		if err := shared.site.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "docs:", err)
			code = 1
		}
	}
	os.Exit(code)
}
