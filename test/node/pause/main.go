// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

// Pause is the first process of a Pod: it holds the namespaces that the containers share, and does nothing. Where they share that of
// processes, too, it becomes the parent of what others leave behind, and has to let it go.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		reap()
		select {
		case <-signals:
			return
		case <-children:
		}
	}
}

// reap lets go of all children that have ended. Several may have, for one signal.
func reap() {
	for {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 && err != syscall.EINTR {
			return
		}
	}
}
