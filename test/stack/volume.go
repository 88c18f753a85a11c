// Copyright 2026 The Medblocks Webhook Operator Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// dataLink is the link that a mounted Secret is read through: replacing it replaces all files at once.
const dataLink = "..data"

// Volume is a folder that holds a Secret's data as a pod sees it: this machine has no kubelet that would mount it. Each generation
// is a folder of its own, and one rename of the link ..data moves readers from the old one to the new one.
type Volume struct {
	Dir string
	// Delay is how much later than the Secret the volume changes.
	Delay time.Duration
}

// NewVolume is an empty volume: like a pod's whose Secret is optional and does not exist yet.
func (s *Stack) NewVolume(name string) (*Volume, error) {
	dir := filepath.Join(s.Dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create a volume: %w", err)
	}
	return &Volume{Dir: dir}, nil
}

// Write replaces what the volume holds. No data empties it.
func (v *Volume) Write(data map[string][]byte) error {
	if err := v.write(data); err != nil {
		return fmt.Errorf("write the volume %s: %w", v.Dir, err)
	}
	return nil
}

func (v *Volume) write(data map[string][]byte) error {
	old, err := os.Readlink(v.path(dataLink))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	generation, err := os.MkdirTemp(v.Dir, "..generation-")
	if err != nil {
		return err
	}
	for key, value := range data {
		if err := os.WriteFile(filepath.Join(generation, key), value, 0o600); err != nil {
			return err
		}
	}
	next := v.path("..data_next")
	if err := os.Symlink(filepath.Base(generation), next); err != nil {
		return err
	}
	if err := os.Rename(next, v.path(dataLink)); err != nil {
		return err
	}
	if err := v.link(data); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	return os.RemoveAll(v.path(old))
}

// link makes each key a file of the volume, and keeps no file without a key.
func (v *Volume) link(data map[string][]byte) error {
	for key := range data {
		if err := os.Symlink(filepath.Join(dataLink, key), v.path(key)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	entries, err := os.ReadDir(v.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if _, kept := data[entry.Name()]; !kept && !strings.HasPrefix(entry.Name(), "..") {
			if err := os.Remove(v.path(entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *Volume) path(name string) string { return filepath.Join(v.Dir, name) }

// followInterval is how often the Secret is looked at; a kubelet takes up to a minute or so, see Delay.
const followInterval = 200 * time.Millisecond

// Follow keeps the volume like a Secret, until stop is called; stop waits for the end and returns the first error that the volume
// itself met. A Secret that is gone or cannot be read leaves the volume as it is, as under a kubelet.
func (v *Volume) Follow(ctx context.Context, api client.Client, key client.ObjectKey) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var (
		done   sync.WaitGroup
		failed error
		seen   string
	)
	done.Go(func() {
		failed = wait.PollUntilContextCancel(ctx, followInterval, true, func(ctx context.Context) (bool, error) {
			var secret corev1.Secret
			if err := api.Get(ctx, key, &secret); err != nil || secret.ResourceVersion == seen {
				return false, nil //nolint:nilerr // what cannot be read now is read the next time
			}
			seen = secret.ResourceVersion
			select {
			case <-ctx.Done():
				return false, ctx.Err()
			case <-time.After(v.Delay):
				return false, v.Write(secret.Data)
			}
		})
	})
	return func() error {
		cancel()
		done.Wait()
		if errors.Is(failed, context.Canceled) {
			return nil
		}
		return failed
	}
}
