// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kubectl-medblocks is a plugin of kubectl, which finds it on the PATH and runs it as kubectl medblocks; see
// docs/kubectl-plugin.md and package plugin.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/medblocks/webhook-operator/plugin"
)

// completer is the name under which kubectl looks for a program that completes the plugin's command line: a link to this one.
const completer = "kubectl_complete-medblocks"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends us at once
	code := plugin.Run(ctx, arguments(os.Args), genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	stop()
	os.Exit(code)
}

func arguments(args []string) []string {
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") == completer {
		return append([]string{"__complete"}, args[1:]...)
	}
	return args[1:]
}
