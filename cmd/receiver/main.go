// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// The receiver is a small sample receiver of Medblocks webhooks, described in
// package test/receiver. It takes its secrets from a directory, such as a mounted
// Secret, where it follows every change, or from the environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/medblocks/webhook-operator/api/medblocks/event"
	"github.com/medblocks/webhook-operator/test/listen"
	"github.com/medblocks/webhook-operator/test/receiver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, pflag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "receiver:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := pflag.NewFlagSet("receiver", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	var port listen.Flags
	port.Add(flags, "127.0.0.1:8088")
	secretsDir := flags.String("secrets-dir", "", "directory with the files "+event.SecretName+" and, if there is one, "+
		event.PreviousSecretName+", read again for every delivery; without it, the environment variables of these names are used")
	secretsWait := flags.Duration("secrets-wait", event.DefaultSecretsWait, "how long a delivery that was signed with a secret "+
		"unknown to the directory may wait for it, 3s at most; 0: not at all")
	fail := flags.Bool("fail", false, "start failing, with status 503, until POST /_receiver/recover")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *secretsWait == 0 {
		*secretsWait = -1
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	secrets, err := secretSource(ctx, *secretsDir, logger)
	if err != nil {
		return err
	}
	server := receiver.New(receiver.Options{Secrets: secrets, SecretsWait: *secretsWait, Logger: logger})
	if *fail {
		if err := server.Fail(receiver.DefaultFailStatus); err != nil {
			return err
		}
	}
	listener, err := port.Listen(ctx, stdout)
	if err != nil {
		return err
	}
	return server.Serve(ctx, listener)
}

// secretSource insists on a secret in the environment, which cannot appear later.
// A directory may well be filled after the start: deliveries wait for that, and
// those that cannot wait longer are answered with 503 and come again.
func secretSource(ctx context.Context, dir string, logger *slog.Logger) (event.SecretSource, error) {
	if dir != "" {
		source := event.SecretsFromDir(dir)
		if _, err := source.WebhookSecrets(ctx); err != nil {
			logger.Warn("no secret yet, deliveries wait for it and then are answered with 503", "error", err)
		}
		return source, nil
	}
	source := event.SecretsFromEnv()
	secrets, err := source.WebhookSecrets(ctx)
	if err != nil {
		return nil, err
	}
	for _, secret := range secrets {
		if secret != "" {
			return source, nil
		}
	}
	return nil, fmt.Errorf("no secret: give --secrets-dir or set %s", event.SecretName)
}
