// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
)

// confirm asks the user, where that is needed. Whoever does not say yes, or cannot be asked, gets an error: nothing was done.
func (s *Session) confirm(ctx context.Context, needed bool, format string, args ...any) error {
	if !needed {
		return nil
	}
	question := fmt.Sprintf(format, args...)
	if s.apiKeyFile == "-" {
		return usagef("%s Nobody can be asked, because standard input has the API key: say --yes", question)
	}
	fmt.Fprintf(s.ErrOut, "%s [y/N] ", question)
	answer, err := s.answer(ctx)
	if ctx.Err() != nil {
		fmt.Fprintln(s.ErrOut)
		return errors.New("interrupted: nothing was done")
	}
	if err != nil && answer == "" {
		return usagef("nobody has answered: say --yes to go on without a question. Nothing was done")
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("not confirmed: nothing was done")
}

// answer reads a line, or returns when ctx ends: who types may as well press Ctrl-C. The reading then goes on until the program ends.
func (s *Session) answer(ctx context.Context) (line string, err error) {
	read := make(chan struct{})
	var typed string
	var failed error
	go func() {
		defer close(read)
		typed, failed = bufio.NewReader(s.In).ReadString('\n')
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case <-read:
		return typed, failed
	}
}
