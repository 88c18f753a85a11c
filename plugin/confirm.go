// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// confirm asks the user, where that is needed. Whoever does not say yes, or cannot be asked, gets an error: nothing was done.
func (s *Session) confirm(needed bool, format string, args ...any) error {
	if !needed {
		return nil
	}
	question := fmt.Sprintf(format, args...)
	if s.apiKeyFile == "-" {
		return usagef("%s Nobody can be asked, because standard input has the API key: say --yes", question)
	}
	fmt.Fprintf(s.ErrOut, "%s [y/N] ", question)
	answer, err := bufio.NewReader(s.In).ReadString('\n')
	if err != nil && answer == "" {
		return usagef("nobody has answered: say --yes to go on without a question. Nothing was done")
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("not confirmed: nothing was done")
}
