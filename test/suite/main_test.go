// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package suite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/medblocks/webhook-operator/controllers"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/secrecy"
)

// shared is what all tests of the package use.
var shared struct {
	plane *controlplane.ControlPlane
	// admin may do everything. It reads live.
	admin client.Client
	// logs holds what is logged without a logger of the manager: by client-go and by the defaults of controller-runtime.
	logs *buffer
}

// parallel is how many tests run at a time unless -parallel says otherwise: they mostly wait, whatever the number of cores.
const parallel = "8"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err) // before flag.Parse, so that -parallel overrides it
	}
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	SetDefaultEventuallyTimeout(45 * time.Second)
	SetDefaultEventuallyPollingInterval(25 * time.Millisecond)
	shared.logs = &buffer{}
	ctrl.SetLogger(zap.New(zap.WriteTo(shared.logs)))
	klog.SetLogger(zap.New(zap.WriteTo(shared.logs)))

	if shared.plane, err = controlplane.Start(context.Background(), controlplane.Options{}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.plane.Stop()) }()
	if shared.admin, err = client.New(shared.plane.Admin, client.Options{Scheme: controllers.Scheme()}); err != nil {
		return 1, err
	}
	code = m.Run()
	var nobody secrecy.Keeper // each world looks for its own secrets; here, whatever looks like one
	return code, nobody.Leak("the log of the process", shared.logs.String())
}
