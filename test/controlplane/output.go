// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// logTail is how much of each log an error of Start quotes, in bytes.
const logTail = 2 << 10

// output returns where a program writes to: AttachOutput, or a log file.
func (c *ControlPlane) output(program string) (io.Writer, error) {
	if c.options.AttachOutput != nil {
		return c.options.AttachOutput, nil
	}
	file, err := os.Create(c.logPath(program))
	if err != nil {
		return nil, fmt.Errorf("create the log of %s: %w", program, err)
	}
	c.closeLogs = append(c.closeLogs, file)
	return file, nil
}

func (c *ControlPlane) logPath(program string) string { return filepath.Join(c.dir, program+".log") }

// explain adds the end of each log to err, before Stop removes them.
func (c *ControlPlane) explain(err error) error {
	for _, program := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		log, readErr := os.ReadFile(c.logPath(program))
		log = bytes.TrimSpace(log)
		if readErr != nil || len(log) == 0 {
			continue
		}
		err = fmt.Errorf("%w\nlast words of %s:\n%s", err, program, log[max(0, len(log)-logTail):])
	}
	return err
}

// lockedWriter lets several programs share one writer.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
