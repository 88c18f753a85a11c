// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"errors"
	"fmt"
)

// Exit codes of the plugin. docs/kubectl-plugin.md promises them.
const (
	// ExitOK: it worked, and what was asked about is well.
	ExitOK = 0
	// ExitFailed: the cluster or Medblocks could not be reached, or refused.
	ExitFailed = 1
	// ExitUsage: the command line is wrong. Nothing was done.
	ExitUsage = 2
	// ExitUnhealthy: it worked, and what it shows is not well: a resource that is not Ready, a plan with steps to do, orphans.
	ExitUnhealthy = 3
	// ExitTimeout: what was waited for did not happen within --timeout.
	ExitTimeout = 4
)

// exitError is an error that says with which code the plugin ends.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// errUnhealthy ends the plugin with ExitUnhealthy and no further word: the output has said what is wrong.
var errUnhealthy = &exitError{code: ExitUnhealthy}

// silently ends the plugin with a code and no further word; nil: with ExitOK.
func silently(code int) error {
	if code == ExitOK {
		return nil
	}
	return &exitError{code: code}
}

// usagef is a mistake in the command line.
func usagef(format string, args ...any) error {
	return &exitError{code: ExitUsage, err: fmt.Errorf(format, args...)}
}

// timeoutf says what was waited for in vain.
func timeoutf(format string, args ...any) error {
	return &exitError{code: ExitTimeout, err: fmt.Errorf(format, args...)}
}

// exitCode is the code that an error ends the plugin with.
func exitCode(err error) int {
	var coded *exitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &coded):
		return coded.code
	}
	return ExitFailed
}

// isSilent tells whether everything has been said already.
func isSilent(err error) bool {
	var coded *exitError
	return errors.As(err, &coded) && coded.err == nil
}
