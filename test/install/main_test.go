// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/medblocks/webhook-operator/api/v1alpha1"
	"github.com/medblocks/webhook-operator/test/controlplane"
)

const (
	root  = "../.."
	chart = root + "/dist/chart"
	// release and its namespace are those that give the names in config.
	release   = "medblocks-webhook-operator"
	namespace = controlplane.OperatorNamespace
	// patience is how long anything may take: a busy machine with two cores gets its time.
	patience = 90 * time.Second
)

// shared is the API server of all tests that leave nothing behind in it; the others have one of their own.
var shared *plane

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "install:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if err := findTools(); err != nil {
		return 1, err
	}
	started, err := startPlane(context.Background(), controlplane.Options{})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, started.Stop()) }()
	shared = started
	for _, path := range []string{"testdata/monitoring-crds.yaml", root + "/config/manager/priority_class.yaml"} {
		if out, err := shared.kubectl(context.Background(), nil, "apply", "--server-side", "-f", path); err != nil {
			return 1, fmt.Errorf("apply %s: %w: %s", path, err, out)
		}
	}
	if out, err := shared.kubectl(context.Background(), nil, "wait", "--for=condition=Established", "--timeout=90s", "crd", "--all"); err != nil {
		return 1, fmt.Errorf("wait for the kinds of the Prometheus Operator: %w: %s", err, out)
	}
	return m.Run(), nil
}

// plane is a control plane with a client.
type plane struct {
	*controlplane.ControlPlane
	api client.Client
}

func startPlane(ctx context.Context, options controlplane.Options) (*plane, error) {
	started, err := controlplane.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, errors.Join(err, started.Stop())
	}
	api, err := client.New(started.Admin, client.Options{Scheme: scheme})
	if err != nil {
		return nil, errors.Join(err, started.Stop())
	}
	return &plane{ControlPlane: started, api: api}, nil
}
