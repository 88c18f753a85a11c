// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"testing"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/medblocks/webhook-operator/controllers"
	"github.com/medblocks/webhook-operator/test/controlplane"
	"github.com/medblocks/webhook-operator/test/secrecy"
)

// Options of a lab.
type Options struct {
	// ControllerManager also runs kube-controller-manager, so that namespaces can be deleted.
	ControllerManager bool
	// Parallel is how many tests run at a time unless -parallel says otherwise; default 8: they mostly wait for the API server.
	Parallel int
}

// shared is what all worlds of a test binary use.
var shared struct {
	options Options
	scheme  *runtime.Scheme
	site    *Site
	secrets secrecy.Keeper
	log     guardedLog
}

// access is a way to the API server with somebody's credentials. One transport serves all worlds: a TLS handshake for
// each of thousands of operators would be most of the work.
type access struct {
	host      string
	transport http.RoundTripper
}

func newAccess(config *rest.Config) (*access, error) {
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, fmt.Errorf("lab: a transport to the API server: %w", err)
	}
	return &access{host: config.Host, transport: transport}, nil
}

// config leads to the API server through a transport of the caller's making.
func (e *access) config(wrap func(http.RoundTripper) http.RoundTripper) *rest.Config {
	return &rest.Config{Host: e.host, Transport: wrap(e.transport), QPS: -1}
}

// Main runs the tests of a package on one control plane.
func Main(m *testing.M, options Options) {
	if options.Parallel == 0 {
		options.Parallel = 8
	}
	if err := flag.Set("test.parallel", fmt.Sprint(options.Parallel)); err != nil {
		panic(err) // before flag.Parse, so that -parallel overrides it
	}
	flag.Parse()
	code, err := run(m, options)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// gcPercent spares the time of collecting garbage of which a test's worlds leave little.
const gcPercent = 200

func run(m *testing.M, options Options) (code int, err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	log := controllers.NewLogger(zap.WriteTo(&shared.log), zap.Level(zapcore.Level(-10)))
	klog.SetLogger(log)
	ctrl.SetLogger(log)
	shared.options, shared.scheme = options, controllers.Scheme()
	if shared.site, err = newSite(context.Background(), controlplane.Options{ControllerManager: options.ControllerManager}); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.site.plane.Stop()) }()
	code = m.Run()
	return code, errors.Join(leaksOfProcess(), writeReport(os.Stdout))
}

func asIs(next http.RoundTripper) http.RoundTripper { return next }
