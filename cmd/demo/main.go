// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command demo tells the operator's whole story on this machine; see package test/demo. It is what `make demo` runs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/medblocks/webhook-operator/test/demo"
)

// interrupted is the exit code that shells give a program which ended on Ctrl-C.
const interrupted = 130

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends us at once; what we started is then killed
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, pflag.ErrHelp):
	case errors.Is(err, demo.ErrInterrupted):
		os.Exit(interrupted)
	default:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout *os.File, stderr io.Writer) error {
	flags := pflag.NewFlagSet("demo", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	options := demo.Options{Out: stdout, Colour: wantsColour(stdout)}
	flags.BoolVar(&options.Hold, "hold", false, "keep everything up after the story, until Ctrl-C, and print what to play with")
	flags.StringVar(&options.BinDir, "bin-dir", "", "folder with the built programs, in the repository (default: the one that this program is in)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if options.BinDir == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		options.BinDir = filepath.Dir(self)
	}
	var err error
	if options.BinDir, err = filepath.Abs(options.BinDir); err != nil {
		return err
	}
	return demo.Run(ctx, options)
}

// wantsColour tells whether a person looks at a terminal that has colours, and wants them (https://no-color.org).
func wantsColour(out *os.File) bool {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
