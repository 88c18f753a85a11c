// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command mutants proves that the tests can fail: it undoes one safeguard after another by a small edit of the source, runs the
// one test that is said to notice, and exits with 1 if a test does not. Called by `make mutants`, from the root of the module.
//
// The edits are given to the compiler as an overlay: no file is changed. To add one, put an entry into the tables mutants_*.go
// and run `make mutants MUTANTS=<its name>`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	only := flag.String("run", "", "run only the mutants whose names match this regular expression")
	parallel := flag.Int("parallel", 2, "run so many mutants at a time")
	limit := flag.Duration("timeout", time.Hour, "give up after this time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, *limit)
	err := run(ctx, *only, *parallel)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, parallel int) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("the names to run: %w", err)
	}
	var chosen []mutant
	for _, m := range all() {
		if pattern.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant's name matches %q", only)
	}
	folder, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return fmt.Errorf("making room for the edits: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := unharmed(ctx, chosen); err != nil {
		return err
	}
	return report(os.Stdout, tryAll(ctx, folder, chosen, parallel))
}
