// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command manager is the Medblocks webhook operator.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/medblocks/webhook-operator/controllers"
)

func main() {
	opts := defaultOptions()
	opts.addFlags(flag.CommandLine)
	logging := zap.Options{}
	logging.BindFlags(flag.CommandLine)
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "error: unexpected argument %q: flags start with --\n", flag.Arg(0)) // the flags after it would be ignored
		os.Exit(2)
	}
	ctrl.SetLogger(controllers.NewLogger(zap.UseFlagOptions(&logging)))
	limitMemory(ctrl.Log.WithName("memory"), memlimit.FromCgroup)
	limitGarbage(debug.SetGCPercent, time.Now)
	if err := run(ctrl.SetupSignalHandler(), opts); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opts *options) error {
	if err := opts.validate(); err != nil {
		return err
	}
	mgr, err := newManager(ctx, opts)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}
