// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench measures what the operator costs, against a real API server and etcd, with the emulator of Medblocks, the
// operator and the load in separate processes. In the same run it measures what it compares the operator with: the lower bound
// (a bare client that makes the same requests and decides nothing) and a textbook controller that polls each object by itself.
// docs/performance.md says how to read what it prints. `make bench` runs it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and prints, or plays the role of another program that is measured.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	ctrl.SetLogger(logr.Discard()) // what is started here says by errors what is wrong
	switch cfg.role {
	case roleBare:
		return runBare(ctx, cfg)
	case roleComparator:
		return runComparator(ctx, cfg)
	}
	measured, err := measure(ctx, cfg, stderr)
	if err != nil {
		return err
	}
	return measured.print(stdout)
}

// measure runs all phases. Nothing that it started is left when it returns, however it ends.
func measure(ctx context.Context, cfg config, progress io.Writer) (*results, error) {
	b := &bench{cfg: cfg, progress: progress, out: &results{cfg: cfg}}
	for _, part := range []struct {
		wanted bool
		run    func(context.Context) error
	}{
		{cfg.wants(phaseRegister), b.measureOperator},
		{cfg.wants(phaseBare), b.measureBare},
		{cfg.wants(phaseComparator), b.measureComparators},
	} {
		if !part.wanted {
			continue
		}
		if err := part.run(ctx); err != nil {
			return nil, err
		}
	}
	return b.out, nil
}
