// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"errors"
	"strings"
)

// recovered is what controller-runtime and the informers log of a panic. A controller recovers from it and tries again, so that in
// the end nothing else may show it.
const recovered = "Observed a panic"

// panicked is the first panic in a log, with its stack.
func panicked(log string) error {
	at := strings.Index(log, recovered)
	if at < 0 {
		return nil
	}
	line, _, _ := strings.Cut(log[at:], "\n")
	return errors.New("in the log: " + line)
}
