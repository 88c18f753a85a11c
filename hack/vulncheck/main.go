// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Command vulncheck runs govulncheck where the database of vulnerabilities is reachable. Where it is not, as on a machine without a
// network, it says so in one line and ends well: a check that cannot be made is neither passed nor failed. Whatever else goes wrong
// is a failure. Usage: vulncheck DATABASE-URL COMMAND…
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// patience is how long the database may take to answer. Its first file has some hundred bytes.
const patience = 10 * time.Second

func main() {
	err := run(context.Background(), os.Stdout, os.Args[1:])
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		os.Exit(exit.ExitCode()) // The command has said why.
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: vulncheck DATABASE-URL COMMAND…")
	}
	database := strings.TrimSuffix(args[0], "/")
	if err := reach(ctx, database); err != nil && !strings.HasPrefix(database, "file://") { // A copy on this machine needs no network.
		fmt.Fprintf(out, "vulncheck: SKIPPED govulncheck: the database %s is not reachable from here: %v\n", database, err)
		return nil
	}
	command := exec.CommandContext(ctx, args[1], args[2:]...) //nolint:gosec // The Makefile names it.
	command.Stdout, command.Stderr = out, os.Stderr
	return command.Run()
}

// reach asks for the database's smallest file. Any answer will do: what is wrong with it is for govulncheck to say.
func reach(ctx context.Context, database string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, database+"/index/db.json", http.NoBody) //nolint:gosec // The Makefile names it.
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request) //nolint:gosec // The same.
	if err != nil {
		return err
	}
	return response.Body.Close()
}
