// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command testsummary reads what `go test -json` writes from standard input and prints what a person wants to see: a line for each
// package, the whole output of what failed, and, as the last line, "N passed, N failed" (with ", N skipped" where any were).
//
// It exits with 1 if anything failed and also if no test ran at all, so that a test run that broke before its first test is not
// taken for a success.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	file := flag.String("o", "", "also write the closing line to this file")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *file); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, file string) error {
	totals, err := summarize(in, out)
	if err != nil {
		return fmt.Errorf("reading the test events: %w", err)
	}
	if file != "" {
		if err := os.WriteFile(file, []byte(totals.String()+"\n"), 0o600); err != nil {
			return fmt.Errorf("writing the closing line: %w", err)
		}
	}
	_, _ = fmt.Fprintf(out, "\n%s\n", totals)
	return totals.verdict()
}
